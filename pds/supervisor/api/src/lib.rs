// SPDX-License-Identifier: BSD-2-Clause
//! How a guest reports what it checked: one call to the supervisor, with two words.
#![no_std]
#![forbid(unsafe_code)]

use sel4_microkit::{Channel, MessageInfo, with_msg_regs, with_msg_regs_mut};

/// The label of a report.
const REPORT: u64 = 1;

/// The outcome of a guest's checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Checks that held.
    pub passed: u64,
    /// Checks that did not.
    pub failed: u64,
}

/// Reports to the supervisor behind `channel`.
pub fn send(channel: Channel, report: Report) {
    with_msg_regs_mut(|registers| registers[..2].copy_from_slice(&[report.passed, report.failed]));
    channel.pp_call(MessageInfo::new(REPORT, 2));
}

/// The report that a message spells, if it spells one.
#[must_use]
pub fn receive(message: &MessageInfo) -> Option<Report> {
    if (message.label(), message.count()) != (REPORT, 2) {
        return None;
    }
    with_msg_regs(|registers| Some(Report { passed: *registers.first()?, failed: *registers.get(1)? }))
}

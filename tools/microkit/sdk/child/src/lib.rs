// SPDX-License-Identifier: BSD-2-Clause
//! Stopping and restarting a child domain, on rust-sel4.
//!
//! rust-sel4's `sel4-microkit` hands out a child's thread and has nothing for what libmicrokit calls
//! `microkit_pd_stop` and `microkit_pd_restart`. This crate has the public names of the embedded default's crate of
//! the same name, in whose place the SDK's Cargo configuration patches it.
#![no_std]

use sel4::UserContext;
use sel4_microkit::Child;

/// The kernel refused: there is no such child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the domain has no such child")
    }
}

impl core::error::Error for Refused {}

/// Lets the child run from `entry_point`; its other registers stay as they are.
///
/// # Errors
/// [`Refused`] when there is no such child.
pub fn restart(child: Child, entry_point: usize) -> Result<(), Refused> {
    let mut context = UserContext::default();
    *context.pc_mut() = entry_point as u64;
    // One register, the first of the context: the instruction pointer.
    child.tcb().tcb_write_registers(true, 1, &mut context).map_err(|_| Refused)
}

/// Stops the child.
///
/// # Errors
/// [`Refused`] when there is no such child.
pub fn stop(child: Child) -> Result<(), Refused> {
    child.tcb().tcb_suspend().map_err(|_| Refused)
}

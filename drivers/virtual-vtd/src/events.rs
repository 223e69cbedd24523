// SPDX-License-Identifier: BSD-2-Clause
//! What the unit tells its guest of its own accord: faults and completions, by message (VT-d 7.3, 11.4.7).

use vtd::registers::{FaultRecordHigh, FaultRecordLow};

use crate::Page;
use crate::registers::{
    FAULT, FAULT_CONDITIONS, FAULTED, FECTL, FRCD, FRCD_HIGH, FSTS, HELD_BACK, ICS, IECTL, MASKED, OVERFLOW,
    WAIT_DONE,
};

/// A fault as the guest is to see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Source id of the device, as the guest numbers it.
    pub source: u16,
    /// The PASID that the device used, where it used one.
    pub pasid: Option<u32>,
    /// The page that was asked for, in bytes.
    pub address: u64,
    /// Whether it was a read.
    pub read: bool,
    /// Fault reason (VT-d 7.1.3).
    pub reason: u8,
}

/// The reason of a fault at a PASID whose table entry is not present: what becomes of one that was taken away.
pub const REASON_PASID_NOT_PRESENT: u8 = 0x59;

/// The two events that send messages, by the register that controls each. Data and address are behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    Fault,
    Completion,
}

impl Source {
    const ALL: [Self; 2] = [Self::Fault, Self::Completion];

    fn control(self) -> u64 {
        match self {
            Self::Fault => FECTL,
            Self::Completion => IECTL,
        }
    }

    /// Where the conditions are that a message is for, and which bits.
    fn conditions(self) -> (u64, u64) {
        match self {
            Self::Fault => (FSTS, FAULT_CONDITIONS),
            Self::Completion => (ICS, WAIT_DONE),
        }
    }
}

/// Vectors below this are the processor's own; no message carries them (Intel SDM 3A, 11.5.2).
const FIRST_VECTOR: u8 = 16;

impl Page<'_> {
    /// Records a fault. While the guest has not taken the last one off, this one is lost, and the guest is told so.
    pub fn fault(&mut self, fault: Fault) {
        if self.read(FRCD_HIGH) & FAULT != 0 {
            return self.condition(Source::Fault, OVERFLOW);
        }
        let high = FaultRecordHigh::new()
            .with_source(fault.source)
            .with_pasid_present(fault.pasid.is_some())
            .with_pasid(fault.pasid.unwrap_or(0) & 0xf_ffff)
            .with_reason(fault.reason)
            .with_t1(fault.read)
            .with_fault(true);
        self.set(FRCD, FaultRecordLow::new().with_page(fault.address >> 12).into_bits());
        self.set(FRCD_HIGH, high.into_bits());
        self.condition(Source::Fault, FAULTED);
    }

    /// The vector of a message that the unit has sent since this was last asked, if there is one. It is for the
    /// hypervisor to interrupt the guest with it.
    pub fn take_interrupt(&mut self) -> Option<u8> {
        self.messages.iter_mut().find_map(Option::take)
    }

    /// A condition came up. The message is for the first of a source's; the guest finds the others as it looks.
    pub(crate) fn condition(&mut self, source: Source, bits: u64) {
        let (status, all) = source.conditions();
        let old = self.read(status);
        self.set(status, old | bits);
        if old & all == 0 {
            let control = self.read(source.control());
            self.set(source.control(), control | HELD_BACK);
            self.let_through();
        }
    }

    /// After a write of the guest: messages that were held back go out where they may, and those whose conditions are
    /// gone do not.
    pub(crate) fn let_through(&mut self) {
        if self.read(FRCD_HIGH) & FAULT == 0 {
            self.set(FSTS, self.read(FSTS) & !FAULTED);
        }
        for source in Source::ALL {
            let (status, all) = source.conditions();
            let control = self.read(source.control());
            let gone = self.read(status) & all == 0;
            if control & HELD_BACK == 0 || control & MASKED != 0 && !gone {
                continue;
            }
            self.set(source.control(), control & !HELD_BACK);
            // The data: vector, and delivery mode 0 or 1, which both end at the one processor that there is.
            let data = control >> 32 & 0xffff_ffff;
            let vector = u8::try_from(data & 0xff).unwrap_or(0);
            if !gone && data >> 9 & 3 == 0 && vector >= FIRST_VECTOR {
                self.messages[source as usize] = Some(vector);
            }
        }
    }
}

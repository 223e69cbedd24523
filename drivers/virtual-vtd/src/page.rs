// SPDX-License-Identifier: BSD-2-Clause
//! The page of registers: what a write does, and the virtual command register.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use ioasid_core::{
    Pasid,
    allocator::vcmd::{CAPABILITY_PASID, COMMAND_ALLOC, COMMAND_FREE, IN_PROGRESS},
};

use crate::{
    Layout,
    registers::{
        CAP, CAPABILITIES, CCMD, ECAP, EXTENDED_CAPABILITIES, FECTL, FRCD_HIGH, FSTS, GCMD, ICS, IECTL,
        INVALIDATE, IOTLB, IQH, IQT, LASTING, MASKED, QUEUE, ROOT_TABLE, Rule, VER, VERSION,
    },
};

/// 64-bit words in the page.
pub const WORDS: usize = 512;

/// How much a guest writes at once. Narrower writes to registers have no effect (VT-d 11.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// A half of a 64-bit register, or a 32-bit one.
    Four,
    /// A 64-bit register, or two 32-bit ones.
    Eight,
}

/// What a write leaves for the hypervisor to do before the guest runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Allocate a PASID for the guest, then [`Page::answer`].
    Alloc,
    /// Free a PASID if it is the guest's, then [`Page::answer`].
    Free(u32),
    /// There may be descriptors in the queue: [`Page::drain`].
    Descriptors,
}

/// There is no PASID to be had, or it is not the guest's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal;

/// The status of a command that is none. Neither layout names it: any but success and "no PASID" will do.
const STATUS_NO_COMMAND: u64 = 1;

/// The registers of a unit, in the memory that its guest reads.
#[derive(Debug)]
pub struct Page<'m> {
    words: &'m [AtomicU64; WORDS],
    layout: Layout,
    /// Messages that were sent and not yet delivered: the vector of each source's.
    pub(crate) messages: [Option<u8>; 2],
}

impl<'m> Page<'m> {
    /// The unit after a reset.
    pub fn new(words: &'m [AtomicU64; WORDS], layout: Layout) -> Self {
        let mut page = Self { words, layout, messages: [None; 2] };
        page.reset();
        page
    }

    /// Puts every register to what it is after a reset. The guest's PASIDs are the hypervisor's to free.
    pub fn reset(&mut self) {
        self.words.iter().for_each(|word| word.store(0, Relaxed));
        self.messages = [None; 2];
        self.set(VER, VERSION);
        self.set(CAP, CAPABILITIES);
        self.set(ECAP, EXTENDED_CAPABILITIES);
        self.set(FECTL, MASKED);
        self.set(IECTL, MASKED);
        self.set(self.layout.vccap, CAPABILITY_PASID);
    }

    /// The aligned word that holds `offset`. Beyond the page: zero.
    #[must_use]
    pub fn read(&self, offset: u64) -> u64 {
        self.word(offset).map_or(0, |word| word.load(Relaxed))
    }

    /// Takes a write of the guest. One that is not aligned to its width, or beyond the page, has no effect.
    ///
    /// A 64-bit register that acts on a write does so when the half is written that holds what makes it act: the
    /// command of VCMD is in its lower half, so that the upper one is written first.
    #[must_use = "the guest waits for what is left to be done"]
    pub fn write(&mut self, offset: u64, width: Width, value: u64) -> Option<Request> {
        let (value, mask) = match width {
            Width::Four if offset.is_multiple_of(8) => (value & LOWER, LOWER),
            Width::Four if offset.is_multiple_of(4) => (value << 32, !LOWER),
            Width::Eight if offset.is_multiple_of(8) => (value, !0),
            _ => return None,
        };
        let offset = offset & !7;
        if offset == self.layout.vcmd {
            return self.command(value, mask);
        }
        let old = self.word(offset)?.load(Relaxed);
        let rule = Rule::at(offset);
        let (takes, clears) = (rule.takes & mask, rule.clears & mask);
        self.set(offset, (old & !takes | value & takes) & !(value & clears));
        match offset {
            FSTS | FECTL | FRCD_HIGH | ICS | IECTL => self.let_through(),
            _ => {}
        }
        match offset {
            GCMD if mask & LOWER != 0 => self.global_command(value & LOWER),
            // Done at once: nothing is cached. What was asked for is what was done, two bits below.
            CCMD if value & INVALIDATE != 0 => {
                self.set(CCMD, value & !INVALIDATE & !(3 << 59) | value >> 2 & 3 << 59)
            }
            IOTLB if value & INVALIDATE != 0 => {
                self.set(IOTLB, value & !INVALIDATE & !(3 << 57) | value >> 3 & 3 << 57)
            }
            // A driver clears an error in FSTS to have the queue go on.
            IQT | FSTS if self.read(GCMD) >> 32 & QUEUE != 0 => return Some(Request::Descriptors),
            _ => {}
        }
        None
    }

    /// Ends the command in progress: with the PASID of an allocation, with anything for a free, or with a refusal.
    ///
    /// Without a command in progress this has no effect.
    pub fn answer(&mut self, answer: Result<u32, Refusal>) {
        if self.in_progress() {
            let (status, result) = match answer {
                Ok(pasid) => (0, pasid),
                Err(Refusal) => (self.layout.status_no_pasid, 0),
            };
            self.set(self.layout.vcrsp, self.layout.response(status, result));
        }
    }

    /// Whether a command waits for its answer. The guest must not run before it has it: Linux spins with interrupts off.
    #[must_use]
    pub fn in_progress(&self) -> bool {
        self.read(self.layout.vcrsp) & IN_PROGRESS != 0
    }

    fn command(&mut self, value: u64, mask: u64) -> Option<Request> {
        if self.in_progress() {
            return None;
        }
        let command = self.read(self.layout.vcmd) & !mask | value & mask;
        self.set(self.layout.vcmd, command);
        if mask & LOWER == 0 {
            return None;
        }
        // What has been issued is issued once: an upper half holds for the next lower half alone.
        self.set(self.layout.vcmd, 0);
        let operand = command >> self.layout.operand_shift;
        let request = match (command & 0xff, u32::try_from(operand).ok().and_then(Pasid::new)) {
            (COMMAND_ALLOC, _) => Request::Alloc,
            (COMMAND_FREE, Some(pasid)) => Request::Free(pasid.get()),
            (COMMAND_FREE, None) => {
                self.set(self.layout.vcrsp, self.layout.response(self.layout.status_no_pasid, 0));
                return None;
            }
            _ => {
                self.set(self.layout.vcrsp, self.layout.response(STATUS_NO_COMMAND, 0));
                return None;
            }
        };
        self.set(self.layout.vcrsp, IN_PROGRESS);
        Some(request)
    }

    fn global_command(&mut self, command: u64) {
        let old = self.read(GCMD) >> 32;
        let status = old & ROOT_TABLE | command & (LASTING | ROOT_TABLE);
        if status & !old & QUEUE != 0 {
            self.set(IQH, 0);
        }
        self.set(GCMD, status << 32);
    }

    pub(crate) fn set(&mut self, offset: u64, value: u64) {
        if let Some(word) = self.word(offset) {
            word.store(value, Relaxed);
        }
    }

    fn word(&self, offset: u64) -> Option<&AtomicU64> {
        self.words.get(usize::try_from(offset / 8).ok()?)
    }
}

/// The lower half of a word.
const LOWER: u64 = 0xffff_ffff;

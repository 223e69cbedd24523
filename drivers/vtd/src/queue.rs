// SPDX-License-Identifier: BSD-2-Clause
//! The invalidation queue (VT-d 6.5.2): descriptors go in one submission, and one wait at its end says that all
//! of it is done.
//!
//! A submission is confirmed only if its own wait wrote its own number and no error of the queue was seen
//! meanwhile. After a time-out hardware may still work on what was submitted, so that room in the queue is
//! taken from the head register, never assumed.
use crate::access::{Registers, TableMemory};
use crate::error::Error;
use crate::frames::{Frames, frame};
use crate::registers::{FSTS, FaultStatus, IQA, IQH, IQT, QueueAddress, QueueTail};
use crate::tables::{Descriptor, Entry};

/// Descriptors in the queue, room for the largest batch: five descriptors an id. One slot always stays empty, so
/// that full and empty differ.
const ENTRIES: u16 = 512;
/// 512 descriptors of 256 bits fill 2^2 frames; of 128 bits, 2^1.
const WIDE_ORDER: u8 = 2;
const NARROW_ORDER: u8 = 1;
/// Polls of the completion word between two looks at the fault status.
const POLLS_PER_STATUS: u32 = 64;

impl Entry<2> for Descriptor {
    fn words(self) -> [u64; 2] {
        Self::words(self)
    }
    fn from_words(words: [u64; 2]) -> Self {
        Self::from(words)
    }
}

/// What hardware writes when a wait is reached.
#[derive(Clone, Copy)]
struct Completion(u64);

impl Entry<1> for Completion {
    fn words(self) -> [u64; 1] {
        [self.0]
    }
    fn from_words([word]: [u64; 1]) -> Self {
        Self(word)
    }
}

/// The queue of one unit.
#[derive(Debug)]
pub(crate) struct Queue {
    base: u64,
    /// Where waits write their number; the word behind it is for fences.
    completion: u64,
    /// Whether descriptors have 256 bits, or 128.
    wide: bool,
    /// Whether hardware reads the queue at all. While it does not, nothing is cached and nothing is submitted.
    on: bool,
    /// What hardware was told: everything before it is submitted.
    tail: u16,
    /// Where the next descriptor goes.
    next: u16,
    /// The oldest descriptor that hardware may still need.
    head: u16,
    /// The number of the last wait.
    sequence: u32,
    /// How often a word or register is looked at before the queue is given up.
    polls: u32,
}

impl Queue {
    /// Makes room for the queue and its completion words.
    pub(crate) fn new<M: TableMemory>(
        frames: &mut Frames<M>,
        narrow: bool,
        polls: u32,
    ) -> Result<Self, Error> {
        let wide = !narrow;
        let base = frames.allocate(if wide { WIDE_ORDER } else { NARROW_ORDER })?;
        let completion = frames.allocate(0)?;
        Ok(Self { base, completion, wide, on: false, tail: 0, next: 0, head: 0, sequence: 0, polls })
    }

    /// Tells hardware where the queue is. The queue is off (GSTS.QIES = 0).
    pub(crate) fn place<R: Registers>(&mut self, registers: &mut R) {
        (self.tail, self.next, self.head) = (0, 0, 0);
        // A unit that was used before may have stopped at an error.
        FSTS.write(registers, FaultStatus::new().with_iqe(true).with_ice(true).with_ite(true));
        IQT.write(registers, QueueTail::new());
        let size = if self.wide { WIDE_ORDER } else { NARROW_ORDER };
        let address = QueueAddress::new().with_frame(frame(self.base)).with_wide(self.wide);
        IQA.write(registers, address.with_size(size));
    }

    /// Says whether hardware reads the queue from now on (GSTS.QIES).
    pub(crate) fn set_on(&mut self, on: bool) {
        self.on = on;
    }

    /// Adds a descriptor to the submission being made.
    pub(crate) fn push<R: Registers, M: TableMemory>(
        &mut self,
        registers: &mut R,
        frames: &mut Frames<M>,
        descriptor: Descriptor,
    ) -> Result<(), Error> {
        if !self.on {
            return Ok(());
        }
        let after = (self.next + 1) % ENTRIES;
        if after == self.head && !self.make_room(registers, after) {
            // Hardware is stuck on what an earlier submission left. Nothing of this one was submitted.
            self.next = self.tail;
            return Err(Error::Unconfirmed);
        }
        frames.write(self.slot(self.next), descriptor);
        self.next = after;
        Ok(())
    }

    /// Waits until hardware has fetched what stands in the slot behind `after`.
    fn make_room<R: Registers>(&mut self, registers: &mut R, after: u16) -> bool {
        for _ in 0..self.polls {
            self.head = self.read_head(registers);
            if after != self.head {
                return true;
            }
            registers.relax();
        }
        false
    }

    /// Adds a fence: what follows starts when everything before it is done. QEMU takes no wait that neither
    /// writes nor interrupts, so it writes a word that nobody reads.
    pub(crate) fn fence<R: Registers, M: TableMemory>(
        &mut self,
        registers: &mut R,
        frames: &mut Frames<M>,
    ) -> Result<(), Error> {
        self.push(registers, frames, Descriptor::wait(self.completion + 8, 0, true))
    }

    /// Submits what was pushed and waits until all of it is done.
    pub(crate) fn submit<R: Registers, M: TableMemory>(
        &mut self,
        registers: &mut R,
        frames: &mut Frames<M>,
    ) -> Result<(), Error> {
        if !self.on {
            return Ok(());
        }
        let sequence = self.sequence.wrapping_add(1);
        self.push(registers, frames, Descriptor::wait(self.completion, sequence, false))?;
        self.sequence = sequence;
        self.tail = self.next;
        self.ring(registers);

        let mut confirmed = Ok(());
        for poll in 1..=self.polls {
            let Completion(word) = frames.read(self.completion);
            if word & u64::from(u32::MAX) == u64::from(sequence) {
                self.head = self.tail;
                return confirmed;
            }
            if poll % POLLS_PER_STATUS == 0 && self.recover(registers, frames) {
                confirmed = Err(Error::Unconfirmed);
            }
            registers.relax();
        }
        log::error!("the invalidation queue did not answer");
        Err(Error::Unconfirmed)
    }

    fn ring<R: Registers>(&self, registers: &mut R) {
        IQT.write(registers, QueueTail::new().with_units(self.tail * self.units()));
    }

    /// What hardware fetches next.
    fn read_head<R: Registers>(&self, registers: &mut R) -> u16 {
        IQH.read(registers).units() / self.units() % ENTRIES
    }

    /// Units of the head and tail registers (16 bytes) in a descriptor.
    fn units(&self) -> u16 {
        if self.wide { 2 } else { 1 }
    }

    /// Where a descriptor is.
    fn slot(&self, index: u16) -> u64 {
        self.base + u64::from(index * self.units()) * 16
    }

    /// Gets a queue going again that stopped at an error, and says whether it had (VT-d 6.5.2.10, 6.5.2.11).
    ///
    /// A bad descriptor stays at the head: a harmless one takes its place. What timed out in a device is given
    /// up by hardware. Either way something was not done, so the submission is not confirmed.
    pub(crate) fn recover<R: Registers, M: TableMemory>(
        &mut self,
        registers: &mut R,
        frames: &mut Frames<M>,
    ) -> bool {
        let status = FSTS.read(registers);
        let errors = FaultStatus::new().with_iqe(status.iqe()).with_ice(status.ice()).with_ite(status.ite());
        if errors == FaultStatus::new() {
            return false;
        }
        log::error!("invalidation queue: {errors:?}");
        if status.iqe() {
            let harmless = Descriptor::wait(self.completion + 8, 0, false);
            frames.write(self.slot(self.read_head(registers)), harmless);
        }
        FSTS.write(registers, errors);
        self.ring(registers);
        true
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! A VT-d unit in software, for tests: it caches everything that the specification lets hardware cache, for as
//! long as it lets it, and forgets only what a descriptor names. It walks tables on its own, between any two
//! steps of the driver, so that what is wrong for one moment is found.
//!
//! - Where it does not snoop (ECAP.C = 0), it sees only what was flushed, or what happened to be evicted.
//! - Descriptors between two fences run in any order; completions come late, never, or with an error, as the
//!   test wishes.
//! - What real hardware answers with silence, an abort or a machine check is a panic here: an access of the
//!   wrong width, two changes in one global command, a wait that both writes and interrupts.
#![forbid(unsafe_code)]

mod caches;
mod faults;
mod hardware;
mod memory;
mod queue;
mod registers;
mod walk;

use std::cell::RefCell;
use std::rc::Rc;

pub use caches::Origin;
pub use hardware::{Behaviour, Counters, Hardware, Personality};
use vtd::SourceId;

/// A unit, its memory and the devices behind it. Clones are the same unit.
#[derive(Clone, Debug)]
pub struct Fake(Rc<RefCell<Hardware>>);

impl Fake {
    /// A unit with `words` words of memory from physical address 0.
    #[must_use]
    pub fn new(personality: Personality, behaviour: Behaviour, words: usize, seed: u64) -> Self {
        Self(Rc::new(RefCell::new(Hardware::new(personality, behaviour, words, seed))))
    }

    /// Looks into the unit, or changes how it behaves.
    pub fn with<T>(&self, action: impl FnOnce(&mut Hardware) -> T) -> T {
        action(&mut self.0.borrow_mut())
    }

    /// Its registers.
    #[must_use]
    pub fn registers(&self) -> FakeRegisters {
        FakeRegisters(self.clone())
    }

    /// The `frames` frames at `base` as table memory.
    #[must_use]
    pub fn tables(&self, base: u64, frames: usize) -> FakeTables {
        FakeTables { fake: self.clone(), base, frames }
    }

    /// A device behind it.
    #[must_use]
    pub fn device(&self, source: SourceId) -> FakeDevice {
        FakeDevice { fake: self.clone(), source, buffer: Rc::new(RefCell::new(vec![0; 512])) }
    }
}

/// The registers of a fake unit.
#[derive(Clone, Debug)]
pub struct FakeRegisters(Fake);

impl vtd::Registers for FakeRegisters {
    fn read32(&mut self, offset: u32) -> u32 {
        self.0.with(|hardware| hardware.read32(offset))
    }
    fn write32(&mut self, offset: u32, value: u32) {
        self.0.with(|hardware| hardware.write32(offset, value));
    }
    fn read64(&mut self, offset: u32) -> u64 {
        self.0.with(|hardware| hardware.read64(offset))
    }
    fn write64(&mut self, offset: u32, value: u64) {
        self.0.with(|hardware| hardware.write64(offset, value));
    }
    fn relax(&mut self) {
        self.0.with(Hardware::tick);
    }
}

/// Part of a fake unit's memory, as table memory.
#[derive(Clone, Debug)]
pub struct FakeTables {
    fake: Fake,
    base: u64,
    frames: usize,
}

impl vtd::TableMemory for FakeTables {
    fn base(&self) -> u64 {
        self.base
    }
    fn frames(&self) -> usize {
        self.frames
    }
    fn load(&self, offset: usize) -> u64 {
        assert!(offset < self.frames * 4096, "a load outside of the tables");
        self.fake.with(|hardware| hardware.memory.load(self.base + offset as u64))
    }
    fn store(&mut self, offset: usize, value: u64) {
        assert!(offset < self.frames * 4096, "a store outside of the tables");
        self.fake.with(|hardware| hardware.cpu_store(self.base + offset as u64, value));
    }
    fn flush(&mut self, offset: usize, bytes: usize) {
        self.fake.with(|hardware| hardware.memory.flush(self.base + offset as u64, bytes as u64));
    }
}

/// A device with a buffer of 4 KiB that reads and writes memory on demand. Clones are the same device.
#[derive(Clone, Debug)]
pub struct FakeDevice {
    fake: Fake,
    source: SourceId,
    buffer: Rc<RefCell<Vec<u64>>>,
}

impl FakeDevice {
    /// Reads `words` words into the buffer at word `to`, under a PASID or untagged; what is denied reads as 0.
    /// Returns whether all was allowed.
    pub fn read_to(&self, pasid: Option<u32>, address: u64, to: usize, words: usize) -> bool {
        let mut allowed = true;
        for (index, at) in (to..to + words).enumerate() {
            let address = address + index as u64 * 8;
            let word = self.fake.with(|hardware| hardware.dma_read(self.source, pasid, address));
            allowed &= word.is_some();
            self.buffer.borrow_mut()[at] = word.unwrap_or(0);
        }
        allowed
    }

    /// Writes `words` words of the buffer from word `from`; what is denied changes nothing. Returns whether all
    /// was allowed.
    pub fn write_from(&self, pasid: Option<u32>, address: u64, from: usize, words: usize) -> bool {
        let mut allowed = true;
        for (index, at) in (from..from + words).enumerate() {
            let word = self.buffer.borrow()[at];
            let address = address + index as u64 * 8;
            allowed &= self.fake.with(|hardware| hardware.dma_write(self.source, pasid, address, word));
        }
        allowed
    }
}

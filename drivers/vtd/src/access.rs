// SPDX-License-Identifier: BSD-2-Clause
//! How a unit reaches its registers and its table memory. Implementations: [`crate::mapped`] for a program
//! that maps both, the fake and QEMU's qtest socket in the tests.

/// The register page of one unit (VT-d 11.1). Offsets are in bytes from its start.
///
/// Accesses are made exactly once, in program order, and with exactly the width asked for: some registers
/// are 32 bits wide and refuse 64-bit accesses.
pub trait Registers {
    /// Reads the 32-bit register at `offset`.
    fn read32(&mut self, offset: u32) -> u32;
    /// Writes the 32-bit register at `offset`.
    fn write32(&mut self, offset: u32, value: u32);
    /// Reads the 64-bit register at `offset`.
    fn read64(&mut self, offset: u32) -> u64;
    /// Writes the 64-bit register at `offset`.
    fn write64(&mut self, offset: u32, value: u64);
    /// Called between two polls of a register or of a completion word.
    fn relax(&mut self) {
        core::hint::spin_loop();
    }
}

/// The memory that holds every table and queue: one physically contiguous run of 4 KiB frames which only the
/// owner of the unit maps. Offsets are in bytes from its start and multiples of 8.
///
/// Loads and stores are single, aligned 64-bit accesses, in program order, because hardware reads and writes
/// the same words.
pub trait TableMemory {
    /// Physical address of the first frame, a multiple of 4 KiB.
    fn base(&self) -> u64;
    /// Number of 4 KiB frames.
    fn frames(&self) -> usize;
    /// Reads the word at `offset`. An offset outside of the memory reads as 0.
    fn load(&self, offset: usize) -> u64;
    /// Writes the word at `offset`. An offset outside of the memory changes nothing.
    fn store(&mut self, offset: usize, value: u64);
    /// Writes `count` words from `offset` on: `first`, and each `step` more than the one before.
    fn fill(&mut self, offset: usize, count: usize, first: u64, step: u64) {
        let mut value = first;
        for index in 0..count {
            self.store(offset + index * 8, value);
            value = value.wrapping_add(step);
        }
    }
    /// Writes the word at `offset` where it is zero; else it does not and says so.
    fn store_empty(&mut self, offset: usize, value: u64) -> bool {
        let empty = self.load(offset) == 0;
        if empty {
            self.store(offset, value);
        }
        empty
    }
    /// Writes `count` words as [`fill`](Self::fill) does where all of them are zero; else it writes none and says so.
    fn fill_empty(&mut self, offset: usize, count: usize, first: u64, step: u64) -> bool {
        let empty = self.zeros(offset, count) == count;
        if empty {
            self.fill(offset, count, first, step);
        }
        empty
    }
    /// How many words from `offset` on are zero, up to `count`.
    fn zeros(&self, offset: usize, count: usize) -> usize {
        (0..count).position(|index| self.load(offset + index * 8) != 0).unwrap_or(count)
    }
    /// Writes the cache lines of `bytes` bytes at `offset` back to memory, and returns when they are there.
    /// Called only where the unit does not snoop the processor's caches (ECAP.C = 0).
    fn flush(&mut self, offset: usize, bytes: usize);
}

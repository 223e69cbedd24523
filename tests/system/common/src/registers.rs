// SPDX-License-Identifier: BSD-2-Clause
//! Device registers and shared memory.

use core::ptr::NonNull;

/// A mapped area that something else may change at any time.
#[derive(Debug, Clone, Copy)]
pub struct Registers(NonNull<u8>);

impl Registers {
    /// The area from `base`.
    ///
    /// # Safety
    /// The area is mapped for as long as the program runs, and every offset that is used lies in it.
    #[must_use]
    pub const unsafe fn new(base: NonNull<u8>) -> Self {
        Self(base)
    }

    /// Reads 32 bits.
    #[must_use]
    pub fn read32(self, offset: usize) -> u32 {
        // SAFETY: `new`'s caller vouches for the area.
        unsafe { self.0.add(offset).cast().read_volatile() }
    }

    /// Writes 32 bits.
    pub fn write32(self, offset: usize, value: u32) {
        // SAFETY: as in `read32`.
        unsafe { self.0.add(offset).cast().write_volatile(value) };
    }

    /// Reads 64 bits.
    #[must_use]
    pub fn read64(self, offset: usize) -> u64 {
        // SAFETY: as in `read32`.
        unsafe { self.0.add(offset).cast().read_volatile() }
    }

    /// Writes 64 bits.
    pub fn write64(self, offset: usize, value: u64) {
        // SAFETY: as in `read32`.
        unsafe { self.0.add(offset).cast().write_volatile(value) };
    }
}

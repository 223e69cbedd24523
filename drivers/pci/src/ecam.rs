// SPDX-License-Identifier: BSD-2-Clause
//! Access to configuration space.

use core::ptr::NonNull;

use crate::Address;

/// 4 KiB of registers for each function, read and written in words of 4 bytes.
pub trait ConfigSpace {
    /// How many buses can be reached, from bus 0 on.
    fn buses(&self) -> u16;

    /// The register at `offset` (bytes; the two low bits are ignored); all ones where nothing answers.
    fn read(&self, function: Address, offset: u16) -> u32;

    /// Writes the register at `offset`.
    fn write(&mut self, function: Address, offset: u16, value: u32);
}

/// Bytes of the window that a bus takes.
const BUS_BYTES: usize = 1 << 20;

/// The memory-mapped window (PCIe 7.2.2).
#[derive(Debug)]
pub struct Ecam {
    base: NonNull<u8>,
    buses: u16,
}

impl Ecam {
    /// The window at `base`, `bytes` long, from bus 0 on.
    ///
    /// # Safety
    /// `base` is where the window is mapped, uncached, for as long as this lives, and nobody else writes there.
    #[must_use]
    pub unsafe fn new(base: NonNull<u8>, bytes: usize) -> Self {
        Self { base, buses: u16::try_from(bytes / BUS_BYTES).unwrap_or(u16::MAX).min(256) }
    }

    /// Where the register is, if the window reaches as far.
    fn register(&self, function: Address, offset: u16) -> Option<NonNull<u32>> {
        let id = function.requester_id();
        let at = usize::from(id) << 12 | usize::from(offset & 0xffc);
        // SAFETY: the bus is below `buses`, so that the offset lies inside the mapped window.
        (id >> 8 < self.buses).then(|| unsafe { self.base.add(at) }.cast())
    }
}

impl ConfigSpace for Ecam {
    fn buses(&self) -> u16 {
        self.buses
    }

    fn read(&self, function: Address, offset: u16) -> u32 {
        // SAFETY: `register` gives mapped, aligned addresses only.
        self.register(function, offset).map_or(u32::MAX, |register| unsafe { register.read_volatile() })
    }

    fn write(&mut self, function: Address, offset: u16, value: u32) {
        if let Some(register) = self.register(function, offset) {
            // SAFETY: as in `read`.
            unsafe { register.write_volatile(value) }
        }
    }
}

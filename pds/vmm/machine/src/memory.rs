// SPDX-License-Identifier: BSD-2-Clause
//! The guest's memory, as the monitor sees it: bytes that the guest changes at will.

use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use virtual_vtd::GuestMemory;

/// Guest-physical memory from 0 on.
#[derive(Clone, Copy, Debug)]
pub struct GuestRam<'m>(&'m [AtomicU8]);

impl<'m> GuestRam<'m> {
    /// The memory that the guest has from address 0 on.
    #[must_use]
    pub const fn new(bytes: &'m [AtomicU8]) -> Self {
        Self(bytes)
    }

    /// Puts `image` at `base` and zeroes everywhere else.
    pub fn load(self, base: usize, image: &[u8]) {
        self.0.iter().for_each(|byte| byte.store(0, Relaxed));
        let room = self.0.get(base..).unwrap_or_default();
        room.iter().zip(image).for_each(|(to, from)| to.store(*from, Relaxed));
    }

    /// Copies what lies at `address` into `to`; gives as much of it as there was.
    pub fn copy(self, address: u64, to: &mut [u8]) -> &[u8] {
        let from = usize::try_from(address).ok().and_then(|start| self.0.get(start..)).unwrap_or_default();
        let len = to.iter_mut().zip(from).map(|(to, from)| *to = from.load(Relaxed)).count();
        &to[..len]
    }
}

impl GuestMemory for GuestRam<'_> {
    fn read(&mut self, address: u64) -> Option<u64> {
        Some(u64::from_le_bytes(self.copy(address, &mut [0; 8]).try_into().ok()?))
    }

    fn write(&mut self, address: u64, value: u32) -> Option<()> {
        let start = usize::try_from(address).ok()?;
        let to = self.0.get(start..start.checked_add(4)?)?;
        to.iter().zip(value.to_le_bytes()).for_each(|(to, from)| to.store(from, Relaxed));
        Some(())
    }
}

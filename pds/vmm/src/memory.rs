// SPDX-License-Identifier: BSD-2-Clause
//! The guest's memory, as the monitor sees it: bytes that the guest changes at will.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use virtual_vtd::GuestMemory;

/// Guest-physical memory from 0 on.
#[derive(Clone, Copy, Debug)]
pub struct GuestRam(&'static [AtomicU8]);

impl GuestRam {
    /// The memory of `bytes` bytes at `start`, which the guest has from address 0 on.
    ///
    /// # Safety
    /// It is mapped, readable and writable, for as long as the domain lives.
    #[must_use]
    pub unsafe fn new(start: NonNull<u8>, bytes: usize) -> Self {
        let memory = NonNull::slice_from_raw_parts(start.cast::<AtomicU8>(), bytes);
        // SAFETY: the caller vouches for the mapping; the guest writes there too: hence the atomics.
        Self(unsafe { memory.as_ref() })
    }

    /// Puts `image` at `base` and zeroes everywhere else.
    pub fn load(self, base: usize, image: &[u8]) {
        self.0.iter().for_each(|byte| byte.store(0, Relaxed));
        let room = self.0.get(base..).unwrap_or_default();
        room.iter().zip(image).for_each(|(to, from)| to.store(*from, Relaxed));
    }

    /// Copies what lies at `address` into `to`; gives how much of it there was.
    pub fn copy(self, address: u64, to: &mut [u8]) -> usize {
        let from = usize::try_from(address).ok().and_then(|start| self.0.get(start..)).unwrap_or_default();
        to.iter_mut().zip(from).map(|(to, from)| *to = from.load(Relaxed)).count()
    }
}

impl GuestMemory for GuestRam {
    fn read(&mut self, address: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        (self.copy(address, &mut bytes) == bytes.len()).then_some(u64::from_le_bytes(bytes))
    }

    fn write(&mut self, address: u64, value: u32) -> Option<()> {
        let start = usize::try_from(address).ok()?;
        let to = self.0.get(start..start.checked_add(4)?)?;
        to.iter().zip(value.to_le_bytes()).for_each(|(to, from)| to.store(from, Relaxed));
        Some(())
    }
}

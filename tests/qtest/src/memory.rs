// SPDX-License-Identifier: BSD-2-Clause
//! Guest memory: a shared file, mapped by QEMU and by the test.
use std::fs::File;
use std::sync::Arc;

use memmap2::MmapRaw;

/// Bytes of guest memory below the PCI hole: guest-physical addresses are offsets into the file.
#[derive(Clone, Debug)]
pub struct GuestMemory {
    map: Arc<MmapRaw>,
}

impl GuestMemory {
    /// Maps all of `file`.
    ///
    /// # Errors
    /// Those of the mapping.
    pub fn map(file: &File) -> std::io::Result<Self> {
        Ok(Self { map: Arc::new(MmapRaw::map_raw(file)?) })
    }

    /// The word at a guest-physical address; a wrong address is a mistake of the test.
    fn word(&self, phys: u64) -> *mut u64 {
        let offset = usize::try_from(phys).expect("an address of the guest");
        assert!(offset.is_multiple_of(8) && offset + 8 <= self.map.len(), "{phys:#x} is not in guest memory");
        self.map.as_mut_ptr().wrapping_add(offset).cast()
    }

    /// Reads a word; `phys` is a multiple of 8.
    #[must_use]
    pub fn load(&self, phys: u64) -> u64 {
        // SAFETY: `word` checked that the address is aligned and mapped; QEMU may write it at any time, so the
        // access is volatile and no reference is made.
        unsafe { self.word(phys).read_volatile() }
    }

    /// Writes a word; `phys` is a multiple of 8.
    pub fn store(&self, phys: u64, value: u64) {
        // SAFETY: as in `load`.
        unsafe { self.word(phys).write_volatile(value) }
    }

    /// Fills `words` words with a value.
    pub fn fill(&self, phys: u64, words: u64, value: u64) {
        for index in 0..words {
            self.store(phys + index * 8, value);
        }
    }
}

/// Part of guest memory, as a unit's table memory.
#[derive(Clone, Debug)]
pub struct Tables {
    memory: GuestMemory,
    base: u64,
    frames: usize,
}

impl GuestMemory {
    /// The `frames` frames at `base` as table memory.
    #[must_use]
    pub fn tables(&self, base: u64, frames: usize) -> Tables {
        Tables { memory: self.clone(), base, frames }
    }
}

impl vtd::TableMemory for Tables {
    fn base(&self) -> u64 {
        self.base
    }
    fn frames(&self) -> usize {
        self.frames
    }
    fn load(&self, offset: usize) -> u64 {
        if offset >= self.frames * 4096 { 0 } else { self.memory.load(self.base + offset as u64) }
    }
    fn store(&mut self, offset: usize, value: u64) {
        if offset < self.frames * 4096 {
            self.memory.store(self.base + offset as u64, value);
        }
    }
    fn flush(&mut self, _: usize, _: usize) {
        // QEMU reads the same pages.
    }
}

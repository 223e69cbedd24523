// SPDX-License-Identifier: BSD-2-Clause
//! Registers and table memory that are mapped into this program: the only unsafe code of the driver.
//!
//! No reference is ever made to what the pointers point at; every access is one volatile operation on a
//! checked offset.
use core::arch::x86_64::{_mm_clflush, _mm_mfence};
use core::ptr::NonNull;

use crate::access::{Registers, TableMemory};
use crate::frames::FRAME;

/// Bytes in a cache line, as `clflush` sees it.
const LINE: usize = 64;

/// A mapped register page.
#[derive(Debug)]
pub struct MappedRegisters {
    base: NonNull<u8>,
    bytes: usize,
}

impl MappedRegisters {
    /// The registers of `bytes` bytes at `base`.
    ///
    /// # Safety
    /// `base` is 8-byte aligned and maps `bytes` bytes of a VT-d unit's registers, uncached, for as long as the
    /// value lives, and nothing else accesses them meanwhile.
    #[must_use]
    pub unsafe fn new(base: NonNull<u8>, bytes: usize) -> Self {
        Self { base, bytes }
    }

    /// A pointer to the register of `T` at `offset`; outside of the mapping or unaligned there is none.
    fn register<T>(&self, offset: u32) -> Option<NonNull<T>> {
        let offset = offset as usize;
        let inside = offset.checked_add(size_of::<T>()).is_some_and(|end| end <= self.bytes);
        if !inside || !offset.is_multiple_of(size_of::<T>()) {
            return None;
        }
        // SAFETY: the offset lies inside of the mapping that `new`'s caller vouched for.
        Some(unsafe { self.base.add(offset) }.cast())
    }

    fn read<T: Default>(&self, offset: u32) -> T {
        match self.register::<T>(offset) {
            // SAFETY: `register` gives only aligned pointers into the mapping, and `T` is u32 or u64.
            Some(register) => unsafe { register.read_volatile() },
            None => T::default(),
        }
    }

    fn write<T>(&mut self, offset: u32, value: T) {
        if let Some(register) = self.register::<T>(offset) {
            // SAFETY: as in `read`; `&mut self` makes this the only access.
            unsafe { register.write_volatile(value) }
        }
    }
}

impl Registers for MappedRegisters {
    fn read32(&mut self, offset: u32) -> u32 {
        self.read(offset)
    }
    fn write32(&mut self, offset: u32, value: u32) {
        self.write(offset, value);
    }
    fn read64(&mut self, offset: u32) -> u64 {
        self.read(offset)
    }
    fn write64(&mut self, offset: u32, value: u64) {
        self.write(offset, value);
    }
}

/// A mapped run of table frames.
#[derive(Debug)]
pub struct MappedFrames {
    base: NonNull<u64>,
    phys: u64,
    /// How many words there are.
    len: usize,
}

impl MappedFrames {
    /// The `frames` frames mapped at `base`, whose first has the physical address `phys`.
    ///
    /// # Safety
    /// `base` is 4 KiB aligned and maps `frames` frames of RAM, physically contiguous from `phys`, readable and
    /// writable, for as long as the value lives; nothing but this value and the unit accesses them meanwhile.
    #[must_use]
    pub unsafe fn new(base: NonNull<u64>, phys: u64, frames: usize) -> Self {
        Self { base, phys, len: frames * (FRAME / 8) }
    }

    /// A pointer to the word at `offset`; outside of the frames or unaligned there is none.
    fn word(&self, offset: usize) -> Option<NonNull<u64>> {
        self.words(offset, 1)
    }

    /// The first of `count` words at `offset`, where all of them lie inside of the frames.
    #[inline(always)]
    fn words(&self, offset: usize, count: usize) -> Option<NonNull<u64>> {
        let first = offset / 8;
        if !offset.is_multiple_of(8) || first > self.len || count > self.len - first {
            return None;
        }
        // SAFETY: the words lie inside of the frames that `new`'s caller vouched for.
        Some(unsafe { self.base.add(first) })
    }
}

impl TableMemory for MappedFrames {
    fn base(&self) -> u64 {
        self.phys
    }
    fn frames(&self) -> usize {
        self.len / (FRAME / 8)
    }
    fn load(&self, offset: usize) -> u64 {
        match self.word(offset) {
            // SAFETY: `word` gives only aligned pointers into the frames.
            Some(word) => unsafe { word.read_volatile() },
            None => 0,
        }
    }
    fn store(&mut self, offset: usize, value: u64) {
        if let Some(word) = self.word(offset) {
            // SAFETY: as in `load`; `&mut self` makes this the only access from software.
            unsafe { word.write_volatile(value) }
        }
    }
    fn fill(&mut self, offset: usize, count: usize, first: u64, step: u64) {
        let Some(words) = self.words(offset, count) else { return };
        let mut value = first;
        for index in 0..count {
            // SAFETY: `words` gives only runs that lie inside of the frames; as in `store` besides.
            unsafe { words.add(index).write_volatile(value) }
            value = value.wrapping_add(step);
        }
    }
    #[inline(always)]
    fn store_empty(&mut self, offset: usize, value: u64) -> bool {
        let Some(word) = self.word(offset) else { return true };
        // SAFETY: as in `load`.
        let empty = unsafe { word.read_volatile() } == 0;
        if empty {
            // SAFETY: as in `store`.
            unsafe { word.write_volatile(value) }
        }
        empty
    }
    fn zeros(&self, offset: usize, count: usize) -> usize {
        let Some(words) = self.words(offset, count) else { return count };
        // SAFETY: as in `fill`, and in `load`.
        (0..count).position(|index| unsafe { words.add(index).read_volatile() } != 0).unwrap_or(count)
    }
    fn flush(&mut self, offset: usize, bytes: usize) {
        let mut line = offset / LINE * LINE;
        while line < offset + bytes {
            if let Some(word) = self.word(line) {
                // SAFETY: the pointer is into mapped memory; a flush changes no value.
                unsafe { _mm_clflush(word.as_ptr().cast()) }
            }
            line += LINE;
        }
        // SAFETY: a fence has no precondition; SSE2 is part of x86-64.
        unsafe { _mm_mfence() }
    }
}

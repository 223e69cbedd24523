// SPDX-License-Identifier: BSD-2-Clause
//! The pool of table frames: who has which frame of the table memory, and how entries are written to it.
//!
//! One bit a frame, kept in the first frames of the memory itself, so that the pool has no size of its own to
//! choose. A run of up to 32 frames (a full PASID directory) is naturally aligned and so never crosses a word
//! of the bitmap.
use crate::access::TableMemory;
use crate::error::Error;
use crate::tables::Entry;

/// Bytes in a frame.
pub(crate) const FRAME: usize = 4096;
/// The largest run has 2^5 frames: the directory of 2^20 PASIDs.
pub(crate) const LARGEST_ORDER: u8 = 5;

/// The table memory, with its bitmap and the way to memory.
#[derive(Debug)]
pub(crate) struct Frames<M> {
    memory: M,
    /// Whether hardware snoops the processor's caches (ECAP.C).
    coherent: bool,
    free: usize,
    /// The word of the bitmap where the last search ended.
    hint: usize,
}

/// Physical address of a frame number, as entries have it.
pub(crate) const fn address(frame: u64) -> u64 {
    frame << 12
}

/// Frame number of a physical address.
pub(crate) const fn frame(address: u64) -> u64 {
    address >> 12
}

impl<M: TableMemory> Frames<M> {
    /// Takes the memory over; every frame but those of the bitmap is free.
    pub(crate) fn new(memory: M, coherent: bool) -> Result<Self, Error> {
        let frames = memory.frames();
        let bitmap_frames = frames.div_ceil(FRAME * 8);
        let bytes = frames.checked_mul(FRAME).ok_or(Error::BadMemory)?;
        let end = memory.base().checked_add(bytes as u64).ok_or(Error::BadMemory)?;
        if !memory.base().is_multiple_of(FRAME as u64) || frames <= bitmap_frames || end > 1 << 52 {
            return Err(Error::BadMemory);
        }
        let mut pool = Self { memory, coherent, free: 0, hint: 0 };
        for word in 0..pool.bitmap_words() {
            let first = word * 64;
            // A set bit is a frame in use: those of the bitmap, and what lies beyond the end.
            let used = (first..first + 64).filter(|&index| index < bitmap_frames || index >= frames);
            let bits = used.fold(0, |bits, index| bits | 1 << (index % 64));
            pool.memory.store(word * 8, bits);
            pool.free += bits.count_zeros() as usize;
        }
        Ok(pool)
    }

    fn bitmap_words(&self) -> usize {
        self.memory.frames().div_ceil(64)
    }

    /// Frames that nobody has.
    pub(crate) fn free_frames(&self) -> usize {
        self.free
    }

    /// Where the table memory is.
    pub(crate) fn place(&self) -> core::ops::Range<u64> {
        let start = self.memory.base();
        start..start + (self.memory.frames() * FRAME) as u64
    }

    /// Takes 2^`order` frames, aligned to their number (relative to the memory's start) and zeroed.
    pub(crate) fn allocate(&mut self, order: u8) -> Result<u64, Error> {
        let run = 1_usize << order.min(LARGEST_ORDER);
        if self.free < run {
            return Err(Error::NoMemory);
        }
        let mask = (1_u64 << run) - 1;
        let words = self.bitmap_words();
        for step in 0..words {
            let word = (self.hint + step) % words;
            let bits = self.memory.load(word * 8);
            let hole = (0..64).step_by(run).find(|shift| bits & mask << shift == 0);
            if let Some(shift) = hole {
                self.memory.store(word * 8, bits | mask << shift);
                self.hint = word;
                self.free -= run;
                let offset = (word * 64 + shift) * FRAME;
                self.clear(offset, run * FRAME);
                return Ok(self.memory.base() + offset as u64);
            }
        }
        Err(Error::NoMemory)
    }

    /// Gives 2^`order` frames back.
    pub(crate) fn release(&mut self, address: u64, order: u8) {
        let run = 1_usize << order.min(LARGEST_ORDER);
        let index = self.offset(address) / FRAME;
        let mask = ((1_u64 << run) - 1) << (index % 64);
        let bits = self.memory.load(index / 64 * 8);
        debug_assert_eq!(bits & mask, mask, "frame {address:#x} was given back twice");
        self.memory.store(index / 64 * 8, bits & !mask);
        self.free += run;
        self.hint = self.hint.min(index / 64);
    }

    fn clear(&mut self, offset: usize, bytes: usize) {
        self.memory.fill(offset, bytes / 8, 0, 0);
        self.flush(offset, bytes);
    }

    /// Offset of a physical address; one outside of the memory stays outside.
    fn offset(&self, address: u64) -> usize {
        let offset = address.wrapping_sub(self.memory.base());
        usize::try_from(offset).unwrap_or(usize::MAX & !7)
    }

    fn flush(&mut self, offset: usize, bytes: usize) {
        if !self.coherent {
            self.memory.flush(offset, bytes);
        }
    }

    /// How many words from `address` on are zero, up to `count`.
    pub(crate) fn zeros(&self, address: u64, count: usize) -> usize {
        self.memory.zeros(self.offset(address), count)
    }

    /// Whether none of `count` words from `address` on is zero.
    pub(crate) fn are_set(&self, address: u64, count: usize) -> bool {
        let offset = self.offset(address);
        (0..count).all(|index| self.memory.load(offset + index * 8) != 0)
    }

    /// Writes `count` words from `address` on, `first` and each `step` more than the one before, and makes them visible to
    /// hardware together.
    pub(crate) fn fill(&mut self, address: u64, count: usize, first: u64, step: u64) {
        let offset = self.offset(address);
        self.memory.fill(offset, count, first, step);
        self.flush(offset, count * 8);
    }

    /// The same where all of the words are zero; else nothing is written, and false returned. Hardware may not see it before
    /// [`Frames::flush_at`].
    pub(crate) fn fill_empty(&mut self, address: u64, count: usize, first: u64, step: u64) -> bool {
        let offset = self.offset(address);
        self.memory.fill_empty(offset, count, first, step)
    }

    /// The same of one word.
    #[inline(always)]
    pub(crate) fn store_empty(&mut self, address: u64, value: u64) -> bool {
        let offset = self.offset(address);
        self.memory.store_empty(offset, value)
    }

    /// Makes bytes visible to hardware.
    pub(crate) fn flush_at(&mut self, address: u64, bytes: u64) {
        let offset = self.offset(address);
        self.flush(offset, usize::try_from(bytes).unwrap_or(0));
    }

    /// Writes a structure that hardware never looks at.
    pub(crate) fn keep<E: Entry<N>, const N: usize>(&mut self, address: u64, entry: E) {
        let offset = self.offset(address);
        for (index, word) in entry.words().into_iter().enumerate() {
            self.memory.store(offset + index * 8, word);
        }
    }

    /// Reads the structure at `address`.
    pub(crate) fn read<E: Entry<N>, const N: usize>(&self, address: u64) -> E {
        let offset = self.offset(address);
        E::from_words(core::array::from_fn(|index| self.memory.load(offset + index * 8)))
    }

    /// Writes the structure at `address`, the word that makes it present last, and makes it visible to hardware.
    pub(crate) fn write<E: Entry<N>, const N: usize>(&mut self, address: u64, entry: E) {
        let offset = self.offset(address);
        for (index, word) in entry.words().into_iter().enumerate().rev() {
            self.memory.store(offset + index * 8, word);
        }
        self.flush(offset, N * 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Plain(Vec<u64>);

    impl TableMemory for Plain {
        fn base(&self) -> u64 {
            0x7000
        }
        fn frames(&self) -> usize {
            self.0.len() / 512
        }
        fn load(&self, offset: usize) -> u64 {
            self.0[offset / 8]
        }
        fn store(&mut self, offset: usize, value: u64) {
            self.0[offset / 8] = value;
        }
        fn flush(&mut self, _: usize, _: usize) {}
    }

    #[test]
    fn every_frame_but_the_bitmap_is_handed_out_once_and_comes_back() {
        let mut pool = Frames::new(Plain(vec![u64::MAX; 100 * 512]), true).unwrap();
        assert_eq!(pool.free_frames(), 99);
        let mut taken = Vec::new();
        while let Ok(frame) = pool.allocate(0) {
            assert_eq!(pool.read::<[u64; 4], 4>(frame), [0; 4]);
            taken.push(frame);
        }
        taken.sort_unstable();
        assert_eq!(taken, (1..100).map(|index| 0x7000 + index * 4096).collect::<Vec<_>>());
        for frame in taken {
            pool.release(frame, 0);
        }
        assert_eq!(pool.free_frames(), 99);
    }

    #[test]
    fn runs_are_aligned_and_never_overlap() {
        let mut pool = Frames::new(Plain(vec![0; 130 * 512]), true).unwrap();
        let single = pool.allocate(0).unwrap();
        let runs: Vec<_> = core::iter::from_fn(|| pool.allocate(5).ok()).collect();
        assert_eq!(runs, [0x7000 + 32 * 4096, 0x7000 + 64 * 4096, 0x7000 + 96 * 4096]);
        assert_eq!(pool.allocate(5), Err(Error::NoMemory));
        assert_eq!((single, pool.free_frames()), (0x7000 + 4096, 30 + 2));
        pool.release(runs[1], 5);
        assert_eq!(pool.allocate(5), Ok(runs[1]));
    }

    impl<const N: usize> Entry<N> for [u64; N] {
        fn words(self) -> [u64; N] {
            self
        }
        fn from_words(words: [u64; N]) -> Self {
            words
        }
    }

    #[test]
    fn memory_that_is_misaligned_or_only_bitmap_is_refused() {
        assert_eq!(Frames::new(Plain(vec![0; 512]), true).map(|_| ()), Err(Error::BadMemory));
        assert_eq!(Frames::new(Plain(Vec::new()), true).map(|_| ()), Err(Error::BadMemory));
    }
}

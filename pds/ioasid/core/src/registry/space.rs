// SPDX-License-Identifier: BSD-2-Clause
//! The id space: the slots, and which of them are free.
//!
//! A free id is a bit in the word of its block; a block with a free id is a bit in a [`BlockMap`]. The lowest free id in
//! a range is so found in at most five words.

use crate::block_map::{self, BlockMap, from_bit};
use crate::capacity::BLOCK;
use crate::{Pasid, PasidRange, SetId, Slot};

#[derive(Debug)]
pub(crate) struct Space<'m> {
    slots: &'m mut [Slot],
    free: &'m mut [u64],
    upper: &'m mut BlockMap,
}

impl<'m> Space<'m> {
    /// A space in which every id from 1 to `max` is free. There are as many words as blocks.
    pub(crate) fn new(
        slots: &'m mut [Slot],
        free: &'m mut [u64],
        upper: &'m mut BlockMap,
        max: Pasid,
    ) -> Self {
        slots.fill(Slot::FREE);
        free.fill(0);
        *upper = [0; _];
        let mut space = Self { slots, free, upper };
        for (block, word) in (0..).zip(space.free.iter_mut()) {
            let first = block << 6;
            if first > max.get() {
                break;
            }
            // Bit n is id `first` + n; what is beyond `max` is not there.
            *word = !0 >> (63 - (max.get() - first).min(63));
            block_map::insert(space.upper, block);
        }
        space.take(Pasid::RESERVED);
        space
    }

    /// The lowest free id in a range.
    #[inline(always)]
    pub(crate) fn lowest_free(&self, range: PasidRange) -> Option<Pasid> {
        let (min, max) = (range.min(), range.max());
        let word = self.free.get(min.block() as usize)? & from_bit(min.get());
        let number = if word != 0 {
            min.block() << 6 | word.trailing_zeros()
        } else {
            let block = block_map::first_from(self.upper, min.block() + 1)?;
            block << 6 | self.free.get(block as usize)?.trailing_zeros()
        };
        if number <= max.get() { Some(Pasid::truncated(number)) } else { None }
    }

    /// Marks an id as not free.
    #[inline(always)]
    pub(crate) fn take(&mut self, pasid: Pasid) {
        if let Some(word) = self.free.get_mut(pasid.block() as usize) {
            *word &= !(1 << pasid.place());
            if *word == 0 {
                block_map::remove(self.upper, pasid.block());
            }
        }
    }

    /// Marks an id as free.
    #[inline(always)]
    pub(crate) fn give_back(&mut self, pasid: Pasid) {
        if let Some(word) = self.free.get_mut(pasid.block() as usize) {
            let before = *word;
            *word |= 1 << pasid.place();
            if before == 0 {
                block_map::insert(self.upper, pasid.block());
            }
        }
    }

    pub(crate) fn is_free(&self, pasid: Pasid) -> bool {
        self.free.get(pasid.block() as usize).is_some_and(|word| word >> pasid.place() & 1 == 1)
    }

    #[inline(always)]
    pub(crate) fn slot(&self, pasid: Pasid) -> Option<&Slot> {
        self.slots.get(pasid.get() as usize)
    }

    #[inline(always)]
    pub(crate) fn slot_mut(&mut self, pasid: Pasid) -> Option<&mut Slot> {
        self.slots.get_mut(pasid.get() as usize)
    }

    /// The slot that counts a set's ids in the block of an id.
    #[inline(always)]
    pub(crate) fn counter_mut(&mut self, pasid: Pasid, set: SetId) -> Option<&mut Slot> {
        self.slots.get_mut(pasid.get() as usize & !(BLOCK - 1) | set.index())
    }

    /// The slots of a block.
    pub(crate) fn block(&self, block: u32) -> Option<&[Slot]> {
        let first = (block as usize) << 6;
        self.slots.get(first..first + BLOCK)
    }

    /// Every id and its slot, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Pasid, &Slot)> {
        (0..).map(Pasid::truncated).zip(self.slots.iter())
    }

    /// Whether the two levels of free ids agree.
    pub(crate) fn is_consistent(&self) -> bool {
        block_map::is_consistent(self.upper)
            && (0..)
                .zip(self.free.iter())
                .all(|(block, &word)| block_map::contains(self.upper, block) == (word != 0))
    }
}

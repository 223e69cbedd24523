// SPDX-License-Identifier: BSD-2-Clause
//! A set of ids: one bit for each PASID but 0, and above them the [`BlockMap`] of the words that are not zero. The lowest id
//! in a range is found in at most eight words.
//!
//! All zero is the empty set. The arrays are as large as there are PASIDs, so no access is out of bounds.

use crate::Pasid;
use crate::block_map::{BlockMap, bit, word};
use crate::capacity::BLOCKS;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The block that there is none of.
#[expect(clippy::cast_possible_truncation, reason = "there are 2^14")]
const BEYOND: u32 = BLOCKS as u32;

/// The bits and what is found by them.
#[derive(Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct IdMap {
    words: [u64; BLOCKS],
    blocks: BlockMap,
    /// The first id of a block, or of the one beyond the last. No id below it is in.
    low: u32,
    unused: u32,
}

impl IdMap {
    /// Takes everything out.
    pub(crate) fn clear(&mut self) {
        self.words.fill(0);
        self.blocks = BlockMap::EMPTY;
        self.low = 0;
    }

    /// The lowest id from `min` to `max`; `min` may be any number. What is found is not below the one, and is compared with the other: nothing
    /// is found where there is nothing between them.
    #[inline(always)]
    pub(crate) fn lowest(&mut self, min: u32, max: Pasid) -> Option<Pasid> {
        let from = min.max(self.low);
        let rest = self.words.get(from as usize >> 6)? >> (from & 63);
        let number = if rest != 0 { from + rest.trailing_zeros() } else { self.beyond(from)? };
        max.at_most(number)
    }

    /// The lowest id in a later block, where the block of `from` has none from there on.
    #[inline(always)]
    fn beyond(&mut self, from: u32) -> Option<u32> {
        let Some(block) = self.blocks.first_after(from >> 6) else {
            if from == self.low {
                self.low = BEYOND << 6;
            }
            return None;
        };
        if from == self.low {
            self.low = block << 6;
        }
        Some(block << 6 | self.words[block as usize % BLOCKS].trailing_zeros())
    }

    /// Takes the lowest ids from `min` to `max` out, out of one block alone and so many at the most, but one at least: which
    /// block, and a bit for each id.
    #[inline(always)]
    pub(crate) fn take_some(&mut self, min: u32, max: Pasid, most: u32) -> Option<(u32, u64)> {
        let first = self.lowest(min, max)?;
        let word = &mut self.words[word::<BLOCKS>(first.get())];
        let mut taken = *word & !0 << first.place();
        if max.block() == first.block() {
            taken &= !0 >> (63 - max.place());
        }
        if taken.count_ones() > most {
            let rest = (0..most.max(1)).fold(taken, |rest, _| rest & (rest - 1));
            taken &= !rest;
        }
        *word &= !taken;
        if *word == 0 {
            self.blocks.remove(first.block());
        }
        Some((first.block(), taken))
    }

    /// Takes an id out.
    #[inline(always)]
    pub(crate) fn remove(&mut self, pasid: Pasid) {
        let word = &mut self.words[word::<BLOCKS>(pasid.get())];
        *word &= !bit(pasid.get());
        if *word == 0 {
            self.blocks.remove(pasid.block());
        }
    }

    /// Puts an id in.
    #[inline(always)]
    pub(crate) fn insert(&mut self, pasid: Pasid) {
        let word = &mut self.words[word::<BLOCKS>(pasid.get())];
        if *word == 0 {
            self.blocks.insert(pasid.block());
            if pasid.get() < self.low {
                self.low = pasid.get() & !63;
            }
        }
        *word |= bit(pasid.get());
    }

    /// Whether an id is in.
    pub(crate) fn contains(&self, pasid: Pasid) -> bool {
        self.words[word::<BLOCKS>(pasid.get())] & bit(pasid.get()) != 0
    }

    /// Whether the levels agree, and nothing is below what is said to be the lowest.
    pub(crate) fn is_consistent(&self) -> bool {
        let leaf =
            |words: &[u64]| (0..).zip(words).fold(0, |leaf, (n, &word)| leaf | u64::from(word != 0) << n);
        self.low.is_multiple_of(64)
            && self.blocks.is_consistent()
            && self.words.chunks(64).map(leaf).eq(self.blocks.leaves())
            && self.blocks.first().is_none_or(|block| block >= self.low >> 6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn take_lowest(map: &mut IdMap, min: u32, max: Pasid) -> Option<Pasid> {
        map.lowest(min, max).inspect(|&pasid| map.remove(pasid))
    }

    fn empty() -> Box<IdMap> {
        Box::new(IdMap { words: [0; BLOCKS], blocks: BlockMap::EMPTY, low: 0, unused: 0 })
    }

    proptest! {
        #[test]
        fn agrees_with_an_ordered_set(
            spread in prop::sample::select(vec![100, 5_000, 300_000, 0x10_0000]),
            steps in prop::collection::vec((0..4, 0..0x10_0000u32, 0..0x10_0000u32), 1..300),
        ) {
            let mut map = empty();
            let mut model = BTreeSet::new();
            for (what, one, other) in steps {
                let (one, other) = ((one % spread).max(1), (other % spread).max(1));
                let pasid = Pasid::truncated(one);
                match what {
                    0 => { map.insert(pasid); model.insert(one); }
                    1 => { map.remove(pasid); model.remove(&one); }
                    2 => {
                        let (min, max) = (one.min(other), one.max(other));
                        let most = 1 + other % 70;
                        let some = map.take_some(min, Pasid::truncated(max), most);
                        let block = model.range(min..=max).next().map(|lowest| lowest >> 6);
                        let lowest = |block| model.range(min..=max).take_while(move |&one| one >> 6 == block);
                        let bits = block.map(|block| {
                            let taken = lowest(block).take(most as usize);
                            (block, taken.fold(0, |bits, one| bits | bit(*one)))
                        });
                        prop_assert_eq!(some, bits);
                        let (block, bits) = bits.unwrap_or((0, 0));
                        model.retain(|&one| one >> 6 != block || bits & bit(one) == 0);
                    }
                    _ => {
                        let lowest = model.range(one..).next().copied().filter(|&lowest| lowest <= other);
                        let taken = take_lowest(&mut map, one, Pasid::truncated(other));
                        prop_assert_eq!(taken.map(Pasid::get), lowest);
                        lowest.map(|lowest| model.remove(&lowest));
                    }
                }
                prop_assert_eq!(map.contains(pasid), model.contains(&one));
                prop_assert!(map.is_consistent());
            }
        }
    }

    #[test]
    fn a_search_is_remembered_where_it_began_with_the_lowest() {
        let mut map = empty();
        map.insert(Pasid::truncated(5000));
        map.low = 64;
        assert_eq!((take_lowest(&mut map, 200, Pasid::MAX).map(Pasid::get), map.low), (Some(5000), 64));
        map.insert(Pasid::truncated(5000));
        assert_eq!((take_lowest(&mut map, 1, Pasid::MAX).map(Pasid::get), map.low), (Some(5000), 4992));
        map.insert(Pasid::truncated(4000));
        assert_eq!(map.low, 3968);
        assert_eq!(take_lowest(&mut map, 1, Pasid::MAX).map(Pasid::get), Some(4000));
        // Where there is none, it begins past the last block.
        assert_eq!((take_lowest(&mut map, 4096, Pasid::MAX), map.low), (None, 3968));
        assert_eq!((take_lowest(&mut map, 1, Pasid::MAX), map.low), (None, 0x10_0000));
        map.insert(Pasid::MAX);
        assert_eq!((map.low, map.is_consistent()), (0xf_ffc0, true));
    }

    #[test]
    fn a_search_begins_with_a_block_that_no_id_is_below() {
        let mut map = empty();
        map.insert(Pasid::truncated(130));
        for (low, good) in [(0, true), (1, false), (64, true), (65, false), (128, true), (192, false)] {
            map.low = low;
            assert_eq!(map.is_consistent(), good, "{low}");
        }
    }

    #[test]
    fn the_lowest_is_found_across_every_distance() {
        for distance in [1, 2, 63, 64, 65, 4095, 4096, 4097, 262_143, 262_144, 0xf_ffff] {
            let mut map = empty();
            let pasid = Pasid::truncated(distance);
            map.insert(pasid);
            assert_eq!(take_lowest(&mut map, 0, Pasid::MAX), Some(pasid));
            assert_eq!(take_lowest(&mut map, 0, Pasid::MAX), None);
        }
    }

    #[test]
    fn nothing_is_found_from_a_number_that_is_no_pasid() {
        let mut map = empty();
        map.insert(Pasid::truncated(5));
        map.insert(Pasid::truncated(5000));
        for min in [0x10_0000, 0x10_0005, 0x10_1000, 0x7fff_ffff, u32::MAX] {
            assert_eq!(take_lowest(&mut map, min, Pasid::MAX), None, "{min}");
        }
    }
}

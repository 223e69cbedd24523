// SPDX-License-Identifier: BSD-2-Clause
//! A set of blocks: one bit for each of the 16,384 blocks of 64 ids, and above them one bit for each word that is
//! not zero. Insert, remove and "the next one" touch a few words, however full it is.
//!
//! All zero is the empty set. Block numbers are taken modulo their count, so no access is out of bounds.

use crate::capacity::BLOCKS;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

const LEAVES: usize = BLOCKS / 64;
const SUMMARY: usize = LEAVES / 64;

/// The bits and what is found by them.
#[derive(Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct BlockMap {
    leaves: [u64; LEAVES],
    summary: [u64; SUMMARY],
}

/// Bit `n` (modulo 64) of a word.
#[inline(always)]
pub(crate) const fn bit(n: u32) -> u64 {
    1 << (n & 63)
}

/// The bits of a word above bit `n` (modulo 64), the lowest of them first.
#[inline(always)]
const fn above(word: u64, n: u32) -> u64 {
    word >> (n & 63) >> 1
}

/// The word of bit `n` in `COUNT` words.
#[inline(always)]
pub(crate) const fn word<const COUNT: usize>(n: u32) -> usize {
    (n >> 6) as usize % COUNT
}

impl BlockMap {
    pub(crate) const EMPTY: Self = Self { leaves: [0; LEAVES], summary: [0; SUMMARY] };

    /// Puts a block in.
    #[inline(always)]
    pub(crate) fn insert(&mut self, block: u32) {
        let leaf = &mut self.leaves[word::<LEAVES>(block)];
        if *leaf == 0 {
            self.summary[word::<SUMMARY>(block >> 6)] |= bit(block >> 6);
        }
        *leaf |= bit(block);
    }

    /// Takes a block out.
    #[inline(always)]
    pub(crate) fn remove(&mut self, block: u32) {
        let leaf = &mut self.leaves[word::<LEAVES>(block)];
        *leaf &= !bit(block);
        if *leaf == 0 {
            self.summary[word::<SUMMARY>(block >> 6)] &= !bit(block >> 6);
        }
    }

    /// Whether a block is in.
    pub(crate) fn contains(&self, block: u32) -> bool {
        self.leaves[word::<LEAVES>(block)] & bit(block) != 0
    }

    /// The lowest block that is in.
    pub(crate) fn first(&self) -> Option<u32> {
        if self.contains(0) { Some(0) } else { self.first_after(0) }
    }

    /// The lowest block that is in, from `start` on.
    pub(crate) fn first_from(&self, start: u32) -> Option<u32> {
        match start.checked_sub(1) {
            Some(before) => self.first_after(before),
            None => self.first(),
        }
    }

    /// The lowest block that is in, after one.
    #[inline(always)]
    pub(crate) fn first_after(&self, block: u32) -> Option<u32> {
        let rest = above(self.leaves[word::<LEAVES>(block)], block);
        if rest != 0 {
            return Some(block + 1 + rest.trailing_zeros());
        }
        let leaf = self.leaf_after(block >> 6)?;
        Some(leaf << 6 | self.leaves[leaf as usize % LEAVES].trailing_zeros())
    }

    /// The first leaf that is not zero, after one.
    #[inline(always)]
    fn leaf_after(&self, leaf: u32) -> Option<u32> {
        let rest = above(self.summary[word::<SUMMARY>(leaf)], leaf);
        if rest != 0 {
            return Some(leaf + 1 + rest.trailing_zeros());
        }
        // Bounded: there are four words.
        for group in (leaf >> 6) + 1.. {
            let rest = *self.summary.get(group as usize)?;
            if rest != 0 {
                return Some(group << 6 | rest.trailing_zeros());
            }
        }
        None
    }

    /// The bits, 64 blocks to a word.
    pub(crate) fn leaves(&self) -> impl Iterator<Item = u64> {
        self.leaves.iter().copied()
    }

    /// Whether the summary says what the bits say.
    pub(crate) fn is_consistent(&self) -> bool {
        (0..)
            .zip(&self.leaves)
            .all(|(n, &leaf)| (self.summary[word::<SUMMARY>(n)] & bit(n) != 0) == (leaf != 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const LAST: u32 = 16_383;

    proptest! {
        #[test]
        fn agrees_with_an_ordered_set(
            steps in prop::collection::vec((any::<bool>(), 0..=LAST, 0..=LAST + 1), 1..300),
        ) {
            let mut map = BlockMap::EMPTY;
            let mut model = BTreeSet::new();
            for (put, block, start) in steps {
                if put { map.insert(block) } else { map.remove(block) }
                if put { model.insert(block); } else { model.remove(&block); }
                prop_assert_eq!(map.contains(block), put);
                prop_assert_eq!(map.first_from(start), model.range(start..).next().copied());
                prop_assert!(map.is_consistent());
            }
        }
    }

    #[test]
    fn a_map_has_as_many_bytes_as_is_said() {
        assert_eq!(size_of::<BlockMap>(), 2080);
    }

    #[test]
    fn the_first_is_found_across_every_distance() {
        for distance in [0, 1, 63, 64, 65, 4095, 4096, 4097, LAST] {
            let mut map = BlockMap::EMPTY;
            map.insert(distance);
            assert_eq!(map.first_from(0), Some(distance));
            assert_eq!(map.first_from(distance), Some(distance));
            assert_eq!(map.first_from(distance + 1), None);
        }
    }
}

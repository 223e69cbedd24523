// SPDX-License-Identifier: BSD-2-Clause
//! A set of blocks: one bit for each of the 16,384 blocks of 64 ids, and above them one bit for each word that is
//! not zero. Insert, remove and "the first from here on" touch a few words, however full it is.
//!
//! Zeroed words are the empty set. Block numbers are taken modulo their count, so no access is out of bounds.

use crate::capacity::{BLOCKS, WORDS_PER_SET};

/// The bits, and behind them their summary.
pub(crate) type BlockMap = [u64; WORDS_PER_SET];

const LEAVES: usize = BLOCKS / 64;

/// The word and the bit in it of bit `n`.
#[inline]
const fn place(n: u32) -> (usize, u64) {
    ((n >> 6) as usize, 1 << (n & 63))
}

/// The bits of a word from bit `n` (modulo 64) on.
#[inline]
pub(crate) const fn from_bit(n: u32) -> u64 {
    !0 << (n & 63)
}

const fn leaf(block: u32) -> (usize, u64) {
    let (word, bit) = place(block);
    (word % LEAVES, bit)
}

const fn summary(block: u32) -> (usize, u64) {
    let (word, bit) = place(block >> 6);
    (LEAVES + word % (WORDS_PER_SET - LEAVES), bit)
}

/// Puts a block in.
#[inline]
pub(crate) fn insert(map: &mut BlockMap, block: u32) {
    let (word, bit) = leaf(block);
    map[word] |= bit;
    let (word, bit) = summary(block);
    map[word] |= bit;
}

/// Takes a block out.
#[inline]
pub(crate) fn remove(map: &mut BlockMap, block: u32) {
    let (word, bit) = leaf(block);
    map[word] &= !bit;
    if map[word] == 0 {
        let (word, bit) = summary(block);
        map[word] &= !bit;
    }
}

/// Whether a block is in.
pub(crate) fn contains(map: &BlockMap, block: u32) -> bool {
    let (word, bit) = leaf(block);
    map[word] & bit != 0
}

/// The lowest block that is in, from `start` on.
#[inline]
pub(crate) fn first_from(map: &BlockMap, start: u32) -> Option<u32> {
    if start as usize >= BLOCKS {
        return None;
    }
    let rest = map[leaf(start).0] & from_bit(start);
    if rest != 0 {
        return Some((start & !63) | rest.trailing_zeros());
    }
    let word = first_word_from(map, (start >> 6) + 1)?;
    Some(word << 6 | map[word as usize % LEAVES].trailing_zeros())
}

/// The lowest word that is not zero, from `start` on.
#[inline]
fn first_word_from(map: &BlockMap, start: u32) -> Option<u32> {
    let mut mask = from_bit(start);
    for (group, &word) in (0..).zip(&map[LEAVES..]).skip((start >> 6) as usize) {
        if word & mask != 0 {
            return Some(group << 6 | (word & mask).trailing_zeros());
        }
        mask = !0;
    }
    None
}

/// Whether the summary says what the bits say.
pub(crate) fn is_consistent(map: &BlockMap) -> bool {
    (0..).zip(&map[..LEAVES]).all(|(word, &bits)| {
        let (index, bit) = place(word);
        (map[LEAVES + index] & bit != 0) == (bits != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const LAST: u32 = 16_383;

    proptest! {
        #[test]
        fn agrees_with_an_ordered_set(steps in prop::collection::vec((any::<bool>(), 0..=LAST, 0..=LAST + 1), 1..300)) {
            let mut map = [0; WORDS_PER_SET];
            let mut model = BTreeSet::new();
            for (put, block, start) in steps {
                if put { insert(&mut map, block) } else { remove(&mut map, block) }
                if put { model.insert(block); } else { model.remove(&block); }
                prop_assert_eq!(contains(&map, block), put);
                prop_assert_eq!(first_from(&map, start), model.range(start..).next().copied());
                prop_assert!(is_consistent(&map));
            }
        }
    }

    #[test]
    fn the_first_is_found_across_every_distance() {
        for distance in [0, 1, 63, 64, 65, 4095, 4096, 4097, LAST] {
            let mut map = [0; WORDS_PER_SET];
            insert(&mut map, distance);
            assert_eq!(first_from(&map, 0), Some(distance));
            assert_eq!(first_from(&map, distance), Some(distance));
            assert_eq!(first_from(&map, distance + 1), None);
        }
    }
}

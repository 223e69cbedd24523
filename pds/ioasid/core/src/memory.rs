// SPDX-License-Identifier: BSD-2-Clause
//! The memory that a registry works in: first an index of fixed size, then the slots, as many as fit.

use crate::block_map::BlockMap;
use crate::capacity::{BLOCK, IDS, SETS, SPIDS_PER_SET};
use crate::id_map::IdMap;
use crate::slot::{Block, Slot};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Memory for a registry. What it holds before does not matter.
#[derive(Debug)]
pub struct Memory<'m> {
    /// At least [`Memory::words_for`] as many ids. More words are more ids.
    pub words: &'m mut [u64],
}

/// What is free, and where each set's ids are.
#[derive(Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Index {
    pub(crate) free: IdMap,
    pub(crate) sets: [SetIndex; SETS],
}

/// Where a set's ids are.
#[derive(Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct SetIndex {
    /// Which blocks have ids of the set's.
    pub(crate) blocks: BlockMap,
    /// What it calls them: entries of the SPID table.
    pub(crate) spids: [u64; SPIDS_PER_SET],
}

impl SetIndex {
    pub(crate) const EMPTY: Self = Self { blocks: BlockMap::EMPTY, spids: [0; SPIDS_PER_SET] };
}

impl<'m> Memory<'m> {
    /// How many words a registry needs for this many numbers, PASID 0 among them.
    #[must_use]
    pub const fn words_for(numbers: usize) -> usize {
        let slots = numbers.next_multiple_of(BLOCK);
        (size_of::<Index>() + slots * size_of::<Slot>()) / size_of::<u64>()
    }

    /// How many numbers, PASID 0 among them, a registry has in this many bytes; 0 where there is no room for any.
    #[must_use]
    pub const fn slots_in(bytes: usize) -> usize {
        let slots = bytes.saturating_sub(size_of::<Index>()) / size_of::<Slot>();
        if slots < IDS { slots - slots % BLOCK } else { IDS }
    }

    /// The index and the blocks; `None` where there is no room for a block.
    pub(crate) fn split(self) -> Option<(&'m mut Index, &'m mut [Block])> {
        let bytes = self.words.as_mut_bytes();
        let count = Self::slots_in(bytes.len()) / BLOCK;
        let (index, rest) = Index::mut_from_prefix(bytes).ok()?;
        let (blocks, _) = <[Block]>::mut_from_prefix_with_elems(rest, count).ok()?;
        (count > 0).then_some((index, blocks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Error, Registry};

    #[test]
    fn what_is_said_to_fit_fits_and_no_more() {
        for words in [0, 1, 0x200, 0x4000, 0x8000, 0x8100, 0x10_0000, 0x40_0000] {
            let mut memory = vec![0; words];
            let numbers = Memory::slots_in(words * 8);
            let slots = Memory { words: &mut memory }.split().map_or(0, |(_, blocks)| blocks.len() * BLOCK);
            assert_eq!(slots, numbers);
            assert!(numbers == 0 || Memory::words_for(numbers) <= words);
            assert!(numbers == IDS || Memory::words_for(numbers + 1) > words);
        }
    }

    #[test]
    fn memory_without_room_for_a_block_is_refused() {
        for (words, room) in [(0, false), (Memory::words_for(1) - 1, false), (Memory::words_for(1), true)] {
            let mut memory = vec![0; words];
            let memory = Memory { words: &mut memory };
            assert_eq!(Registry::new(memory, Config::default()).err(), (!room).then_some(Error::BadMemory));
        }
    }

    #[test]
    fn what_memory_holds_before_does_not_matter_and_its_size_bounds_the_ids() {
        let mut words = vec![!0; Memory::words_for(128)];
        let registry = Registry::new(Memory { words: &mut words }, Config::default()).unwrap();
        assert_eq!((registry.check(), registry.max_pasid().get()), (Ok(()), 127));
        assert_eq!(registry.totals().capacity, 127);
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! The id space: the slots, and which of them are free.

use crate::Pasid;
use crate::capacity::BLOCK;
use crate::id_map::IdMap;
use crate::slot::{Block, Slot};

#[derive(Debug)]
pub(crate) struct Space<'m> {
    pub(crate) blocks: &'m mut [Block],
    pub(crate) free: &'m mut IdMap,
}

impl<'m> Space<'m> {
    /// A space in which every id from 1 to `max` is free. There are more slots than `max`.
    pub(crate) fn new(blocks: &'m mut [Block], free: &'m mut IdMap, max: Pasid) -> Self {
        blocks.fill([Slot::FREE; BLOCK]);
        free.clear();
        (1..=max.get()).map(Pasid::truncated).for_each(|pasid| free.insert(pasid));
        Self { blocks, free }
    }

    #[inline(always)]
    pub(crate) fn slot(&self, pasid: Pasid) -> Option<&Slot> {
        self.blocks.as_flattened().get(pasid.index())
    }

    #[inline(always)]
    pub(crate) fn slot_mut(&mut self, pasid: Pasid) -> Option<&mut Slot> {
        self.blocks.as_flattened_mut().get_mut(pasid.index())
    }

    /// The slots of a block.
    pub(crate) fn block(&self, block: u32) -> Option<&Block> {
        self.blocks.get(block as usize)
    }

    /// The slots of an id's block: its own, at [`Pasid::place`], and those that count the ids that sets have there.
    #[inline(always)]
    pub(crate) fn block_mut(&mut self, pasid: Pasid) -> Option<&mut Block> {
        self.blocks.get_mut(pasid.block() as usize)
    }

    /// Every id and its slot, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Pasid, &Slot)> {
        (0..).map(Pasid::truncated).zip(self.blocks.as_flattened().iter())
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! The id space: the slots, and which of them are free.

use crate::Pasid;
use crate::capacity::BLOCK;
use crate::id_map::IdMap;
use crate::slot::Slot;

#[derive(Debug)]
pub(crate) struct Space<'m> {
    pub(crate) slots: &'m mut [Slot],
    pub(crate) free: &'m mut IdMap,
}

impl<'m> Space<'m> {
    /// A space in which every id from 1 to `max` is free. There are more slots than `max`.
    pub(crate) fn new(slots: &'m mut [Slot], free: &'m mut IdMap, max: Pasid) -> Self {
        slots.fill(Slot::FREE);
        free.clear();
        (1..=max.get()).map(Pasid::truncated).for_each(|pasid| free.insert(pasid));
        Self { slots, free }
    }

    #[inline(always)]
    pub(crate) fn slot(&self, pasid: Pasid) -> Option<&Slot> {
        self.slots.get(pasid.index())
    }

    #[inline(always)]
    pub(crate) fn slot_mut(&mut self, pasid: Pasid) -> Option<&mut Slot> {
        self.slots.get_mut(pasid.index())
    }

    /// The slots of a block.
    pub(crate) fn block(&self, block: u32) -> Option<&[Slot]> {
        let first = (block as usize) * BLOCK;
        self.slots.get(first..first + BLOCK)
    }

    /// Every id and its slot, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Pasid, &Slot)> {
        (0..).map(Pasid::truncated).zip(self.slots.iter())
    }
}

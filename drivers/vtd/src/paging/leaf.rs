// SPDX-License-Identifier: BSD-2-Clause
//! A lowest table that is at hand: what is mapped next to what was mapped before it needs no walk.
use super::entry::Slot;
use super::{Mapping, PageTable, Range, span};
use crate::access::TableMemory;
use crate::error::Error;
use crate::frames::Frames;

/// A lowest table, within one call. The count in the entry that leads to it is out of date until
/// [`PageTable::settle`].
#[derive(Debug)]
pub(crate) struct Leaf {
    /// What the table covers.
    covers: Range,
    table: u64,
    /// The entry that leads to it.
    entry: u64,
    used: u16,
}

impl Leaf {
    /// Whether a range lies in the table, and is no large page.
    pub(crate) fn has(&self, range: Range) -> bool {
        self.covers.start <= range.start && range.end <= self.covers.end && range.bytes() < span(2)
    }
}

impl PageTable {
    /// The lowest table that a mapping went into, if that is one.
    pub(crate) fn leaf<M: TableMemory>(&self, frames: &Frames<M>, mapping: &Mapping) -> Option<Leaf> {
        let (mut table, mut level) = (self.root, self.levels);
        loop {
            let entry = table + mapping.iova / span(level) % 512 * 8;
            let Slot::Table(next, used) = self.slot(frames, entry, level) else { return None };
            if level == 2 {
                let start = mapping.iova & !(span(2) - 1);
                let covers = Range { start, end: start + span(2) };
                let leaf = Leaf { covers, table: next, entry, used };
                return leaf.has(mapping.range()).then_some(leaf);
            }
            (table, level) = (next, level - 1);
        }
    }

    /// Maps what lies in the table.
    pub(crate) fn map_near<M: TableMemory>(
        &self,
        frames: &mut Frames<M>,
        leaf: &mut Leaf,
        mapping: &Mapping,
    ) -> Result<(), Error> {
        let (first, count) = mapping.range().pages();
        let at = leaf.table + first * 8;
        if frames.zeros(at, count) < count {
            return Err(Error::AlreadyMapped);
        }
        frames.fill(at, count, self.word(1, Slot::Page(mapping.phys, mapping.access)), span(1));
        leaf.used += u16::try_from(count).unwrap_or(0);
        Ok(())
    }

    /// Brings the count up to date.
    pub(crate) fn settle<M: TableMemory>(&self, frames: &mut Frames<M>, leaf: &Leaf) {
        self.set(frames, leaf.entry, 2, Slot::Table(leaf.table, leaf.used));
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! A lowest table of the second stage that is at hand: what is mapped in it needs no walk, and what is true of all of it is
//! looked at once.
use super::entry::{Slot, page};
use super::{Mapping, PageTable, Range, span};
use crate::access::TableMemory;
use crate::domain::Stage;
use crate::error::Error;
use crate::frames::Frames;

/// Entries in a cache line.
const LINE: u64 = 8;

/// A lowest table, within one call. Until [`PageTable::settle`] hardware may not see what was written, and the count in
/// the entry that leads to the table is out of date.
#[derive(Debug)]
pub(crate) struct Leaf {
    /// What the table covers, as far as it can be mapped at all.
    addresses: Range,
    /// Memory that can be mapped: all there is around what was mapped first.
    memory: Range,
    table: u64,
    /// The entry that leads to it.
    entry: u64,
    used: u16,
    /// Its cache lines that were written and not flushed, a bit each.
    written: u64,
}

impl Leaf {
    /// Whether a mapping lies in the table, is nothing that would have to be refused elsewhere, and no large page.
    #[inline(always)]
    pub(crate) fn has(&self, &Mapping { iova, phys, bytes, .. }: &Mapping) -> bool {
        (iova | phys | bytes) % span(1) == 0
            && bytes < span(2)
            && self.addresses.has(iova, bytes)
            && self.memory.has(phys, bytes)
    }

    /// Maps what the table [has](Self::has).
    #[inline(always)]
    pub(crate) fn map<M: TableMemory>(
        &mut self,
        frames: &mut Frames<M>,
        mapping: &Mapping,
    ) -> Result<(), Error> {
        let (first, count) = mapping.range().pages();
        let (at, word) = (self.table + first * 8, page(mapping.phys, mapping.access));
        let (empty, lines) = if count == 1 {
            (frames.store_empty(at, word), 1 << (first / LINE))
        } else {
            let last = first + count as u64 - 1;
            (frames.fill_empty(at, count, word, span(1)), !0 << (first / LINE) & !0 >> (63 - last / LINE))
        };
        if !empty {
            return Err(Error::AlreadyMapped);
        }
        self.used += u16::try_from(count).unwrap_or(0);
        self.written |= lines;
        Ok(())
    }
}

impl PageTable {
    /// The lowest table that an address is looked up in, if there is one; `addresses` and `memory` can be mapped.
    pub(crate) fn leaf<M: TableMemory>(
        &self,
        frames: &Frames<M>,
        iova: u64,
        addresses: Range,
        memory: Range,
    ) -> Option<Leaf> {
        if self.stage != Stage::Second {
            return None;
        }
        let (mut table, mut level) = (self.root, self.levels);
        loop {
            let entry = table + iova / span(level) % 512 * 8;
            let Slot::Table(next, used) = self.slot(frames, entry, level) else { return None };
            if level == 2 {
                let start = iova & !(span(2) - 1);
                let addresses = addresses.and(Range { start, end: start + span(2) });
                return Some(Leaf { addresses, memory, table: next, entry, used, written: 0 });
            }
            (table, level) = (next, level - 1);
        }
    }

    /// Lets hardware see what was written, each cache line once, and brings the count up to date.
    pub(crate) fn settle<M: TableMemory>(&self, frames: &mut Frames<M>, leaf: &mut Leaf) {
        let mut written = core::mem::take(&mut leaf.written);
        while written != 0 {
            let first = written.trailing_zeros();
            let lines = (written >> first).trailing_ones();
            let bytes = u64::from(lines) * LINE * 8;
            frames.flush_at(leaf.table + u64::from(first) * LINE * 8, bytes);
            written &= !(!0 >> (64 - lines) << first);
        }
        self.set(frames, leaf.entry, 2, Slot::Table(leaf.table, leaf.used));
    }
}

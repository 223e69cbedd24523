// SPDX-License-Identifier: BSD-2-Clause
//! Merging: a table all of whose entries are pages in a row, with the same rights, becomes one larger page.
use super::entry::Slot;
use super::{Change, PageTable, Range, span};
use crate::access::TableMemory;
use crate::frames::Frames;

impl PageTable {
    /// Merges what can be merged within a range. What an address leads to does not change.
    pub(crate) fn merge<M: TableMemory>(&self, change: &mut Change<'_, M>, range: Range) {
        self.merge_in(change, self.root, self.levels, range);
    }

    fn merge_in<M: TableMemory>(&self, change: &mut Change<'_, M>, table: u64, level: u8, range: Range) {
        for (index, part) in range.entries(level) {
            let entry = table + index * 8;
            let Slot::Table(next, used) = self.slot(change.frames, entry, level) else { continue };
            if level > 2 {
                // From below: pages that were just merged may make up a still larger one.
                self.merge_in(change, next, level - 1, part);
            }
            if used < 512 || part.bytes() != span(level) || level > self.largest.level() {
                continue;
            }
            if let Some(page) = self.uniform(change.frames, next, level) {
                self.set(change.frames, entry, level, page);
                change.drop(next, level - 1);
            }
        }
    }

    /// The page that a table, which an entry of `level` leads to, amounts to.
    fn uniform<M: TableMemory>(&self, frames: &Frames<M>, table: u64, level: u8) -> Option<Slot> {
        let first = self.slot(frames, table, level - 1);
        let Slot::Page(phys, access) = first else { return None };
        let expected = |index: u64| Slot::Page(phys + index * span(level - 1), access);
        let alike = (1..512).all(|index| self.slot(frames, table + index * 8, level - 1) == expected(index));
        (phys.is_multiple_of(span(level)) && alike).then_some(first)
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! The walk: map, unmap, look up, destroy.
use super::entry::Slot;
use super::{Access, Detached, Mapping, PageSize, Range, span};
use crate::access::TableMemory;
use crate::domain::Stage;
use crate::error::Error;
use crate::frames::Frames;

/// The table of one domain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageTable {
    /// Physical address of the root table.
    pub(crate) root: u64,
    /// Depth, 3 or 4.
    pub(crate) levels: u8,
    /// First or second.
    pub(crate) stage: Stage,
    /// The largest page that the unit has in this stage.
    pub(crate) largest: PageSize,
}

impl PageTable {
    /// Whether such a mapping can be expressed.
    pub(crate) fn takes(&self, access: Access) -> bool {
        self.stage != Stage::First || access != Access::Write
    }

    /// Maps all of `mapping` or nothing. When it fails half-way, `detached` gets the tables that it had made:
    /// hardware may have seen them.
    pub(crate) fn map<M: TableMemory>(
        &self,
        frames: &mut Frames<M>,
        mapping: &Mapping,
        detached: &mut Detached,
    ) -> Result<(), Error> {
        let range = Range { start: mapping.iova, end: mapping.iova + mapping.bytes };
        if self.any(frames, self.root, self.levels, range) {
            return Err(Error::AlreadyMapped);
        }
        let made = self.map_in(frames, self.root, self.levels, range, mapping);
        if made.is_err() {
            self.clear_in(frames, self.root, self.levels, range, detached);
        }
        made
    }

    /// Whether any part of the range is mapped.
    fn any<M: TableMemory>(&self, frames: &Frames<M>, table: u64, level: u8, range: Range) -> bool {
        range.entries(level).any(|(index, part)| match self.slot(frames, table + index * 8, level) {
            Slot::Empty => false,
            Slot::Page(..) => true,
            Slot::Table(next) => self.any(frames, next, level - 1, part),
        })
    }

    /// Whether every part of the range is mapped.
    fn all<M: TableMemory>(&self, frames: &Frames<M>, table: u64, level: u8, range: Range) -> bool {
        range.entries(level).all(|(index, part)| match self.slot(frames, table + index * 8, level) {
            Slot::Empty => false,
            Slot::Page(..) => true,
            Slot::Table(next) => self.all(frames, next, level - 1, part),
        })
    }

    fn map_in<M: TableMemory>(
        &self,
        frames: &mut Frames<M>,
        table: u64,
        level: u8,
        range: Range,
        mapping: &Mapping,
    ) -> Result<(), Error> {
        for (index, part) in range.entries(level) {
            let entry = table + index * 8;
            let phys = mapping.phys + (part.start - mapping.iova);
            let whole = part.bytes() == span(level) && phys.is_multiple_of(span(level));
            if level == 1 || whole && level <= mapping.largest.min(self.largest).level() {
                self.set(frames, entry, level, Slot::Page(phys, mapping.access));
                continue;
            }
            let next = match self.slot(frames, entry, level) {
                Slot::Table(next) => next,
                _ => {
                    let next = frames.allocate(0)?;
                    self.set(frames, entry, level, Slot::Table(next));
                    next
                }
            };
            self.map_in(frames, next, level - 1, part, mapping)?;
        }
        Ok(())
    }

    /// Unmaps a range all of which is mapped. Pages that it covers in part are split first. `detached` gets the
    /// tables that became empty.
    pub(crate) fn unmap<M: TableMemory>(
        &self,
        frames: &mut Frames<M>,
        range: Range,
        detached: &mut Detached,
    ) -> Result<(), Error> {
        if !self.all(frames, self.root, self.levels, range) {
            return Err(Error::NotMapped);
        }
        // Only the pages at the two ends can be covered in part.
        self.split_at(frames, range.start)?;
        self.split_at(frames, range.end)?;
        self.clear_in(frames, self.root, self.levels, range, detached);
        Ok(())
    }

    /// Makes `iova` a border between pages: a page that has it in its middle becomes a table of smaller ones
    /// that translate alike.
    fn split_at<M: TableMemory>(&self, frames: &mut Frames<M>, iova: u64) -> Result<(), Error> {
        let (mut table, mut level) = (self.root, self.levels);
        while level > 1 && !iova.is_multiple_of(span(level)) {
            let entry = table + iova / span(level) % 512 * 8;
            table = match self.slot(frames, entry, level) {
                Slot::Empty => return Ok(()),
                Slot::Table(next) => next,
                Slot::Page(phys, access) => {
                    let next = frames.allocate(0)?;
                    for index in 0..512 {
                        let page = Slot::Page(phys + index * span(level - 1), access);
                        self.set(frames, next + index * 8, level - 1, page);
                    }
                    self.set(frames, entry, level, Slot::Table(next));
                    next
                }
            };
            level -= 1;
        }
        Ok(())
    }

    /// Clears whatever the range holds; no page reaches over its ends. Returns whether the table is empty now.
    fn clear_in<M: TableMemory>(
        &self,
        frames: &mut Frames<M>,
        table: u64,
        level: u8,
        range: Range,
        detached: &mut Detached,
    ) -> bool {
        for (index, part) in range.entries(level) {
            let entry = table + index * 8;
            match self.slot(frames, entry, level) {
                Slot::Empty => {}
                Slot::Page(..) => self.set(frames, entry, level, Slot::Empty),
                Slot::Table(next) => {
                    if self.clear_in(frames, next, level - 1, part, detached) {
                        self.set(frames, entry, level, Slot::Empty);
                        detached.add(frames, next);
                    }
                }
            }
        }
        (0..512).all(|index| self.slot(frames, table + index * 8, level) == Slot::Empty)
    }

    /// Gives back every frame of the table. No cache knows any of them.
    pub(crate) fn destroy<M: TableMemory>(&self, frames: &mut Frames<M>) {
        self.destroy_in(frames, self.root, self.levels);
    }

    fn destroy_in<M: TableMemory>(&self, frames: &mut Frames<M>, table: u64, level: u8) {
        for index in 0..512 {
            if let Slot::Table(next) = self.slot(frames, table + index * 8, level) {
                self.destroy_in(frames, next, level - 1);
            }
        }
        frames.release(table, 0);
    }

    /// Where `iova` leads.
    pub(crate) fn translate<M: TableMemory>(&self, frames: &Frames<M>, iova: u64) -> Option<(u64, Access)> {
        let (mut table, mut level) = (self.root, self.levels);
        loop {
            match self.slot(frames, table + iova / span(level) % 512 * 8, level) {
                Slot::Empty => return None,
                Slot::Page(page, access) => return Some((page + iova % span(level), access)),
                // The lowest level has pages only, so the walk ends.
                Slot::Table(next) => (table, level) = (next, level - 1),
            }
        }
    }
}

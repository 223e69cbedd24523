// SPDX-License-Identifier: BSD-2-Clause
//! The walk: map, unmap, look up.
use super::entry::Slot;
use super::{Access, Chain, Mapping, PageSize, Range, Stock, span};
use crate::access::TableMemory;
use crate::domain::Stage;
use crate::error::Error;
use crate::frames::Frames;

/// A change of a table, with what it takes and what it leaves over.
pub(crate) struct Change<'a, M> {
    pub(crate) frames: &'a mut Frames<M>,
    /// Where tables come from.
    pub(crate) stock: &'a mut Stock,
    /// How many tables the domain has.
    pub(crate) tables: u32,
    /// The tables that became empty. Hardware may still know them.
    pub(crate) left: Chain,
}

impl<M: TableMemory> Change<'_, M> {
    fn make(&mut self) -> Result<u64, Error> {
        let table = self.stock.take(self.frames)?;
        self.tables += 1;
        Ok(table)
    }

    /// Takes a table of `level` out, or one that is all zero: of level 0.
    pub(super) fn drop(&mut self, table: u64, level: u8) {
        self.left.push(self.frames, table, level);
        self.tables -= 1;
    }
}

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

    /// How many tables a mapping needs that are not there.
    ///
    /// # Errors
    /// [`Error::AlreadyMapped`] where any part of it is.
    pub(crate) fn missing<M: TableMemory>(
        &self,
        frames: &Frames<M>,
        mapping: &Mapping,
    ) -> Result<usize, Error> {
        self.missing_in(frames, Some(self.root), self.levels, mapping.range(), mapping)
    }

    /// The same below a table of `level`, or where one would be.
    fn missing_in<M: TableMemory>(
        &self,
        frames: &Frames<M>,
        table: Option<u64>,
        level: u8,
        range: Range,
        mapping: &Mapping,
    ) -> Result<usize, Error> {
        if level == 1 {
            let (first, count) = range.pages();
            let free = table.is_none_or(|table| frames.zeros(table + first * 8, count) == count);
            return if free { Ok(0) } else { Err(Error::AlreadyMapped) };
        }
        let mut missing = 0;
        for (index, part) in range.entries(level) {
            let slot = table.map_or(Slot::Empty, |table| self.slot(frames, table + index * 8, level));
            missing += match slot {
                Slot::Page(..) => return Err(Error::AlreadyMapped),
                Slot::Table(next, _) => self.missing_in(frames, Some(next), level - 1, part, mapping)?,
                Slot::Empty if self.is_page(level, part, mapping) => 0,
                Slot::Empty => 1 + self.missing_in(frames, None, level - 1, part, mapping)?,
            };
        }
        Ok(missing)
    }

    /// Whether an entry of `level` can be a page that has exactly this part of a mapping.
    fn is_page(&self, level: u8, part: Range, mapping: &Mapping) -> bool {
        part.bytes() == span(level)
            && mapping.phys_of(part).is_multiple_of(span(level))
            && level <= mapping.largest.min(self.largest).level()
    }

    /// Maps what is not mapped yet; there are as many frames as are [missing](Self::missing).
    pub(crate) fn map<M: TableMemory>(
        &self,
        change: &mut Change<'_, M>,
        mapping: &Mapping,
    ) -> Result<(), Error> {
        self.map_in(change, self.root, self.levels, mapping.range(), mapping).map(drop)
    }

    /// Gives how many entries of the table are in use that were not.
    fn map_in<M: TableMemory>(
        &self,
        change: &mut Change<'_, M>,
        table: u64,
        level: u8,
        range: Range,
        mapping: &Mapping,
    ) -> Result<u16, Error> {
        if level == 1 {
            let (first, count) = range.pages();
            let phys = mapping.phys_of(range);
            let word = self.word(1, Slot::Page(phys, mapping.access));
            // The next page's word differs by a page.
            change.frames.fill(table + first * 8, count, word, span(1));
            return Ok(u16::try_from(count).unwrap_or(0));
        }
        let mut more = 0;
        for (index, part) in range.entries(level) {
            let entry = table + index * 8;
            let slot = match self.slot(change.frames, entry, level) {
                Slot::Table(next, used) => match self.map_in(change, next, level - 1, part, mapping)? {
                    0 => continue,
                    more => Slot::Table(next, used + more),
                },
                _ => {
                    more += 1;
                    if self.is_page(level, part, mapping) {
                        Slot::Page(mapping.phys_of(part), mapping.access)
                    } else {
                        // Hardware finds a table when it is complete.
                        let next = change.make()?;
                        Slot::Table(next, self.map_in(change, next, level - 1, part, mapping)?)
                    }
                }
            };
            self.set(change.frames, entry, level, slot);
        }
        Ok(more)
    }

    /// Unmaps a range all of which is mapped. Pages that it covers in part are split first.
    pub(crate) fn unmap<M: TableMemory>(
        &self,
        change: &mut Change<'_, M>,
        range: Range,
    ) -> Result<(), Error> {
        if !self.all(change.frames, self.root, self.levels, range) {
            return Err(Error::NotMapped);
        }
        // Only the pages at the two ends can be covered in part.
        self.split_at(change, range.start)?;
        self.split_at(change, range.end)?;
        self.clear_in(change, self.root, self.levels, range);
        Ok(())
    }

    /// Whether every part of the range is mapped.
    fn all<M: TableMemory>(&self, frames: &Frames<M>, table: u64, level: u8, range: Range) -> bool {
        if level == 1 {
            let (first, count) = range.pages();
            return frames.are_set(table + first * 8, count);
        }
        range.entries(level).all(|(index, part)| match self.slot(frames, table + index * 8, level) {
            Slot::Empty => false,
            Slot::Page(..) => true,
            Slot::Table(_, 512) if level == 2 => true,
            Slot::Table(next, _) => self.all(frames, next, level - 1, part),
        })
    }

    /// Makes `iova` a border between pages: a page that has it in its middle becomes a table of smaller ones
    /// that translate alike.
    fn split_at<M: TableMemory>(&self, change: &mut Change<'_, M>, iova: u64) -> Result<(), Error> {
        let (mut table, mut level) = (self.root, self.levels);
        while level > 1 && !iova.is_multiple_of(span(level)) {
            let entry = table + iova / span(level) % 512 * 8;
            table = match self.slot(change.frames, entry, level) {
                Slot::Empty => return Ok(()),
                Slot::Table(next, _) => next,
                Slot::Page(phys, access) => {
                    let next = change.make()?;
                    let word = self.word(level - 1, Slot::Page(phys, access));
                    change.frames.fill(next, 512, word, span(level - 1));
                    self.set(change.frames, entry, level, Slot::Table(next, 512));
                    next
                }
            };
            level -= 1;
        }
        Ok(())
    }

    /// Clears a range, all of which is mapped; no page reaches over its ends. Gives how many entries of the table are
    /// in use no longer.
    fn clear_in<M: TableMemory>(
        &self,
        change: &mut Change<'_, M>,
        table: u64,
        level: u8,
        range: Range,
    ) -> u16 {
        if level == 1 {
            let (first, count) = range.pages();
            change.frames.fill(table + first * 8, count, 0, 0);
            return u16::try_from(count).unwrap_or(0);
        }
        let mut gone = 0;
        for (index, part) in range.entries(level) {
            let entry = table + index * 8;
            if let Slot::Table(next, used) = self.slot(change.frames, entry, level) {
                let less = self.clear_in(change, next, level - 1, part);
                if less < used {
                    if less > 0 {
                        self.set(change.frames, entry, level, Slot::Table(next, used - less));
                    }
                    continue;
                }
                change.drop(next, 0);
            }
            self.set(change.frames, entry, level, Slot::Empty);
            gone += 1;
        }
        gone
    }

    /// Where `iova` leads.
    pub(crate) fn translate<M: TableMemory>(&self, frames: &Frames<M>, iova: u64) -> Option<(u64, Access)> {
        let (mut table, mut level) = (self.root, self.levels);
        loop {
            match self.slot(frames, table + iova / span(level) % 512 * 8, level) {
                Slot::Empty => return None,
                Slot::Page(page, access) => return Some((page + iova % span(level), access)),
                // The lowest level has pages only, so the walk ends.
                Slot::Table(next, _) => (table, level) = (next, level - 1),
            }
        }
    }
}

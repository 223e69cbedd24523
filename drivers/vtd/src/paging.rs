// SPDX-License-Identifier: BSD-2-Clause
//! Page tables of a domain: map, unmap, look up, and give the frames back.
//!
//! Both stages have the same shape (512 entries a table, 9 bits a level) and differ in their entries only, so
//! one walk serves both. A change is made of single 64-bit stores, each of which leaves a table that hardware
//! may walk. Frames that unmapping sets free are chained through their own first word and go back to the pool
//! only when the caller says that no cache knows them any more.
use crate::access::TableMemory;
use crate::domain::Stage;
use crate::error::Error;
use crate::frames::{Frames, address, frame};
use crate::tables::{Entry, FirstStageEntry, SecondStageEntry};

/// What a mapping allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads.
    Read,
    /// Writes (second stage only: the processor's format has no write without read).
    Write,
    /// Both.
    ReadWrite,
}

impl Access {
    fn reads(self) -> bool {
        self != Self::Write
    }
    fn writes(self) -> bool {
        self != Self::Read
    }
    fn of(read: bool, write: bool) -> Option<Self> {
        match (read, write) {
            (true, true) => Some(Self::ReadWrite),
            (true, false) => Some(Self::Read),
            (false, true) => Some(Self::Write),
            (false, false) => None,
        }
    }
}

/// The size of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum PageSize {
    /// 4 KiB.
    #[default]
    Small,
    /// 2 MiB.
    Large,
    /// 1 GiB.
    Huge,
}

impl PageSize {
    /// The level of the table whose entries are such pages; 1 is the lowest.
    fn level(self) -> u8 {
        match self {
            Self::Small => 1,
            Self::Large => 2,
            Self::Huge => 3,
        }
    }
}

/// What to map where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Where the device sees it: a multiple of 4 KiB.
    pub iova: u64,
    /// Where it is: a physical address, a multiple of 4 KiB.
    pub phys: u64,
    /// How much: a multiple of 4 KiB, not 0.
    pub bytes: u64,
    /// What the device may do.
    pub access: Access,
    /// The largest page to use where addresses, length and the unit allow it.
    pub largest: PageSize,
}

/// Bytes of an entry at `level`.
const fn span(level: u8) -> u64 {
    1 << (12 + 9 * (level - 1))
}

/// What an entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Empty,
    Table(u64),
    Page(u64, Access),
}

impl Entry<1> for SecondStageEntry {
    fn words(self) -> [u64; 1] {
        [self.into_bits()]
    }
    fn from_words([word]: [u64; 1]) -> Self {
        Self::from_bits(word)
    }
}

impl Entry<1> for FirstStageEntry {
    fn words(self) -> [u64; 1] {
        [self.into_bits()]
    }
    fn from_words([word]: [u64; 1]) -> Self {
        Self::from_bits(word)
    }
}

/// Frames that no table points at any more, but that caches may: a chain through their first words. Such a
/// word is a multiple of 4 KiB, which is not present in either format, should hardware still walk it.
#[derive(Debug, Default)]
pub(crate) struct Detached(u64);

impl Detached {
    fn add<M: TableMemory>(&mut self, frames: &mut Frames<M>, table: u64) {
        frames.write(table, SecondStageEntry::new().with_frame(frame(self.0)));
        self.0 = table;
    }

    /// Takes over what `other` holds.
    pub(crate) fn append<M: TableMemory>(&mut self, frames: &mut Frames<M>, mut other: Self) {
        while let Some(table) = other.take(frames) {
            self.add(frames, table);
        }
    }

    fn take<M: TableMemory>(&mut self, frames: &Frames<M>) -> Option<u64> {
        let table = self.0;
        if table == 0 {
            return None;
        }
        self.0 = address(frames.read::<SecondStageEntry, 1>(table).frame());
        Some(table)
    }

    /// Gives every frame back to the pool: no cache knows them any more.
    pub(crate) fn release<M: TableMemory>(&mut self, frames: &mut Frames<M>) {
        while let Some(table) = self.take(frames) {
            frames.release(table, 0);
        }
    }

    /// Whether there is nothing to give back.
    pub(crate) fn is_empty(&self) -> bool {
        self.0 == 0
    }
}

/// A part of an address space: `start` up to, not including, `end`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Range {
    /// The parts of the range that each entry of a table of `level` has, with that entry's index.
    fn entries(self, level: u8) -> impl Iterator<Item = (u64, Self)> {
        let mut start = self.start;
        core::iter::from_fn(move || {
            if start >= self.end {
                return None;
            }
            let index = start / span(level) % 512;
            let part = Self { start, end: self.end.min((start / span(level) + 1) * span(level)) };
            start = part.end;
            Some((index, part))
        })
    }

    fn bytes(self) -> u64 {
        self.end - self.start
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
    fn slot<M: TableMemory>(&self, frames: &Frames<M>, entry: u64, level: u8) -> Slot {
        let (present, page, target, access) = if self.stage == Stage::First {
            let entry: FirstStageEntry = frames.read(entry);
            let access = if entry.write() { Access::ReadWrite } else { Access::Read };
            (entry.present(), entry.page(), entry.frame(), Some(access))
        } else {
            let entry: SecondStageEntry = frames.read(entry);
            let access = Access::of(entry.read(), entry.write());
            (access.is_some(), entry.page(), entry.frame(), access)
        };
        match access {
            Some(access) if present && (page || level == 1) => Slot::Page(address(target), access),
            Some(_) if present => Slot::Table(address(target)),
            _ => Slot::Empty,
        }
    }

    fn set<M: TableMemory>(&self, frames: &mut Frames<M>, entry: u64, level: u8, slot: Slot) {
        let (target, access, page) = match slot {
            Slot::Empty => return frames.write(entry, SecondStageEntry::new()),
            Slot::Table(table) => (frame(table), Access::ReadWrite, false),
            Slot::Page(page, access) => (frame(page), access, level > 1),
        };
        if self.stage == Stage::First {
            // Requests of devices are user requests; accessed and dirty are set, so that hardware never writes.
            let entry_value = FirstStageEntry::new().with_present(true).with_user(true).with_accessed(true);
            let entry_value =
                entry_value.with_write(access.writes()).with_dirty(!matches!(slot, Slot::Table(_)));
            frames.write(entry, entry_value.with_page(page).with_frame(target));
        } else {
            let entry_value = SecondStageEntry::new().with_read(access.reads()).with_write(access.writes());
            frames.write(entry, entry_value.with_page(page).with_frame(target));
        }
    }

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

// SPDX-License-Identifier: BSD-2-Clause
//! Page tables of a domain: map, unmap, merge, look up, and give the frames back.
//!
//! Both stages have the same shape (512 entries a table, 9 bits a level) and differ in their entries only, so
//! one walk serves both. A change is made of single 64-bit stores, each of which leaves a table that hardware
//! may walk. No table but the root is ever left empty: an entry that leads to one counts, in bits that hardware ignores, how
//! many of its entries are in use.
mod entry;
mod leaf;
mod merge;
mod stock;
mod table;

pub(crate) use leaf::Leaf;
pub(crate) use stock::{Chain, Stock};
pub(crate) use table::{Change, PageTable};

/// What a mapping allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Access {
    /// Reads.
    Read = 1,
    /// Writes (second stage only: the processor's format has no write without read).
    Write = 2,
    /// Both.
    ReadWrite = 3,
}

impl Access {
    fn reads(self) -> bool {
        self as u8 & 1 != 0
    }
    fn writes(self) -> bool {
        self as u8 & 2 != 0
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

impl Mapping {
    pub(crate) fn range(&self) -> Range {
        Range { start: self.iova, end: self.iova + self.bytes }
    }

    /// Where a part of it is in physical memory.
    fn phys_of(&self, part: Range) -> u64 {
        self.phys + (part.start - self.iova)
    }
}

/// Bytes of an entry at `level`.
const fn span(level: u8) -> u64 {
    1 << (12 + 9 * (level - 1))
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

    /// What is in both; where nothing is, an empty range.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { start: self.start.max(other.start), end: self.end.min(other.end) }
    }

    /// The part around `at` that has none of `hole`; where `at` is in the hole, nothing.
    pub(crate) fn around(self, at: u64, hole: &core::ops::Range<u64>) -> Self {
        let below = at < hole.start;
        self.and(Self {
            start: if below { 0 } else { hole.end },
            end: if below { hole.start } else { u64::MAX },
        })
    }

    /// Whether so many bytes, not none, lie in it.
    #[inline(always)]
    pub(crate) fn has(self, start: u64, bytes: u64) -> bool {
        start >= self.start && start < self.end && bytes != 0 && bytes <= self.end - start
    }

    fn bytes(self) -> u64 {
        self.end - self.start
    }

    /// The entries of a lowest table that the range has: the first one's index, and how many.
    fn pages(self) -> (u64, usize) {
        (self.start / span(1) % 512, usize::try_from(self.bytes() / span(1)).unwrap_or(0))
    }
}

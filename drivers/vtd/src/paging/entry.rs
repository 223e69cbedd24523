// SPDX-License-Identifier: BSD-2-Clause
//! The entries of a page table, of either stage, as the walk sees them.
use super::{Access, PageTable};
use crate::access::TableMemory;
use crate::domain::Stage;
use crate::frames::{Frames, address, frame};
use crate::tables::{Entry, FirstStageEntry, SecondStageEntry};

/// What an entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Empty,
    /// A table, and how many of its entries are in use: never none.
    Table(u64, u16),
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

/// The word of a page of 4 KiB, in the second stage.
#[inline(always)]
pub(super) fn page(phys: u64, access: Access) -> u64 {
    let entry = SecondStageEntry::new().with_read(access.reads()).with_write(access.writes());
    entry.with_frame(frame(phys)).into_bits()
}

impl PageTable {
    /// What the entry at physical address `entry`, of a table of `level`, says.
    #[inline(always)]
    pub(super) fn slot<M: TableMemory>(&self, frames: &Frames<M>, entry: u64, level: u8) -> Slot {
        let (present, page, target, access, used) = if self.stage == Stage::First {
            let entry: FirstStageEntry = frames.read(entry);
            let access = if entry.write() { Access::ReadWrite } else { Access::Read };
            (entry.present(), entry.page(), entry.frame(), Some(access), entry.used())
        } else {
            let entry: SecondStageEntry = frames.read(entry);
            let access = Access::of(entry.read(), entry.write());
            (access.is_some(), entry.page(), entry.frame(), access, entry.used())
        };
        match access {
            Some(access) if present && (page || level == 1) => Slot::Page(address(target), access),
            Some(_) if present => Slot::Table(address(target), used),
            _ => Slot::Empty,
        }
    }

    /// Lets the entry at `entry` say `slot`.
    #[inline(always)]
    pub(super) fn set<M: TableMemory>(&self, frames: &mut Frames<M>, entry: u64, level: u8, slot: Slot) {
        frames.fill(entry, 1, self.word(level, slot), 0);
    }

    /// The word that says `slot`, in a table of `level`.
    #[inline(always)]
    pub(super) fn word(&self, level: u8, slot: Slot) -> u64 {
        let (target, access, page, used) = match slot {
            Slot::Empty => return 0,
            Slot::Table(table, used) => (frame(table), Access::ReadWrite, false, used),
            Slot::Page(page, access) => (frame(page), access, level > 1, 0),
        };
        if self.stage == Stage::First {
            // Requests of devices are user requests; accessed and dirty are set, so that hardware never writes.
            let entry = FirstStageEntry::new().with_present(true).with_user(true).with_accessed(true);
            let entry = entry.with_write(access.writes()).with_dirty(!matches!(slot, Slot::Table(..)));
            entry.with_page(page).with_frame(target).with_used(used).into_bits()
        } else {
            let entry = SecondStageEntry::new().with_read(access.reads()).with_write(access.writes());
            entry.with_page(page).with_frame(target).with_used(used).into_bits()
        }
    }
}

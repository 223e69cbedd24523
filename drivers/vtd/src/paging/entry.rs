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

impl PageTable {
    /// What the entry at physical address `entry`, of a table of `level`, says.
    pub(super) fn slot<M: TableMemory>(&self, frames: &Frames<M>, entry: u64, level: u8) -> Slot {
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

    /// Lets the entry at `entry` say `slot`.
    pub(super) fn set<M: TableMemory>(&self, frames: &mut Frames<M>, entry: u64, level: u8, slot: Slot) {
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
}

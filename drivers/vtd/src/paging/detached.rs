// SPDX-License-Identifier: BSD-2-Clause
//! Tables that were taken out of use, until hardware has forgotten them.
use crate::access::TableMemory;
use crate::frames::{Frames, address, frame};
use crate::tables::SecondStageEntry;

/// Frames that no table points at any more, but that caches may: a chain through their first words. Such a
/// word is a multiple of 4 KiB, which is not present in either format, should hardware still walk it.
#[derive(Debug, Default)]
pub(crate) struct Detached(u64);

impl Detached {
    /// Takes a table that no other points at.
    pub(crate) fn add<M: TableMemory>(&mut self, frames: &mut Frames<M>, table: u64) {
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

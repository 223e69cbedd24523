// SPDX-License-Identifier: BSD-2-Clause
//! Frames for tables: who owns them, and how they come back.
//!
//! A frame that is set aside for an owner is either clean, all zero but for its first word, or an old table. Tables become
//! clean as they are used: an entry that is unmapped is zeroed, and a table goes when its last one is. Only what a whole
//! domain leaves behind, and what is merged, is put by as it was, and cleaned when the frame is wanted. So nothing that
//! gives frames back walks tables, and taking one frame cleans one table at the most.
use crate::access::TableMemory;
use crate::error::Error;
use crate::frames::{FRAME, Frames, address, frame};
use crate::tables::SecondStageEntry;

/// Entries of a table.
const ENTRIES: u64 = FRAME as u64 / 8;

/// Frames that no table points at any more, chained through their first words. Such a word is present in neither
/// format, should hardware still walk the frame; it has the next frame, and the level of the table that this one was: 0
/// where it is clean.
#[derive(Debug, Default)]
pub(crate) struct Chain(u64);

impl Chain {
    /// Puts a frame in front. Its first word is lost.
    pub(crate) fn push<M: TableMemory>(&mut self, frames: &mut Frames<M>, table: u64, level: u8) {
        frames.keep(table, SecondStageEntry::new().with_frame(frame(self.0)).with_used(level.into()));
        self.0 = table;
    }

    /// Takes the first frame out, and says which level it had.
    fn pop<M: TableMemory>(&mut self, frames: &Frames<M>) -> Option<(u64, u8)> {
        let table = self.0;
        if table == 0 {
            return None;
        }
        let link: SecondStageEntry = frames.read(table);
        self.0 = address(link.frame());
        Some((table, u8::try_from(link.used()).unwrap_or(0)))
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.0 == 0
    }
}

/// What one owner has.
#[derive(Debug, Default)]
pub(crate) struct Stock {
    clean: Chain,
    old: Chain,
    /// What hardware may still know: its invalidation was never confirmed.
    unconfirmed: Chain,
    /// Frames that can be taken.
    free: usize,
    /// Whether frames are the pool's: taken from it and given back to it, one by one, at the price of cleaning them at
    /// once.
    pooled: bool,
}

impl Stock {
    /// The pool itself.
    pub(crate) fn pool() -> Self {
        Self { pooled: true, ..Self::default() }
    }

    /// So many frames, taken out of the pool: all of them or none.
    pub(crate) fn of<M: TableMemory>(frames: &mut Frames<M>, count: usize) -> Result<Self, Error> {
        let mut stock = Self::default();
        if frames.free_frames() < count {
            return Err(Error::NoMemory);
        }
        for _ in 0..count {
            let table = frames.allocate(0)?;
            stock.clean.push(frames, table, 0);
            stock.free += 1;
        }
        Ok(stock)
    }

    /// Frames that can be taken from here alone.
    pub(crate) fn free(&self) -> usize {
        self.free
    }

    /// Frames that can be taken.
    pub(crate) fn available<M: TableMemory>(&self, frames: &Frames<M>) -> usize {
        if self.pooled { frames.free_frames() } else { self.free }
    }

    /// Takes a frame, all zero.
    pub(crate) fn take<M: TableMemory>(&mut self, frames: &mut Frames<M>) -> Result<u64, Error> {
        if self.pooled {
            return frames.allocate(0);
        }
        let table = if let Some((table, _)) = self.clean.pop(frames) {
            frames.write(table, SecondStageEntry::new());
            table
        } else {
            let (table, level) = self.old.pop(frames).ok_or(Error::NoMemory)?;
            self.clean_up(frames, table, level);
            table
        };
        self.free -= 1;
        Ok(table)
    }

    /// Gives back what a change left over, once no cache knows it any more.
    pub(crate) fn release<M: TableMemory>(&mut self, frames: &mut Frames<M>, mut left: Chain) {
        while let Some((table, level)) = left.pop(frames) {
            if level != 0 {
                self.discard(frames, table, level, 1);
            } else if self.pooled {
                frames.release(table, 0);
            } else {
                self.clean.push(frames, table, 0);
                self.free += 1;
            }
        }
    }

    /// Keeps what a change left over until [`Stock::confirm`]: hardware may still know it.
    pub(crate) fn keep<M: TableMemory>(&mut self, frames: &mut Frames<M>, mut left: Chain) {
        while let Some((table, level)) = left.pop(frames) {
            self.unconfirmed.push(frames, table, level);
        }
    }

    /// Gives back what was kept: hardware has forgotten all.
    pub(crate) fn confirm<M: TableMemory>(&mut self, frames: &mut Frames<M>) {
        let left = core::mem::take(&mut self.unconfirmed);
        self.release(frames, left);
    }

    /// Gives back a table of `level` and all that are below, `tables` in all. No cache knows any of them.
    pub(crate) fn discard<M: TableMemory>(
        &mut self,
        frames: &mut Frames<M>,
        table: u64,
        level: u8,
        tables: u32,
    ) {
        self.put_by(frames, table, level);
        if !self.pooled {
            self.free += tables as usize;
            return;
        }
        while let Some((table, level)) = self.old.pop(frames) {
            self.clean_up(frames, table, level);
            frames.release(table, 0);
        }
    }

    /// Puts an old table by, and before its first word is lost the one that it leads to.
    fn put_by<M: TableMemory>(&mut self, frames: &mut Frames<M>, table: u64, level: u8) {
        let first = below(frames, table, level);
        self.old.push(frames, table, level);
        let (mut next, mut level) = (first, level);
        // As deep as a table, at the most.
        while let Some(table) = next {
            level -= 1;
            next = below(frames, table, level);
            self.old.push(frames, table, level);
        }
    }

    /// Puts by the tables that an old one leads to, and clears it.
    fn clean_up<M: TableMemory>(&mut self, frames: &mut Frames<M>, table: u64, level: u8) {
        if level > 1 {
            for index in 1..ENTRIES {
                if let Some(next) = below(frames, table + index * 8, level) {
                    self.put_by(frames, next, level - 1);
                }
            }
        }
        frames.fill(table, core::iter::repeat_n(0, FRAME / 8));
    }
}

/// The table that an entry of a table of `level` leads to, in either format: it allows reads, and is no page.
fn below<M: TableMemory>(frames: &Frames<M>, entry: u64, level: u8) -> Option<u64> {
    let entry: SecondStageEntry = frames.read(entry);
    (level > 1 && entry.read() && !entry.page()).then(|| address(entry.frame()))
}

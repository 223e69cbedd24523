// SPDX-License-Identifier: BSD-2-Clause
//! Frames for tables: who owns them, and how they come back.
//!
//! A frame that is set aside for an owner is either clean, all zero but for its first word, or an old table. Tables become
//! clean as they are used: an entry that is unmapped is zeroed, and a table goes when its last one is. Only what a whole
//! domain leaves behind, and what is merged, is put by as it was, and cleaned when the frame is wanted. So nothing that
//! gives frames back walks tables, and taking one frame cleans one table at the most.
use bitfield_struct::bitfield;

use crate::access::TableMemory;
use crate::error::Error;
use crate::frames::{FRAME, Frames, address, frame};
use crate::tables::{Entry, SecondStageEntry};

/// Entries of a table.
const ENTRIES: usize = FRAME / 8;
/// Beyond so many pages a table is cleared at once.
const MANY: u16 = 64;

/// The first word of a frame in a chain. It is present in neither format, should hardware still walk the frame.
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
struct Link {
    #[bits(2)]
    __: u8,
    /// The level of the table that the frame was; 0 where it is clean.
    #[bits(3)]
    level: u8,
    #[bits(7)]
    __: u8,
    /// The next frame's number.
    #[bits(40)]
    next: u64,
    /// How many words are in use besides this one, at the most.
    #[bits(10)]
    used: u16,
    #[bits(2)]
    __: u8,
}

impl Entry<1> for Link {
    fn words(self) -> [u64; 1] {
        [self.into_bits()]
    }
    fn from_words([word]: [u64; 1]) -> Self {
        Self::from_bits(word)
    }
}

/// A table that nothing uses any more.
#[derive(Clone, Copy)]
struct Old {
    table: u64,
    level: u8,
    /// How many of its words are in use besides the first, at the most.
    used: u16,
}

/// Frames that no table points at any more, chained through their first words.
#[derive(Debug, Default)]
pub(crate) struct Chain(u64);

impl Chain {
    /// Puts a table in front that is no longer needed, in which every entry may be in use; or, with level 0, a frame that
    /// is all zero. Its first word is lost.
    pub(crate) fn push<M: TableMemory>(&mut self, frames: &mut Frames<M>, table: u64, level: u8) {
        self.push_old(frames, Old { table, level, used: if level == 0 { 0 } else { 511 } });
    }

    fn push_old<M: TableMemory>(&mut self, frames: &mut Frames<M>, Old { table, level, used }: Old) {
        frames.keep(table, Link::new().with_next(frame(self.0)).with_level(level).with_used(used));
        self.0 = table;
    }

    /// Takes the first frame out.
    fn pop<M: TableMemory>(&mut self, frames: &Frames<M>) -> Option<Old> {
        let table = self.0;
        if table == 0 {
            return None;
        }
        let link: Link = frames.read(table);
        self.0 = address(link.next());
        Some(Old { table, level: link.level(), used: link.used() })
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
        let table = if let Some(Old { table, .. }) = self.clean.pop(frames) {
            frames.write(table, Link::new());
            table
        } else {
            let old = self.old.pop(frames).ok_or(Error::NoMemory)?;
            self.clean_up(frames, old);
            old.table
        };
        debug_assert_eq!(frames.zeros(table, ENTRIES), ENTRIES, "what is taken is all zero");
        self.free -= 1;
        Ok(table)
    }

    /// Gives back what a change left over, once no cache knows it any more.
    pub(crate) fn release<M: TableMemory>(&mut self, frames: &mut Frames<M>, mut left: Chain) {
        while let Some(old) = left.pop(frames) {
            if self.pooled {
                self.give_up(frames, old);
            } else {
                let chain = if old.level == 0 { &mut self.clean } else { &mut self.old };
                chain.push_old(frames, old);
                self.free += 1;
            }
        }
    }

    /// Keeps what a change left over until [`Stock::confirm`]: hardware may still know it.
    pub(crate) fn keep<M: TableMemory>(&mut self, frames: &mut Frames<M>, mut left: Chain) {
        while let Some(old) = left.pop(frames) {
            self.unconfirmed.push_old(frames, old);
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
        self.put_by(frames, table, level, 512);
        if !self.pooled {
            self.free += tables as usize;
            return;
        }
        while let Some(old) = self.old.pop(frames) {
            self.give_up(frames, old);
        }
    }

    /// Gives an old table back to the pool.
    fn give_up<M: TableMemory>(&mut self, frames: &mut Frames<M>, old: Old) {
        self.clean_up(frames, old);
        frames.release(old.table, 0);
    }

    /// Puts an old table by, of whose entries so many are in use at the most, and before its first word is lost the
    /// table that this leads to.
    fn put_by<M: TableMemory>(&mut self, frames: &mut Frames<M>, table: u64, level: u8, used: u16) {
        let mut next = Some((table, level, used));
        // As deep as a table, at the most.
        while let Some((table, level, used)) = next {
            next = below(frames, table, level).map(|(below, used)| (below, level - 1, used));
            let first = u16::from(frames.zeros(table, 1) == 0);
            self.old.push_old(frames, Old { table, level, used: used.min(512).saturating_sub(first) });
        }
    }

    /// Puts by the tables that an old one leads to, and clears it, as far as it is in use.
    fn clean_up<M: TableMemory>(&mut self, frames: &mut Frames<M>, Old { table, level, used }: Old) {
        // The first word is the chain's.
        let (mut end, mut left) = (1, used);
        // Where many pages are in use, all are cleared without a look.
        if level == 1 && used > MANY {
            (end, left) = (ENTRIES, 0);
        }
        while left > 0 {
            end += frames.zeros(table + (end as u64) * 8, ENTRIES - end);
            if end == ENTRIES {
                break;
            }
            if let Some((next, used)) = below(frames, table + (end as u64) * 8, level) {
                self.put_by(frames, next, level - 1, used);
            }
            (end, left) = (end + 1, left - 1);
        }
        frames.fill(table, end, 0, 0);
    }
}

/// The table that an entry of a table of `level` leads to, in either format, and how many of its entries are in use: the
/// entry allows reads, and is no page.
fn below<M: TableMemory>(frames: &Frames<M>, entry: u64, level: u8) -> Option<(u64, u16)> {
    let entry: SecondStageEntry = frames.read(entry);
    (level > 1 && entry.read() && !entry.page()).then(|| (address(entry.frame()), entry.used()))
}

// SPDX-License-Identifier: BSD-2-Clause
//! The registry: its memory, its calls, and what they answer.
//!
//! What always holds: each id that is not free is charged to exactly one set or counted as lost; no set is charged
//! more than its limit; the sum of what sets use or are guaranteed, whichever is more, and of what is lost never
//! exceeds the capacity. So a guarantee can be kept whatever the others do.

mod check;
mod custom;
mod ids;
mod lifecycle;
mod sets;
mod space;
mod spids;
mod subscribers;

use crate::allocator::{NoProvider, Provider, Table, Ticket};
use crate::block_map::BlockMap;
use crate::capacity::{BLOCK, IDS, SETS, SPIDS_PER_SET, SUBSCRIBERS, WORDS_PER_SET};
use crate::event::Events;
use crate::set::Set;
use crate::slot::Life;
use crate::{Error, Handle, Pasid, SetId, Slot, State};
use space::Space;
use subscribers::Subscriber;

pub use check::Inconsistency;
pub use subscribers::Work;

/// The memory that a registry works in. What it holds before does not matter.
#[derive(Debug)]
pub struct Memory<'m> {
    /// One slot for each number, from PASID 0 on: a multiple of 64, at most 2^20. They decide how many ids there
    /// are.
    pub slots: &'m mut [Slot],
    /// At least [`Memory::words_for`] as many ids.
    pub words: &'m mut [u64],
}

impl Memory<'_> {
    /// How many words a registry needs for this many slots: a bit for each id, and a fixed part.
    #[must_use]
    pub const fn words_for(slots: usize) -> usize {
        slots.div_ceil(BLOCK) + (SETS + 1) * WORDS_PER_SET + SETS * SPIDS_PER_SET
    }

    /// How many slots a registry can have in this many bytes, with the words that belong to them behind; 0 where
    /// there is no room for a block.
    #[must_use]
    pub const fn slots_in(bytes: usize) -> usize {
        let fixed = Self::words_for(0) * size_of::<u64>();
        let block = BLOCK * size_of::<Slot>() + size_of::<u64>();
        let slots = bytes.saturating_sub(fixed) / block * BLOCK;
        if slots < IDS { slots } else { IDS }
    }
}

/// How a registry is to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The highest PASID that the hardware supports: ECAP.PSS, the devices' PASID capabilities, the tables'
    /// width, whichever is least. Where there are fewer slots, these decide.
    pub max_pasid: Pasid,
    /// How long those who use an id that is given up may take to stop, in ticks of [`Registry::poll`]; less than
    /// 2^27.
    pub ack_bound: u32,
    /// How long a provider may take to answer, in the same ticks; less than 2^31.
    pub provider_bound: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_pasid: Pasid::MAX, ack_bound: 1000, provider_bound: 1000 }
    }
}

/// What became of a request for an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocation {
    /// Here it is.
    Ready(Handle),
    /// A provider was asked. Its answer, or that there was none in time, comes with this ticket.
    Pending(Ticket),
}

/// What became of an allocation that was [pending](Allocation::Pending).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Which one.
    pub ticket: Ticket,
    /// The id, or why there is none.
    pub result: Result<Handle, Error>,
}

impl Completion {
    /// Whose it is.
    #[must_use]
    pub fn set(&self) -> SetId {
        self.ticket.set
    }
}

/// How far a snapshot has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    index: usize,
    pasid: Pasid,
}

/// What became of an id that was freed, or of which a reference was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freed {
    /// It is not found any more. It is the caller's turn to tear it down and then to [`reclaim`] or
    /// [`quarantine`] it.
    ///
    /// [`reclaim`]: Registry::reclaim
    /// [`quarantine`]: Registry::quarantine
    Teardown,
    /// It is not found any more, and somebody has to let go of it first.
    Pending,
    /// It stays: others hold references.
    Held,
}

/// A slice of a set's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drain {
    /// How many handles were written: these are to be torn down now.
    pub filled: usize,
    /// Whether there is more to come.
    pub progress: Progress,
}

/// How far a set's end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is more: call again.
    More,
    /// All of its ids were given out for teardown, and some are not reclaimed yet.
    Waiting,
    /// The set is gone.
    Gone,
}

/// Everything that is known of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The id, with its present generation.
    pub handle: Handle,
    /// Where it stands.
    pub state: State,
    /// Whose it is; `None` where the set is gone.
    pub owner: Option<SetId>,
    /// How many references are held.
    pub references: u16,
    /// The private data.
    pub data: u64,
}

/// The registry as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Totals {
    /// How many ids can be handed out at most.
    pub capacity: u32,
    /// How many sets use or are guaranteed, and what is lost.
    pub committed: u32,
    /// Ids that are in quarantine for good.
    pub quarantined: u32,
    /// Those of them whose set is gone.
    pub lost: u32,
    /// Ids whose allocator went away while they were live.
    pub orphaned: u32,
    /// How often a provider answered wrongly, or not in time.
    pub provider_faults: u32,
    /// Numbers that a provider gave, that were not recorded, and that could not be handed back.
    pub leaked: u32,
    /// Attempts to unregister what was not registered.
    pub warnings: u32,
}

/// The PASIDs, and who has which of them. See the [crate's documentation](crate).
///
/// `P` is what custom allocators are made of, `E` is where events go. Without either it is `Registry<'_>`.
#[derive(Debug)]
pub struct Registry<'m, P = NoProvider, E = ()> {
    space: Space<'m>,
    sets: [Set; SETS],
    /// Where each set's ids are.
    blocks: &'m mut [BlockMap],
    spids: &'m mut [[u64; SPIDS_PER_SET]],
    totals: Totals,
    /// What the life of an id is while it is live: it is the active group's.
    live: Life,
    config: Config,
    allocators: Table,
    providers: &'m mut [P],
    subscribers: [Option<Subscriber>; SUBSCRIBERS],
    /// How many subscribers there are.
    listening: u8,
    events: E,
    /// How many ids and allocations wait for somebody.
    waiting: u32,
    /// The time of the last poll.
    now: u32,
    /// Which set the next poll begins with.
    turn: u8,
}

impl<'m> Registry<'m> {
    /// A registry without custom allocators and events, in which every id is free and there is no set. It clears
    /// its memory first.
    ///
    /// # Errors
    /// As [`with`](Self::with).
    pub fn new(memory: Memory<'m>, config: Config) -> Result<Self, Error> {
        Self::with(memory, config, &mut [], ())
    }
}

impl<'m, P: Provider, E: Events> Registry<'m, P, E> {
    /// A registry whose custom allocators are made of `providers` and whose events go to `events`. Every id is
    /// free, there is no set, and nobody is registered or subscribed. It clears its memory first.
    ///
    /// # Errors
    /// [`Error::BadMemory`] where the slots are none, no multiple of 64 or more than 2^20, or the words too few.
    pub fn with(
        memory: Memory<'m>,
        config: Config,
        providers: &'m mut [P],
        events: E,
    ) -> Result<Self, Error> {
        let Memory { slots, words } = memory;
        if slots.is_empty() || slots.len() > IDS || !slots.len().is_multiple_of(BLOCK) {
            return Err(Error::BadMemory);
        }
        let (free, words) = words.split_at_mut_checked(slots.len() / BLOCK).ok_or(Error::BadMemory)?;
        let (maps, words) = words.split_at_mut_checked((SETS + 1) * WORDS_PER_SET).ok_or(Error::BadMemory)?;
        let (upper, blocks) =
            maps.as_chunks_mut::<WORDS_PER_SET>().0.split_first_mut().ok_or(Error::BadMemory)?;
        blocks.fill([0; WORDS_PER_SET]);
        let spids = words.as_chunks_mut::<SPIDS_PER_SET>().0.get_mut(..SETS).ok_or(Error::BadMemory)?;
        spids.fill([0; SPIDS_PER_SET]);
        let last = u32::try_from(slots.len() - 1).map_err(|_| Error::BadMemory)?;
        let config = Config { max_pasid: config.max_pasid.min(Pasid::truncated(last)), ..config };
        let space = Space::new(slots, free, upper, config.max_pasid);
        Ok(Self {
            space,
            sets: [Set::VACANT; SETS],
            blocks,
            spids,
            totals: Totals { capacity: config.max_pasid.get(), ..Totals::default() },
            live: Life::new(State::Allocated, 0),
            config,
            allocators: Table::new(),
            providers,
            subscribers: [None; SUBSCRIBERS],
            listening: 0,
            events,
            waiting: 0,
            now: 0,
            turn: 0,
        })
    }

    /// The registry as a whole. Privileged: it speaks of all sets.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// The highest id that can be handed out.
    #[must_use]
    pub fn max_pasid(&self) -> Pasid {
        self.config.max_pasid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_to_fit_fits() {
        for bytes in [0, 0x1000, 0x2_0000, 0x10_0000, 0x101_0000, 0x200_0000] {
            let slots = Memory::slots_in(bytes);
            let used = slots * size_of::<Slot>() + Memory::words_for(slots) * size_of::<u64>();
            assert!(slots == 0 || used <= bytes, "{slots} slots take {used} of {bytes} bytes");
        }
    }
}

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
mod many;
mod sets;
mod space;
mod spids;
mod stock;
mod subscribers;

use crate::allocator::{NoProvider, Provider, Table, Ticket};
use crate::capacity::{SETS, SUBSCRIBERS};
use crate::event::Events;
use crate::memory::{Index, SetIndex};
use crate::set::Set;
use crate::slot::Life;
use crate::{Error, Handle, Memory, Pasid, SetId, State};
use space::Space;
use subscribers::Subscriber;

pub use check::Inconsistency;
pub use subscribers::Work;

/// How a registry is to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The highest PASID that the hardware supports: ECAP.PSS, the devices' PASID capabilities, the tables'
    /// width, whichever is least. Where the memory holds fewer, that decides.
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
    /// It is free again.
    Free,
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
    /// The private data; 0 once the id is given up.
    pub data: u64,
}

/// The registry as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Totals {
    /// How many ids can be handed out at most.
    pub capacity: u32,
    /// How many of these no set uses or is guaranteed: what there is for those who want more than that.
    pub spare: u32,
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
///
/// Its calls:
///
/// - The registry: [`new`](Self::new), [`with`](Self::with), [`max_pasid`](Self::max_pasid),
///   [`totals`](Self::totals), [`check`](Self::check), [`fingerprint`](Self::fingerprint).
/// - Sets: [`create_set`](Self::create_set), [`adjust_set`](Self::adjust_set), [`free_set`](Self::free_set),
///   [`drain_set`](Self::drain_set), [`sets`](Self::sets), [`stats`](Self::stats).
/// - The life of an id: [`alloc`](Self::alloc), [`alloc_at_once`](Self::alloc_at_once),
///   [`alloc_many`](Self::alloc_many), [`get`](Self::get), [`put`](Self::put), [`free`](Self::free),
///   [`free_unbound`](Self::free_unbound), [`reclaim`](Self::reclaim), [`quarantine`](Self::quarantine),
///   [`revoke`](Self::revoke).
/// - What is known of ids: [`find`](Self::find), [`lookup`](Self::lookup), [`set_data`](Self::set_data),
///   [`get_if`](Self::get_if), [`next_id`](Self::next_id), [`inspect`](Self::inspect).
/// - Names that sets give to ids: [`attach_spid`](Self::attach_spid), [`detach_spid`](Self::detach_spid),
///   [`find_spid`](Self::find_spid).
/// - Custom allocators: [`register_allocator`](Self::register_allocator),
///   [`unregister_allocator`](Self::unregister_allocator), [`provider_gone`](Self::provider_gone),
///   [`allocators`](Self::allocators), [`provider`](Self::provider), [`complete`](Self::complete),
///   [`next_orphan`](Self::next_orphan).
/// - Who is told: [`subscribe`](Self::subscribe), [`unsubscribe`](Self::unsubscribe),
///   [`acknowledge`](Self::acknowledge), [`snapshot`](Self::snapshot), [`publish`](Self::publish),
///   [`events`](Self::events).
/// - What time brings: [`poll`](Self::poll), [`poll_set`](Self::poll_set).
#[derive(Debug)]
pub struct Registry<'m, P = NoProvider, E = ()> {
    space: Space<'m>,
    sets: [Set; SETS],
    /// Where each set's ids are.
    index: &'m mut [SetIndex; SETS],
    /// What is spare here is what no set was granted either.
    totals: Totals,
    /// What the life of an id is while it is live: it is the active group's.
    live: Life,
    config: Config,
    allocators: Table,
    providers: &'m mut [P],
    subscribers: [Option<Subscriber>; SUBSCRIBERS],
    /// The sets that somebody listens to, a bit each.
    listened: u64,
    events: E,
    /// Each set's time.
    now: [u32; SETS],
    /// How many of each set's ids and allocations wait for somebody.
    waiting: [u32; SETS],
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
    /// [`Error::BadMemory`] where there is no room for a block of 64 ids.
    pub fn with(
        memory: Memory<'m>,
        config: Config,
        providers: &'m mut [P],
        events: E,
    ) -> Result<Self, Error> {
        let (Index { free, sets: index }, blocks) = memory.split().ok_or(Error::BadMemory)?;
        index.fill_with(|| SetIndex::EMPTY);
        let last = u32::try_from(blocks.as_flattened().len() - 1).map_err(|_| Error::BadMemory)?;
        let config = Config { max_pasid: config.max_pasid.min(Pasid::truncated(last)), ..config };
        let space = Space::new(blocks, free, config.max_pasid);
        let mut registry = Self {
            space,
            sets: [Set::VACANT; SETS],
            index,
            totals: Totals {
                capacity: config.max_pasid.get(),
                spare: config.max_pasid.get(),
                ..Totals::default()
            },
            live: Life::LIVE,
            config,
            allocators: Table::new(),
            providers,
            subscribers: [None; SUBSCRIBERS],
            listened: 0,
            events,
            now: [0; SETS],
            waiting: [0; SETS],
            turn: 0,
        };
        registry.settle();
        Ok(registry)
    }

    /// The registry as a whole. Privileged: it speaks of all sets.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals { spare: self.spare(), ..self.totals }
    }

    /// The highest id that can be handed out.
    #[must_use]
    pub fn max_pasid(&self) -> Pasid {
        self.config.max_pasid
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! What the registry must do, obviously.
//!
//! Nothing here is fast, and nothing is kept that can be computed: what a set uses is counted, what is spare
//! is what is left, an orphan is an id whose allocators are gone. Sets and tickets are named by the order in
//! which they came.

mod allocators;
mod ids;
mod sets;
mod subscribers;

use crate::op::{PROVIDERS, World};
use ioasid_core::event::{EventKind, Role};
use ioasid_core::{Error, Freed, Handle, Pasid, State, capacity};
use std::collections::{BTreeMap, BTreeSet};

/// The how-manieth set that was made.
pub type SetName = usize;
/// The how-manieth ticket that was given out.
pub type TicketName = usize;

/// An id that is not free.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Id {
    /// Never [`State::Orphaned`]: that is computed.
    pub state: State,
    /// `None` where the set is gone.
    pub owner: Option<SetName>,
    pub references: u32,
    pub data: u64,
    /// Which group of allocators chose it; 0 is the default one.
    pub group: u32,
    /// While it is stopping: the seats of those who have not acknowledged, and until when they are waited for.
    pub asked: BTreeSet<u8>,
    pub deadline: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    Open,
    Ending,
    Gone,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Set {
    /// Its place among the sets.
    pub index: usize,
    pub phase: Phase,
    pub reservation: u32,
    pub limit: u32,
    pub peak: u32,
    /// How far its end has come.
    pub cursor: u32,
    /// The allocation that is under way.
    pub request: Option<TicketName>,
    /// Ids that wait for those who submit, and for those who drive devices, in the order in which they came.
    pub waiting: [Vec<u32>; 2],
    pub spids: BTreeMap<u32, Handle>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Allocator {
    pub name: u32,
    pub alloc: u8,
    pub free: u8,
    pub pdata: u64,
    pub group: u32,
    pub faults: u32,
}

/// An allocation that a provider was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    pub set: SetName,
    pub allocator: u32,
    pub min: u32,
    pub max: u32,
    pub data: u64,
    pub deadline: u64,
    /// The allocator has gone.
    pub failed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subscriber {
    pub set: Option<SetName>,
    pub role: Role,
    /// Where it is waited for: the lowest that nobody has whose ids can be its ids too.
    pub seat: Option<u8>,
}

/// An event, and to which place it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Told {
    pub to: usize,
    pub kind: EventKind,
    pub set: SetName,
    pub handle: Option<Handle>,
}

/// A call of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asked {
    Alloc { provider: u8, pdata: u64, min: u32, max: u32 },
    Free { provider: u8, pdata: u64, id: u32 },
}

/// What a provider says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Said {
    Given(u32),
    Nothing,
    Failed,
    Later,
}

/// What has become due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Due {
    Teardown(Handle),
    Announced(Handle),
    Failed(TicketName),
}

/// What an allocation has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Ready(Handle),
    Pending(TicketName),
}

/// The registry as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Model {
    /// What it started with.
    pub world: World,
    pub(crate) sets: Vec<Set>,
    pub(crate) ids: BTreeMap<u32, Id>,
    pub(crate) generations: BTreeMap<u32, u16>,
    /// In the order of their turns.
    pub(crate) allocators: Vec<Allocator>,
    /// Groups that there ever were.
    pub(crate) groups: u32,
    pub(crate) busy: [bool; PROVIDERS as usize],
    pub(crate) subscribers: Vec<Option<Subscriber>>,
    pub(crate) requests: Vec<Request>,
    /// What time it is at each place of a set.
    pub(crate) now: [u64; capacity::SETS],
    /// The place of the set that was served last.
    pub(crate) served: usize,
    pub(crate) provider_faults: u32,
    pub(crate) leaked: u32,
    pub(crate) warnings: u32,
    /// What came out of the operation: events and calls.
    pub(crate) told: Vec<Told>,
    pub(crate) asked: Vec<Asked>,
}

impl Model {
    /// A registry with every id free, no set and nobody registered.
    #[must_use]
    pub fn new(world: World) -> Self {
        Self {
            world,
            sets: Vec::new(),
            ids: BTreeMap::new(),
            generations: BTreeMap::new(),
            allocators: Vec::new(),
            groups: 0,
            busy: [false; PROVIDERS as usize],
            subscribers: Vec::new(),
            requests: Vec::new(),
            now: [world.start.into(); capacity::SETS],
            served: 0,
            provider_faults: 0,
            leaked: 0,
            warnings: 0,
            told: Vec::new(),
            asked: Vec::new(),
        }
    }

    /// The same without what has no say in what can follow: how often something went wrong, and what time it is. Whoever
    /// waits has so long left, and a set is so far ahead of the others.
    pub(crate) fn essence(&self) -> Self {
        let mut essence = self.clone();
        (essence.provider_faults, essence.leaked, essence.warnings) = (0, 0, 0);
        essence.allocators.iter_mut().for_each(|one| one.faults = 0);
        for request in &mut essence.requests {
            request.deadline = request.deadline.saturating_sub(self.now(request.set));
        }
        for id in essence.ids.values_mut() {
            id.deadline = id.deadline.saturating_sub(id.owner.map_or(0, |owner| self.now(owner)));
        }
        let earliest = self.now.into_iter().min().unwrap_or(0);
        essence.now.iter_mut().for_each(|now| *now -= earliest);
        essence
    }

    /// What time it is for a set.
    fn now(&self, set: SetName) -> u64 {
        self.now[self.sets[set].index]
    }

    /// The handle of a number, some lives ago.
    #[must_use]
    pub fn handle(&self, number: u32, age: u16) -> Handle {
        let generation = self.generations.get(&number).copied().unwrap_or(0).wrapping_sub(age);
        Handle {
            pasid: Pasid::new(number).unwrap_or(Pasid::MAX),
            generation: ioasid_core::Generation::from_raw(generation),
        }
    }

    fn is_current(&self, handle: Handle) -> bool {
        self.handle(handle.pasid.get(), 0) == handle
    }

    /// The group whose turn it is.
    pub(crate) fn active(&self) -> u32 {
        self.allocators.first().map_or(0, |one| one.group)
    }

    /// The state of an id, where an orphan is told apart.
    pub(crate) fn state(&self, id: &Id) -> State {
        let alone = id.group != 0 && !self.allocators.iter().any(|one| one.group == id.group);
        match id.state {
            State::Allocated | State::Pending if alone => State::Orphaned,
            state => state,
        }
    }

    /// What is charged to a set: its ids, and the allocation that is under way.
    pub(crate) fn used(&self, set: SetName) -> u32 {
        let ids = self.ids.values().filter(|id| id.owner == Some(set)).count();
        let pending = usize::from(self.sets[set].request.is_some());
        u32::try_from(ids + pending).unwrap_or(u32::MAX)
    }

    /// Ids whose set is gone.
    pub(crate) fn lost(&self) -> u32 {
        u32::try_from(self.ids.values().filter(|id| id.owner.is_none()).count()).unwrap_or(u32::MAX)
    }

    /// What no set uses or is guaranteed.
    pub(crate) fn spare(&self) -> u32 {
        let committed = |name: SetName| self.used(name).max(self.sets[name].reservation);
        self.world.max - (0..self.sets.len()).map(committed).sum::<u32>() - self.lost()
    }

    /// Remembers what was most.
    pub(crate) fn settle(&mut self) {
        for name in 0..self.sets.len() {
            self.sets[name].peak = self.sets[name].peak.max(self.used(name));
        }
    }

    /// A live id of a set's, by a good handle; or why it is none.
    pub(crate) fn live(&mut self, set: SetName, handle: Handle) -> Result<&mut Id, Error> {
        let (active, current) = (self.active(), self.is_current(handle));
        let id = self.ids.get_mut(&handle.pasid.get()).ok_or(Error::NotFound)?;
        let own = id.owner == Some(set);
        let live = id.state == State::Allocated && id.group == active;
        match (own, current, live) {
            (true, false, _) => Err(Error::Stale),
            (false, _, true) => Err(Error::NotOwner),
            (true, true, true) => Ok(id),
            _ => Err(Error::NotFound),
        }
    }

    /// An id that is not free, whoever's it is.
    fn any(&mut self, handle: Handle) -> Result<&mut Id, Error> {
        let current = self.is_current(handle);
        let id = self.ids.get_mut(&handle.pasid.get()).ok_or(Error::NotFound)?;
        if current { Ok(id) } else { Err(Error::Stale) }
    }

    /// An id with no reference left begins its way out.
    fn give_up(&mut self, handle: Handle) -> Freed {
        if let Some(id) = self.ids.get_mut(&handle.pasid.get()) {
            (id.references, id.data) = (0, 0);
        }
        if self.pass_on(handle, Role::Cpu) { Freed::Teardown } else { Freed::Pending }
    }
}

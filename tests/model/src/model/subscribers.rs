// SPDX-License-Identifier: BSD-2-Clause
//! Who is told what, and who is waited for (s77–s80).

use super::{Due, Model, Phase, SetName, Subscriber, Told};
use crate::op::World;
use ioasid_core::event::{EventKind, Role};
use ioasid_core::{Error, Handle, State, capacity};
use std::collections::BTreeSet;

impl Subscriber {
    pub(super) fn concerns(&self, set: SetName) -> bool {
        self.set.is_none_or(|own| own == set)
    }

    /// Whether an id can be of concern to both.
    fn overlaps(&self, other: &Self) -> bool {
        self.set.is_none() || other.set.is_none() || self.set == other.set
    }
}

impl Model {
    /// Gives the place.
    pub(crate) fn subscribe(
        &mut self,
        set: Option<SetName>,
        role: Role,
        acknowledges: bool,
    ) -> Result<usize, Error> {
        if set.is_some_and(|set| self.sets[set].phase != Phase::Open) {
            return Err(Error::NoSuchSet);
        }
        let mut one = Subscriber { set, role, seat: None };
        if acknowledges && role != Role::Observer {
            let others = || self.subscribers.iter().flatten().filter(|other| other.overlaps(&one));
            let free = (0..16).find(|&seat| others().all(|other| other.seat != Some(seat)));
            one.seat = Some(free.ok_or(Error::RegistryFull)?);
        }
        let place = self.subscribers.iter().position(Option::is_none).unwrap_or(self.subscribers.len());
        if place == capacity::SUBSCRIBERS {
            return Err(Error::RegistryFull);
        }
        if place == self.subscribers.len() {
            self.subscribers.push(None);
        }
        self.subscribers[place] = Some(one);
        Ok(place)
    }

    pub(crate) fn unsubscribe(&mut self, place: usize) -> Result<(), Error> {
        self.subscribers[place].take().map(drop).ok_or(Error::NoSuchPeer)
    }

    pub(crate) fn acknowledge(&mut self, place: usize, handle: Handle) -> Result<(), Error> {
        let one = self.subscribers[place].ok_or(Error::NoSuchPeer)?;
        let owner = self.ids.get(&handle.pasid.get()).and_then(|id| id.owner);
        if !owner.map_or(one.set.is_none(), |owner| one.concerns(owner)) {
            return Err(Error::NotFound);
        }
        let id = self.any(handle)?;
        if id.state == State::Stopping && one.seat.is_some_and(|seat| id.asked.remove(&seat)) {
            Ok(())
        } else {
            Err(Error::NotFound)
        }
    }

    pub(crate) fn publish(
        &mut self,
        set: SetName,
        kind: EventKind,
        handle: Option<Handle>,
    ) -> Result<(), Error> {
        self.stats(set)?;
        self.tell(kind, set, handle, |_| true);
        Ok(())
    }

    /// The live ids that are of concern to a subscriber, in the order of sets' places and of numbers.
    pub(crate) fn snapshot(&self, place: usize) -> Result<Vec<(SetName, Handle)>, Error> {
        let one = self.subscribers[place].ok_or(Error::NoSuchPeer)?;
        let sets = (0..capacity::SETS).filter_map(|index| self.at(index)).filter(|&set| one.concerns(set));
        let live = |number: &u32| {
            let id = &self.ids[number];
            id.state == State::Allocated && id.group == self.active()
        };
        let of = |set| self.owned(set).filter(live).map(move |number| (set, self.handle(number, 0)));
        Ok(sets.flat_map(of).collect())
    }

    /// Tells those who are concerned and of a role that is chosen, and says in which seats they are waited for.
    pub(super) fn tell(
        &mut self,
        kind: EventKind,
        set: SetName,
        handle: Option<Handle>,
        chosen: impl Fn(Role) -> bool,
    ) -> BTreeSet<u8> {
        let mut asked = BTreeSet::new();
        for (to, one) in self.subscribers.iter().enumerate() {
            if let Some(one) = one
                && one.concerns(set)
                && chosen(one.role)
            {
                self.told.push(Told { to, kind, set, handle });
                asked.extend(one.seat);
            }
        }
        asked
    }

    /// Takes an id through the roles from one on: to whom it is announced, who is waited for. True where it can be torn
    /// down.
    pub(super) fn pass_on(&mut self, handle: Handle, from: Role) -> bool {
        let number = handle.pasid.get();
        let Some(owner) = self.ids[&number].owner else { return true };
        for (queue, role) in [(0, Role::Cpu), (1, Role::Device)] {
            if role < from {
                continue;
            }
            let asked = self.tell(EventKind::Free, owner, Some(handle), |one| one == role);
            if !asked.is_empty() {
                let deadline = self.now(owner) + u64::from(World::ACK_BOUND);
                if let Some(id) = self.ids.get_mut(&number) {
                    (id.state, id.asked, id.deadline) = (State::Stopping, asked, deadline);
                }
                self.sets[owner].waiting[queue].push(number);
                return false;
            }
        }
        self.tell(EventKind::Free, owner, Some(handle), |one| one == Role::Observer);
        if let Some(id) = self.ids.get_mut(&number) {
            id.state = State::Teardown;
        }
        true
    }

    /// The next thing that is due, in turn for each set. It is then as late for all as it was where it was latest, and
    /// later.
    pub(crate) fn poll(&mut self, ticks: u32) -> Option<Due> {
        let latest = self.now.into_iter().max().unwrap_or(0);
        self.now.fill(latest + u64::from(ticks));
        for step in 1..=capacity::SETS {
            let index = (self.served + step) % capacity::SETS;
            let Some(set) = self.at(index) else { continue };
            if let Some(due) = self.due(set) {
                self.served = index;
                return Some(due);
            }
        }
        None
    }

    /// The next thing that is due for one set, at whose place alone it is later then: unless another has come there.
    pub(crate) fn poll_set(&mut self, set: SetName, ticks: u32) -> Option<Due> {
        let index = self.sets[set].index;
        if self.sets.iter().rposition(|one| one.index == index) != Some(set) {
            return None;
        }
        self.now[index] += u64::from(ticks);
        self.due(set)
    }

    fn due(&mut self, set: SetName) -> Option<Due> {
        if let Some(due) = self.expire(set) {
            return Some(due);
        }
        // Those that are further on come first; each set's ids in the order in which they were freed.
        for (queue, next) in [(1, Role::Observer), (0, Role::Device)] {
            let Some(&first) = self.sets[set].waiting[queue].first() else { continue };
            let now = self.now(set);
            let Some(id) = self.ids.get_mut(&first) else { continue };
            if !id.asked.is_empty() && now < id.deadline {
                continue;
            }
            (id.asked, id.deadline) = (BTreeSet::new(), 0);
            self.sets[set].waiting[queue].remove(0);
            let handle = self.handle(first, 0);
            let ready = self.pass_on(handle, next);
            return Some(if ready { Due::Teardown(handle) } else { Due::Announced(handle) });
        }
        None
    }
}

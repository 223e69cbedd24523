// SPDX-License-Identifier: BSD-2-Clause
//! Custom allocators: who chooses, and what is believed (s01–s24, s32–s36, s42).

use super::{Allocator, Asked, Due, Model, Outcome, Request, Said, SetName, TicketName};
use crate::op::{PROVIDERS, World};
use ioasid_core::{Error, Handle, State, capacity};

impl Model {
    pub(crate) fn register(&mut self, mut one: Allocator) -> Result<(), Error> {
        if one.alloc >= PROVIDERS || one.free >= PROVIDERS {
            return Err(Error::NoSuchPeer);
        }
        if self.allocators.iter().any(|other| other.name == one.name) {
            return Err(Error::AlreadyRegistered);
        }
        if self.allocators.is_empty() && self.ids.values().any(|id| id.group == 0) {
            return Err(Error::AllocatorBusy);
        }
        let same = |other: &Allocator| (other.alloc, other.free) == (one.alloc, one.free);
        let sibling = self.allocators.iter().rposition(same);
        if self.allocators.len() == capacity::ALLOCATORS || (sibling.is_none() && self.groups_are_full()) {
            return Err(Error::RegistryFull);
        }
        match sibling {
            // Beside the others of its group.
            Some(last) => {
                one.group = self.allocators[last].group;
                self.allocators.insert(last + 1, one);
            }
            None => {
                self.groups += 1;
                one.group = self.groups;
                self.allocators.push(one);
            }
        }
        Ok(())
    }

    /// Whether every group but the default one has members or has left ids behind.
    fn groups_are_full(&self) -> bool {
        let there = |&group: &u32| {
            self.allocators.iter().any(|one| one.group == group)
                || self.ids.values().any(|id| id.group == group)
        };
        (1..=self.groups).filter(there).count() == capacity::GROUPS - 1
    }

    pub(crate) fn unregister(&mut self, name: u32) -> Result<u32, Error> {
        let Some(place) = self.allocators.iter().position(|one| one.name == name) else {
            self.warnings += 1;
            return Err(Error::NotRegistered);
        };
        let before = self.orphans().count();
        self.allocators.remove(place);
        for set in &self.sets {
            if let Some(request) = set.request
                && self.requests[request].allocator == name
            {
                self.requests[request].failed = true;
            }
        }
        Ok(u32::try_from(self.orphans().count() - before).unwrap_or(u32::MAX))
    }

    /// The numbers whose allocators are gone.
    pub(crate) fn orphans(&self) -> impl Iterator<Item = u32> {
        self.ids.iter().filter(|(_, id)| self.state(id) == State::Orphaned).map(|(&number, _)| number)
    }

    pub(crate) fn provider_gone(&mut self, provider: u8) -> u32 {
        let uses = |one: &&Allocator| one.alloc == provider || one.free == provider;
        let names: Vec<u32> = self.allocators.iter().filter(uses).map(|one| one.name).collect();
        names.into_iter().map(|name| self.unregister(name).unwrap_or(0)).sum()
    }

    /// Asks whoever stands for the active group.
    pub(super) fn alloc_custom(
        &mut self,
        set: SetName,
        (min, max): (u32, u32),
        data: u64,
        said: Said,
    ) -> Result<Outcome, Error> {
        if self.sets[set].request.is_some() {
            return Err(Error::ProviderBusy);
        }
        let one = self.allocators[0];
        self.asked.push(Asked::Alloc { provider: one.alloc, pdata: one.pdata, min: min.max(1), max });
        if said == Said::Later {
            let deadline = self.now(set) + u64::from(World::PROVIDER_BOUND);
            let allocator = one.name;
            self.requests.push(Request { set, allocator, min, max, data, deadline, failed: false });
            self.sets[set].request = Some(self.requests.len() - 1);
            return Ok(Outcome::Pending(self.requests.len() - 1));
        }
        self.believe(one, set, (min, max), data, said).map(Outcome::Ready)
    }

    /// What becomes of a provider's answer.
    fn believe(
        &mut self,
        one: Allocator,
        set: SetName,
        (min, max): (u32, u32),
        data: u64,
        said: Said,
    ) -> Result<Handle, Error> {
        let number = match said {
            Said::Given(number) => number,
            Said::Nothing => return Err(Error::NoSpace),
            Said::Failed | Said::Later => return Err(self.fault(one.name)),
        };
        if self.ids.contains_key(&number) {
            // It is somebody's: it is not handed back (s36), wherever it lies.
            return Err(self.fault(one.name));
        }
        if number < min.max(1) || number > max {
            self.hand_back(one, number);
            return Err(self.fault(one.name));
        }
        Ok(self.record(set, number, data))
    }

    fn fault(&mut self, name: u32) -> Error {
        self.provider_faults += 1;
        if let Some(one) = self.allocators.iter_mut().find(|one| one.name == name) {
            one.faults += 1;
        }
        Error::ProviderFault
    }

    fn hand_back(&mut self, one: Allocator, id: u32) {
        if self.busy[usize::from(one.free)] {
            self.leaked += 1;
        } else {
            self.asked.push(Asked::Free { provider: one.free, pdata: one.pdata, id });
        }
    }

    /// A provider's answer to a ticket.
    pub(crate) fn complete(
        &mut self,
        provider: u8,
        ticket: TicketName,
        said: Said,
    ) -> Result<Result<Handle, Error>, Error> {
        let request = self.requests[ticket];
        let asked = |one: &&Allocator| one.name == request.allocator && one.alloc == provider;
        let one = *self.allocators.iter().find(asked).ok_or(Error::Stale)?;
        if self.sets[request.set].request != Some(ticket) || request.failed {
            // Too late: the number goes back, unless it is somebody's.
            if let Said::Given(number) = said
                && !self.ids.contains_key(&number)
            {
                self.hand_back(one, number);
            }
            return Err(Error::Stale);
        }
        self.sets[request.set].request = None;
        Ok(self.believe(one, request.set, (request.min, request.max), request.data, said))
    }

    /// The end of a set's request that has failed or has waited too long.
    pub(super) fn expire(&mut self, set: SetName) -> Option<Due> {
        let ticket = self.sets[set].request?;
        let request = self.requests[ticket];
        if !request.failed && self.now(set) < request.deadline {
            return None;
        }
        self.sets[set].request = None;
        if !request.failed {
            self.fault(request.allocator);
        }
        Some(Due::Failed(ticket))
    }
}

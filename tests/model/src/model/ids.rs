// SPDX-License-Identifier: BSD-2-Clause
//! Ids: allocated, looked at, given up, taken back (s25–s66).

use super::{Asked, Id, Model, Outcome, Said, SetName};
use ioasid_core::event::EventKind;
use ioasid_core::{Error, Freed, Handle, State};

impl Model {
    /// The lowest number in a range that is free.
    pub(crate) fn lowest(&self, min: u32, max: u32) -> Option<u32> {
        (min.max(1)..=max.min(self.world.max)).find(|number| !self.ids.contains_key(number))
    }

    /// An allocation in [min, max]. `said` is what the provider answers, if one is asked.
    pub(crate) fn alloc(
        &mut self,
        set: SetName,
        (min, max): (u32, u32),
        data: u64,
        said: Said,
    ) -> Result<Outcome, Error> {
        if max > self.world.max {
            return Err(Error::InvalidRange);
        }
        self.may_have_one_more(set)?;
        if self.active() != 0 {
            return self.alloc_custom(set, (min, max), data, said);
        }
        let number = self.lowest(min, max).ok_or(Error::NoSpace)?;
        Ok(Outcome::Ready(self.record(set, number, data)))
    }

    /// The short way: an allocation in a window and between two numbers, where nobody else has a say.
    pub(crate) fn alloc_at_once(
        &mut self,
        set: SetName,
        window: (u32, u32),
        (min, max): (u32, u32),
        data: u64,
    ) -> Option<Handle> {
        let range = (min.max(window.0), max.min(window.1));
        let alone = self.active() == 0 && !self.subscribers.iter().flatten().any(|one| one.concerns(set));
        if !alone || max > self.world.max || range.0 > range.1 {
            return None;
        }
        match self.alloc(set, range, data, Said::Nothing) {
            Ok(Outcome::Ready(handle)) => Some(handle),
            _ => None,
        }
    }

    /// The same for up to `most`, one by one.
    pub(crate) fn alloc_many(
        &mut self,
        set: SetName,
        window: (u32, u32),
        range: (u32, u32),
        data: u64,
        most: u32,
    ) -> Vec<Handle> {
        (0..most).map_while(|_| self.alloc_at_once(set, window, range, data)).collect()
    }

    /// Makes a free number the set's.
    pub(super) fn record(&mut self, set: SetName, number: u32, data: u64) -> Handle {
        let id = Id {
            state: State::Allocated,
            owner: Some(set),
            references: 1,
            data,
            group: self.active(),
            asked: Default::default(),
            deadline: 0,
        };
        self.ids.insert(number, id);
        let handle = self.handle(number, 0);
        self.tell(EventKind::Alloc, set, Some(handle), |_| true);
        handle
    }

    pub(crate) fn find(&mut self, set: SetName, handle: Handle) -> Result<u64, Error> {
        self.live(set, handle).map(|id| id.data)
    }

    pub(crate) fn set_data(&mut self, set: SetName, handle: Handle, data: u64) -> Result<(), Error> {
        self.live(set, handle)?.data = data;
        Ok(())
    }

    pub(crate) fn get(&mut self, set: SetName, handle: Handle) -> Result<(), Error> {
        let id = self.live(set, handle)?;
        if id.references == 0xffff {
            return Err(Error::TooManyReferences);
        }
        id.references += 1;
        Ok(())
    }

    pub(crate) fn get_if(&mut self, set: SetName, handle: Handle, accept: bool) -> Result<bool, Error> {
        self.find(set, handle)?;
        if accept {
            self.get(set, handle)?;
        }
        Ok(accept)
    }

    pub(crate) fn free(&mut self, set: SetName, handle: Handle) -> Result<Freed, Error> {
        let id = self.live(set, handle)?;
        id.references -= 1;
        if id.references > 0 {
            id.state = State::Pending;
            return Ok(Freed::Pending);
        }
        Ok(self.give_up(handle))
    }

    pub(crate) fn free_unbound(&mut self, set: SetName, handle: Handle) -> Result<Freed, Error> {
        match self.free(set, handle)? {
            Freed::Teardown if self.reclaim(handle).is_ok() => Ok(Freed::Free),
            freed => Ok(freed),
        }
    }

    pub(crate) fn put(&mut self, set: SetName, handle: Handle) -> Result<Freed, Error> {
        // One that was freed still takes the references that are left.
        let (active, current) = (self.active(), self.is_current(handle));
        if let Some(id) = self.ids.get_mut(&handle.pasid.get())
            && (id.state, id.group, id.owner) == (State::Pending, active, Some(set))
            && current
        {
            id.references -= 1;
            return Ok(if id.references > 0 { Freed::Pending } else { self.give_up(handle) });
        }
        let id = self.live(set, handle)?;
        id.references -= 1;
        Ok(if id.references > 0 { Freed::Held } else { self.give_up(handle) })
    }

    pub(crate) fn revoke(&mut self, handle: Handle) -> Result<(), Error> {
        let id = self.any(handle)?;
        if !matches!(id.state, State::Allocated | State::Pending) {
            return Err(Error::NotFound);
        }
        (id.references, id.data) = (0, 0);
        id.state = State::Teardown;
        if let Some(owner) = id.owner {
            self.tell(EventKind::Revoke, owner, Some(handle), |_| true);
        }
        Ok(())
    }

    pub(crate) fn reclaim(&mut self, handle: Handle) -> Result<(), Error> {
        let id = self.any(handle)?;
        if !matches!(id.state, State::Teardown | State::Quarantined) {
            return Err(Error::InUse);
        }
        let group = id.group;
        // Whoever stands for its group now is told, unless nobody does.
        if let Some(one) = self.allocators.iter().find(|one| one.group == group).copied() {
            if self.busy[usize::from(one.free)] {
                return Err(Error::ProviderBusy);
            }
            self.asked.push(Asked::Free { provider: one.free, pdata: one.pdata, id: handle.pasid.get() });
        }
        let number = handle.pasid.get();
        self.ids.remove(&number);
        let generation = self.generations.entry(number).or_insert(0);
        *generation = generation.wrapping_add(1);
        Ok(())
    }

    pub(crate) fn quarantine(&mut self, handle: Handle) -> Result<(), Error> {
        let id = self.any(handle)?;
        if id.state != State::Teardown {
            return Err(Error::InUse);
        }
        id.state = State::Quarantined;
        let owner = id.owner;
        self.lose(owner, handle.pasid.get());
        Ok(())
    }

    pub(crate) fn attach_spid(&mut self, set: SetName, spid: u32, handle: Handle) -> Result<(), Error> {
        self.find(set, handle)?;
        if self.find_spid(set, spid).is_ok() {
            return Err(Error::AlreadyAttached);
        }
        if spid >= 256 {
            return Err(Error::InvalidRange);
        }
        self.sets[set].spids.insert(spid, handle);
        Ok(())
    }

    pub(crate) fn detach_spid(&mut self, set: SetName, spid: u32) -> Result<(), Error> {
        self.find_spid(set, spid)?;
        self.sets[set].spids.remove(&spid);
        Ok(())
    }

    pub(crate) fn find_spid(&mut self, set: SetName, spid: u32) -> Result<Handle, Error> {
        let handle = *self.sets[set].spids.get(&spid).ok_or(Error::NotFound)?;
        self.find(set, handle).map(|_| handle).map_err(|_| Error::NotFound)
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! Custom allocators: registered and unregistered, asked, believed only where what they say can be.

use super::{Allocation, Completion, Registry};
use crate::allocator::{Allocator, AllocatorId, AllocatorStats, Answer, Provider, Taken, Ticket};
use crate::event::{Event, EventKind, Events};
use crate::set::{Request, Set};
use crate::slot::Life;
use crate::{Error, Handle, Inspection, Pasid, PasidRange, SetId, State};

impl<P: Provider, E: Events> Registry<'_, P, E> {
    /// Registers a custom allocator. The first one becomes active; others wait for their turn, in order, except
    /// that one with the helpers of a registered one joins its group. Privileged.
    ///
    /// # Errors
    /// [`Error::AllocatorBusy`] where it would be the first and ids of the default allocator are not free;
    /// [`Error::AlreadyRegistered`]; [`Error::NoSuchPeer`] where a helper is none of the providers;
    /// [`Error::RegistryFull`].
    pub fn register_allocator(&mut self, allocator: Allocator) -> Result<(), Error> {
        let there = |helper: u8| usize::from(helper) < self.providers.len();
        if !there(allocator.helpers.alloc) || !there(allocator.helpers.free) {
            return Err(Error::NoSuchPeer);
        }
        // What is charged is held, except for allocations that are under way, or have failed and are not told yet.
        let held = |set: &Set| set.used - u32::from(set.request.is_some());
        let held = self.sets.iter().map(held).sum::<u32>() + self.totals.lost;
        self.allocators.register(allocator, held)?;
        self.turn();
        Ok(())
    }

    /// Unregisters a custom allocator and says how many ids are orphaned by that: those of a group whose last
    /// member it was. Nobody finds an orphan, and it is not handed out, until it is [revoked](Self::revoke), torn
    /// down and reclaimed; no provider is told of that. Allocations that it was asked for have failed. Privileged.
    ///
    /// # Errors
    /// [`Error::NotRegistered`].
    pub fn unregister_allocator(&mut self, id: AllocatorId) -> Result<u32, Error> {
        let Taken { allocator, orphans } =
            self.allocators.unregister(id).inspect_err(|_| self.totals.warnings += 1)?;
        self.totals.orphaned += orphans;
        for set in &mut self.sets {
            if let Some(request) = &mut set.request
                && request.allocator == allocator.id
            {
                request.failed = true;
            }
        }
        self.turn();
        Ok(orphans)
    }

    /// A provider has faulted or is gone: every allocator made with it is unregistered. Says how many ids are
    /// orphaned by that. Privileged.
    pub fn provider_gone(&mut self, provider: u8) -> u32 {
        let mut orphans = 0;
        // Bounded: each turn takes one out.
        while let Some(id) = self.allocators.made_with(provider) {
            orphans += self.unregister_allocator(id).unwrap_or(0);
        }
        orphans
    }

    /// The custom allocators, in the order of their turns. Privileged.
    pub fn allocators(&self) -> impl Iterator<Item = AllocatorStats> {
        self.allocators.iter()
    }

    /// A provider, to bring it what came from outside.
    pub fn provider(&mut self, provider: u8) -> Option<&mut P> {
        self.providers.get_mut(usize::from(provider))
    }

    /// The first orphan from a number on, among as many slots as are looked at in one call; or from where on to
    /// look next. `None` at the end. Privileged.
    #[must_use]
    pub fn next_orphan(&self, from: Pasid) -> Option<Result<Inspection, Pasid>> {
        /// How many slots are looked at.
        const VISITS: usize = 1024;
        let mut at = Some(from).filter(|&from| from <= self.config.max_pasid);
        for _ in 0..VISITS {
            match self.inspect(at?) {
                Some(found) if found.state == State::Orphaned => return Some(Ok(found)),
                _ => at = at?.next().filter(|&next| next <= self.config.max_pasid),
            }
        }
        at.map(Err)
    }

    /// Makes it the first group's turn.
    fn turn(&mut self) {
        self.live = Life::new(State::Allocated, self.allocators.active_tag());
        self.settle();
    }

    /// Asks the active custom allocator for an id for a set that may have one more.
    pub(super) fn alloc_custom(
        &mut self,
        set: SetId,
        range: PasidRange,
        data: u64,
    ) -> Result<Allocation, Error> {
        let record = &mut self.sets[set.index()];
        if record.request.is_some() {
            return Err(Error::ProviderBusy);
        }
        let allocator = self.allocators.current(self.live.tag()).ok_or(Error::ProviderFault)?;
        let ticket = Ticket { set, sequence: record.sequence.wrapping_add(1), allocator: allocator.id };
        let provider =
            self.providers.get_mut(usize::from(allocator.helpers.alloc)).ok_or(Error::ProviderFault)?;
        let answer = provider.alloc(allocator.pdata, range, ticket);
        if answer == Answer::Later {
            let record = &mut self.sets[set.index()];
            self.waiting[set.index()] += 1;
            let deadline = self.now[set.index()].wrapping_add(self.config.provider_bound);
            record.sequence = ticket.sequence;
            record.request = Some(Request { allocator: allocator.id, range, data, deadline, failed: false });
            self.charge(set, 1);
            return Ok(Allocation::Pending(ticket));
        }
        let pasid = self.chosen(allocator, range, answer)?;
        self.charge(set, 1);
        self.record(set, pasid, data).map(Allocation::Ready)
    }

    /// Records an id that a custom allocator chose, for a set that is charged already.
    fn record(&mut self, set: SetId, pasid: Pasid, data: u64) -> Result<Handle, Error> {
        self.allocators.born(self.live.tag());
        self.space.free.remove(pasid);
        self.occupy(set, pasid, self.live, data)
    }

    /// The id that an allocator chose, if it is one that may be recorded: exactly that one, free and in the range.
    fn chosen(&mut self, allocator: Allocator, range: PasidRange, answer: Answer) -> Result<Pasid, Error> {
        let number = match answer {
            Answer::Given(number) => number,
            Answer::Nothing => return Err(Error::NoSpace),
            Answer::Failed | Answer::Later => return Err(self.fault(allocator.id)),
        };
        if self.is_tracked(number) {
            return Err(self.fault(allocator.id));
        }
        match Pasid::new(number) {
            Some(pasid) if range.contains(pasid) => Ok(pasid),
            _ => {
                self.hand_back(allocator, number);
                Err(self.fault(allocator.id))
            }
        }
    }

    /// Whether a number is somebody's. One that is must not be handed back, or they would lose it.
    fn is_tracked(&self, number: u32) -> bool {
        let slot = Pasid::new(number).and_then(|pasid| self.space.slot(pasid));
        slot.is_some_and(|slot| slot.state() != State::Free)
    }

    fn fault(&mut self, allocator: AllocatorId) -> Error {
        self.allocators.count_fault(allocator);
        self.totals.provider_faults += 1;
        Error::ProviderFault
    }

    /// Hands a number back that is not going to be recorded.
    fn hand_back(&mut self, allocator: Allocator, number: u32) {
        let told = self
            .providers
            .get_mut(usize::from(allocator.helpers.free))
            .is_some_and(|provider| provider.free(allocator.pdata, number).is_ok());
        if !told {
            self.totals.leaked += 1;
        }
    }

    /// Tells the allocator of a recorded id that it is free again, through whoever stands for its group now. Nobody
    /// does for an orphan.
    pub(super) fn tell_provider(&mut self, tag: u8, pasid: Pasid) -> Result<(), Error> {
        let Some(allocator) = self.allocators.current(tag) else { return Ok(()) };
        match self.providers.get_mut(usize::from(allocator.helpers.free)) {
            Some(provider) => provider.free(allocator.pdata, pasid.get()).map_err(|_| Error::ProviderBusy),
            None => Ok(()),
        }
    }

    /// A provider's answer to an allocation that it was asked for with a ticket. `provider` is who it came from,
    /// which the caller knows from the channel.
    ///
    /// # Errors
    /// [`Error::Stale`] where no such allocation is under way with this provider any more. A number that comes too
    /// late is handed back.
    pub fn complete(&mut self, provider: u8, ticket: Ticket, answer: Answer) -> Result<Completion, Error> {
        let asked = self.allocators.get(ticket.allocator).filter(|one| one.helpers.alloc == provider);
        let allocator = asked.ok_or(Error::Stale)?;
        let record = &mut self.sets[ticket.set.index()];
        let waits = record.id == ticket.set && record.sequence == ticket.sequence;
        let answered = |request: &mut Request| !request.failed && request.allocator == allocator.id;
        let Some(request) = record.request.take_if(|request| waits && answered(request)) else {
            self.came_too_late(allocator, answer);
            return Err(Error::Stale);
        };
        self.waiting[ticket.set.index()] -= 1;
        let result = self.finish(ticket.set, allocator, request, answer);
        if let Ok(handle) = result {
            self.announce(&Event::new(EventKind::Alloc, ticket.set, Some(handle)));
        }
        Ok(Completion { ticket, result })
    }

    fn finish(
        &mut self,
        set: SetId,
        allocator: Allocator,
        request: Request,
        answer: Answer,
    ) -> Result<Handle, Error> {
        match self.chosen(allocator, request.range, answer) {
            Ok(pasid) => self.record(set, pasid, request.data),
            Err(error) => {
                self.discharge(set);
                Err(error)
            }
        }
    }

    fn came_too_late(&mut self, allocator: Allocator, answer: Answer) {
        if let Answer::Given(number) = answer
            && !self.is_tracked(number)
        {
            self.hand_back(allocator, number);
        }
    }

    /// The end of a set's request that has failed or waited too long.
    pub(super) fn expire(&mut self, index: usize) -> Option<Completion> {
        let now = self.now[index];
        let record = &mut self.sets[index];
        let request = record.request.take_if(|request| request.failed || is_past(request.deadline, now))?;
        let ticket = Ticket { set: record.id, sequence: record.sequence, allocator: request.allocator };
        self.waiting[index] -= 1;
        // Where the allocator has left, nobody answered wrongly or too late.
        let error = if request.failed { Error::ProviderFault } else { self.fault(ticket.allocator) };
        self.discharge(ticket.set);
        Some(Completion { ticket, result: Err(error) })
    }

    /// Forgets what a set has asked for.
    pub(super) fn cancel(&mut self, set: SetId) {
        if self.sets[set.index()].request.take().is_some() {
            self.waiting[set.index()] -= 1;
            self.discharge(set);
        }
    }
}

/// Whether a time has come, where times wrap.
pub(super) fn is_past(deadline: u32, now: u32) -> bool {
    now.wrapping_sub(deadline) < 1 << 31
}

#[cfg(test)]
mod tests {
    use super::is_past;

    #[test]
    fn a_time_has_come_for_half_of_the_time_there_is() {
        for now in [0, 5, u32::MAX] {
            assert!(is_past(now, now) && is_past(now, now.wrapping_add((1 << 31) - 1)));
            assert!(!is_past(now, now.wrapping_add(1 << 31)) && !is_past(now, now.wrapping_sub(1)));
        }
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! The way of an id from being live to being free again.
//!
//! Allocated → Pending, while others hold references → Stopping, while those who were told have not
//! acknowledged → Teardown → free, or Quarantined where the teardown could not be confirmed. Steps that there is no
//! reason for are left out. An id is charged to its set until it is free.

use super::{Freed, Registry};
use crate::allocator::Provider;
use crate::event::{Event, EventKind, Events, Role};
use crate::set::Phase;
use crate::slot::{Identity, Life, Slot};
use crate::{Error, Handle, Pasid, SetId, State};

impl<P: Provider, E: Events> Registry<'_, P, E> {
    /// Gives an id up: from now on it is not found. Where nobody else has to let go of it, it is to be torn down at
    /// once; else [`poll`](Self::poll) or whoever drops the last reference says when.
    ///
    /// # Errors
    /// As [`find`](Self::find): an id that was freed already is [`Error::NotFound`].
    #[inline(always)]
    pub fn free(&mut self, set: SetId, handle: Handle) -> Result<Freed, Error> {
        let identity = self.last(set, handle);
        match self.space.slot_mut(handle.pasid) {
            Some(slot) if slot.is_last(identity) => {
                slot.tear_down();
                Ok(Freed::Teardown)
            }
            _ => self.free_watched(set, handle),
        }
    }

    /// [`free`](Self::free) and [`reclaim`](Self::reclaim) in one, for an id that no hardware knows: there is nothing to
    /// tear down. [`Freed::Free`] where nobody has to let go of it first, and its allocator could be told.
    ///
    /// # Errors
    /// As [`free`](Self::free).
    #[inline(always)]
    pub fn free_unbound(&mut self, set: SetId, handle: Handle) -> Result<Freed, Error> {
        let identity = self.last(set, handle);
        if !self.vacate_if(handle, |slot| slot.is_last(identity).then_some(set)) {
            return self.free_unbound_watched(set, handle);
        }
        Ok(Freed::Free)
    }

    #[cold]
    #[inline(never)]
    fn free_unbound_watched(&mut self, set: SetId, handle: Handle) -> Result<Freed, Error> {
        match self.free_watched(set, handle)? {
            Freed::Teardown if self.reclaim(handle).is_ok() => Ok(Freed::Free),
            freed => Ok(freed),
        }
    }

    /// The same where somebody else has a say.
    #[cold]
    #[inline(never)]
    fn free_watched(&mut self, set: SetId, handle: Handle) -> Result<Freed, Error> {
        let slot = self.live_slot_mut(set, handle)?;
        if slot.put() {
            slot.set_state(State::Pending);
            return Ok(Freed::Pending);
        }
        Ok(self.give_up(set, handle))
    }

    /// Drops a reference. The last one frees the id.
    ///
    /// # Errors
    /// As [`find`](Self::find). An id that was freed while others held references still takes their `put`.
    pub fn put(&mut self, set: SetId, handle: Handle) -> Result<Freed, Error> {
        let pending = Identity::new(set, handle.generation, self.live.with(State::Pending));
        let (slot, held) = match self.space.slot_mut(handle.pasid) {
            Some(slot) if slot.is(pending) => (slot, Freed::Pending),
            _ => (self.live_slot_mut(set, handle)?, Freed::Held),
        };
        if slot.put() {
            return Ok(held);
        }
        Ok(self.give_up(set, handle))
    }

    /// Takes an id away from its owner, whatever references there are and without waiting for anybody: its owner is
    /// told, and it is to be torn down now. It is also how an orphan is brought to an end. Privileged.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the id is free or given up already, [`Error::Stale`] where the handle is of
    /// another generation.
    pub fn revoke(&mut self, handle: Handle) -> Result<(), Error> {
        let slot = self.slot_of(handle)?;
        let owner = slot.owner();
        if !matches!(slot.state(), State::Allocated | State::Pending) {
            return Err(Error::NotFound);
        }
        self.leave(handle.pasid);
        self.announce(&Event::new(EventKind::Revoke, owner, Some(handle)));
        self.set_state(handle.pasid, State::Teardown);
        Ok(())
    }

    /// An id with no reference left begins its way out.
    #[cold]
    #[inline(never)]
    pub(super) fn give_up(&mut self, owner: SetId, handle: Handle) -> Freed {
        self.leave(handle.pasid);
        if self.pass_on(owner, handle, Role::Cpu) { Freed::Teardown } else { Freed::Pending }
    }

    /// An id is not live any more.
    fn leave(&mut self, pasid: Pasid) {
        let Some(slot) = self.space.slot_mut(pasid) else { return };
        slot.drop_references();
        let tag = slot.life().tag();
        self.allocators.dying(tag);
        if self.allocators.is_orphaned(tag) {
            self.totals.orphaned -= 1;
        }
    }

    #[inline(always)]
    pub(super) fn set_state(&mut self, pasid: Pasid, state: State) {
        if let Some(slot) = self.space.slot_mut(pasid) {
            slot.set_state(state);
        }
    }

    /// The state of an id, where an orphan is told apart.
    pub(super) fn state(&self, slot: &Slot) -> State {
        match slot.state() {
            State::Allocated | State::Pending if self.allocators.is_orphaned(slot.life().tag()) => {
                State::Orphaned
            }
            state => state,
        }
    }

    /// The slot that a handle is of, whoever's it is, unless it is free.
    #[inline(always)]
    pub(super) fn slot_of(&self, handle: Handle) -> Result<&Slot, Error> {
        let slot = self.space.slot(handle.pasid).ok_or(Error::NotFound)?;
        if slot.life() == Life::FREE {
            return Err(Error::NotFound);
        }
        if slot.generation() == handle.generation { Ok(slot) } else { Err(Error::Stale) }
    }

    /// The teardown of an id is confirmed: it may be handed out again, in its next generation. If a custom allocator
    /// chose it, that is told.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the id is free, [`Error::Stale`] where the handle is of another generation,
    /// [`Error::InUse`] where it was not given out for teardown, [`Error::ProviderBusy`] where the allocator
    /// cannot be told now: try again later.
    #[inline(always)]
    pub fn reclaim(&mut self, handle: Handle) -> Result<(), Error> {
        if self.vacate_if(handle, |slot| slot.is_torn_down(handle.generation).then_some(slot.owner())) {
            return Ok(());
        }
        self.reclaim_other(handle)
    }

    /// What the slot of a handle says where the short way is open for it.
    #[inline(always)]
    fn last(&self, set: SetId, handle: Handle) -> Identity {
        Identity::new(set, handle.generation, self.sets[set.index()].quick.live)
    }

    /// Makes an id of the default allocator's free again if `good` finds in its slot that it can be, and whose it was.
    #[inline(always)]
    fn vacate_if(&mut self, handle: Handle, good: impl FnOnce(&Slot) -> Option<SetId>) -> bool {
        let pasid = handle.pasid;
        let Some(block) = self.space.block_mut(pasid) else { return false };
        let slot = &mut block[pasid.place()];
        let Some(owner) = good(slot) else { return false };
        slot.vacate(handle.generation.next());
        if block[owner.index()].count_down() {
            self.leave_block(owner, pasid);
        }
        self.space.free.insert(pasid);
        self.discharge(owner);
        true
    }

    /// The same for an id that was in quarantine or chosen by a custom allocator, or for none.
    #[cold]
    #[inline(never)]
    fn reclaim_other(&mut self, handle: Handle) -> Result<(), Error> {
        let slot = self.slot_of(handle)?;
        let (owner, life) = (slot.owner(), slot.life());
        if !matches!(life.state(), State::Teardown | State::Quarantined) {
            return Err(Error::InUse);
        }
        self.tell_provider(life.tag(), handle.pasid)?;
        self.allocators.gone(life.tag());
        if life.state() == State::Quarantined {
            self.totals.quarantined -= 1;
        }
        if let Some(slot) = self.space.slot_mut(handle.pasid) {
            slot.vacate(handle.generation.next());
        }
        self.space.free.insert(handle.pasid);
        if owner == SetId::NONE {
            self.totals.lost -= 1;
            self.totals.spare += 1;
        } else {
            self.forget(owner, handle.pasid);
            self.discharge(owner);
        }
        Ok(())
    }

    /// The teardown of an id could not be confirmed: it stays in quarantine, and stays charged to its set, until
    /// somebody who knows better reclaims it. When its set goes, it is counted as lost.
    ///
    /// # Errors
    /// As [`reclaim`](Self::reclaim).
    pub fn quarantine(&mut self, handle: Handle) -> Result<(), Error> {
        let slot = self.slot_of(handle)?;
        let owner = slot.owner();
        if slot.state() != State::Teardown {
            return Err(Error::InUse);
        }
        self.set_state(handle.pasid, State::Quarantined);
        self.totals.quarantined += 1;
        if self.sets[owner.index()].phase == Phase::Draining {
            self.lose(owner, handle.pasid);
        }
        Ok(())
    }

    /// Moves the charge of a quarantined id from a set that is going to the common account.
    pub(super) fn lose(&mut self, owner: SetId, pasid: Pasid) {
        if let Some(slot) = self.space.slot_mut(pasid) {
            slot.disown();
        }
        self.forget(owner, pasid);
        self.discharge(owner);
        // What it took of the stock stays taken.
        self.sets[owner.index()].granted -= 1;
        self.totals.lost += 1;
    }
}

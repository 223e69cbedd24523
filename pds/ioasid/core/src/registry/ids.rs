// SPDX-License-Identifier: BSD-2-Clause
//! Live ids: alloc, find, private data, references.

use super::{Allocation, Inspection, Registry};
use crate::allocator::Provider;
use crate::event::{Event, EventKind, Events};
use crate::slot::{Identity, Slot};
use crate::{Error, Handle, Pasid, PasidRange, SetId, State};

impl<P: Provider, E: Events> Registry<'_, P, E> {
    /// Gives a set the lowest free id in a range, with `data` as its private data and one reference. Where a custom
    /// allocator is active, it chooses.
    ///
    /// # Errors
    /// [`Error::InvalidRange`] where the range goes beyond [`max_pasid`](Self::max_pasid); [`Error::NoSpace`]
    /// where none is free there, or all that are free are guaranteed to others; [`Error::QuotaExceeded`] where
    /// the set is at its limit; [`Error::NoSuchSet`]. With a custom allocator also [`Error::ProviderFault`] and
    /// [`Error::ProviderBusy`].
    #[inline(always)]
    pub fn alloc(&mut self, set: SetId, range: PasidRange, data: u64) -> Result<Allocation, Error> {
        if range.max() > self.quick.max {
            return self.alloc_watched(set, range, data);
        }
        self.charge(set)?;
        match self.space.free.take_lowest(range) {
            Some(pasid) => self.occupy(set, pasid, data).map(Allocation::Ready),
            None => Err(self.uncharge(set, Error::NoSpace)),
        }
    }

    /// The same where an allocator of somebody's chooses, or somebody wants to be told.
    #[cold]
    #[inline(never)]
    fn alloc_watched(&mut self, set: SetId, range: PasidRange, data: u64) -> Result<Allocation, Error> {
        if range.max() > self.config.max_pasid {
            return Err(Error::InvalidRange);
        }
        self.charge(set)?;
        let allocation = if self.live.tag() != 0 {
            self.alloc_custom(set, range, data)
        } else if let Some(pasid) = self.space.free.take_lowest(range) {
            self.occupy(set, pasid, data).map(Allocation::Ready)
        } else {
            Err(Error::NoSpace)
        };
        match allocation {
            Ok(Allocation::Ready(handle)) => {
                self.announce(&Event::new(EventKind::Alloc, set, Some(handle)));
                allocation
            }
            Ok(Allocation::Pending(_)) => allocation,
            Err(error) => Err(self.uncharge(set, error)),
        }
    }

    /// Charges one more id to a set.
    #[inline(always)]
    fn charge(&mut self, set: SetId) -> Result<(), Error> {
        let record = &mut self.sets[set.index()];
        // A set that is not open has the limit 0.
        if record.id != set || record.used >= record.share.limit {
            return Err(self.over_limit(set));
        }
        if record.used >= record.share.reservation {
            self.totals.spare = self.totals.spare.checked_sub(1).ok_or(Error::NoSpace)?;
        }
        record.used += 1;
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn over_limit(&self, set: SetId) -> Error {
        self.open_set(set).map_or_else(|error| error, |_| Error::QuotaExceeded)
    }

    /// Gives back the charge for an id that is not to be had after all.
    #[cold]
    #[inline(never)]
    pub(super) fn uncharge(&mut self, set: SetId, error: Error) -> Error {
        let peak = self.sets[set.index()].peak;
        self.discharge(set);
        self.sets[set.index()].peak = peak;
        error
    }

    /// Gives back the charge for an id.
    #[inline(always)]
    pub(super) fn discharge(&mut self, set: SetId) {
        let record = &mut self.sets[set.index()];
        if record.used > record.peak {
            record.peak = record.used;
        }
        record.used -= 1;
        if record.used >= record.share.reservation {
            self.totals.spare += 1;
        }
    }

    /// Makes an id that was just taken the set's, which is charged already, and remembers where it is.
    #[inline(always)]
    pub(super) fn occupy(&mut self, set: SetId, pasid: Pasid, data: u64) -> Result<Handle, Error> {
        let live = self.live;
        let slots = &mut *self.space.slots;
        let slot = slots.get_mut(pasid.index()).ok_or(Error::NotFound)?;
        slot.occupy(set, live, data);
        let handle = slot.handle(pasid);
        if slots.get_mut(pasid.counter(set)).is_some_and(Slot::count_up) {
            self.index[set.index()].blocks.insert(pasid.block());
        }
        Ok(handle)
    }

    /// Forgets that an id is a set's.
    #[inline(always)]
    pub(super) fn forget(&mut self, set: SetId, pasid: Pasid) {
        if self.space.slots.get_mut(pasid.counter(set)).is_some_and(Slot::count_down) {
            self.index[set.index()].blocks.remove(pasid.block());
        }
    }

    /// The slot of a live id of the set's.
    #[inline(always)]
    fn live_slot(&self, set: SetId, handle: Handle) -> Result<&Slot, Error> {
        match self.space.slot(handle.pasid) {
            Some(slot) if slot.is(Identity::new(set, handle.generation, self.live)) => Ok(slot),
            slot => Err(self.refusal(slot, set, handle)),
        }
    }

    #[inline(always)]
    pub(super) fn live_slot_mut(&mut self, set: SetId, handle: Handle) -> Result<&mut Slot, Error> {
        self.live_slot(set, handle)?;
        self.space.slot_mut(handle.pasid).ok_or(Error::NotFound)
    }

    /// Why a handle is no good.
    #[cold]
    #[inline(never)]
    pub(super) fn refusal(&self, slot: Option<&Slot>, set: SetId, handle: Handle) -> Error {
        let Some(slot) = slot else { return Error::NotFound };
        let own = slot.owner() == set;
        if own && slot.generation() != handle.generation {
            Error::Stale
        } else if slot.life() == self.live && !own {
            Error::NotOwner
        } else {
            Error::NotFound
        }
    }

    /// The private data of a live id of the set's. 0 where none was given.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the id is not live; [`Error::NotOwner`] where it is another set's;
    /// [`Error::Stale`] where the handle is of another generation.
    #[inline(always)]
    pub fn find(&self, set: SetId, handle: Handle) -> Result<u64, Error> {
        self.live_slot(set, handle).map(|slot| slot.data)
    }

    /// The present handle and the private data of a live id of the set's, by its number alone.
    ///
    /// # Errors
    /// As [`find`](Self::find), except for `Stale`.
    pub fn lookup(&self, set: SetId, pasid: Pasid) -> Result<(Handle, u64), Error> {
        let slot = self.space.slot(pasid).ok_or(Error::NotFound)?;
        let handle = slot.handle(pasid);
        self.find(set, handle).map(|data| (handle, data))
    }

    /// Everything that is known of an id, whoever's it is; `None` where it is free. Privileged.
    #[must_use]
    pub fn inspect(&self, pasid: Pasid) -> Option<Inspection> {
        let slot = self.space.slot(pasid)?;
        let state = self.state(slot);
        let owner = (slot.owner() != SetId::NONE).then_some(slot.owner());
        (state != State::Free).then(|| Inspection {
            handle: slot.handle(pasid),
            state,
            owner,
            references: slot.references(),
            data: slot.data,
        })
    }

    /// Replaces the private data. No look-up after it sees the old.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub fn set_data(&mut self, set: SetId, handle: Handle, data: u64) -> Result<(), Error> {
        self.live_slot_mut(set, handle)?.data = data;
        Ok(())
    }

    /// Takes one more reference.
    ///
    /// # Errors
    /// As [`find`](Self::find); [`Error::TooManyReferences`] at 65,535.
    pub fn get(&mut self, set: SetId, handle: Handle) -> Result<(), Error> {
        if self.live_slot_mut(set, handle)?.get() { Ok(()) } else { Err(Error::TooManyReferences) }
    }

    /// Takes one more reference if `accept` likes the private data, and says whether it did. The id cannot go
    /// while `accept` looks at it.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_if(
        &mut self,
        set: SetId,
        handle: Handle,
        accept: impl FnOnce(u64) -> bool,
    ) -> Result<bool, Error> {
        let slot = self.live_slot_mut(set, handle)?;
        if !accept(slot.data) {
            return Ok(false);
        }
        if slot.get() { Ok(true) } else { Err(Error::TooManyReferences) }
    }
}

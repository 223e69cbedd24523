// SPDX-License-Identifier: BSD-2-Clause
//! Live ids: alloc, find, private data, references.

use super::{Allocation, Inspection, Registry};
use crate::allocator::Provider;
use crate::event::{Event, EventKind, Events};
use crate::set::Phase;
use crate::slot::Identity;
use crate::{Error, Handle, Pasid, PasidRange, SetId, Slot, State, block_map};

impl<P: Provider, E: Events> Registry<'_, P, E> {
    /// Gives a set the lowest free id in a range, with `data` as its private data and one reference. Where a custom
    /// allocator is active, it chooses.
    ///
    /// # Errors
    /// [`Error::InvalidRange`] where the range goes beyond [`max_pasid`](Self::max_pasid); [`Error::NoSpace`]
    /// where none is free there, or all that are free are guaranteed to others; [`Error::QuotaExceeded`] where
    /// the set is at its limit; [`Error::NoSuchSet`]. With a custom allocator also [`Error::ProviderFault`] and
    /// [`Error::ProviderBusy`].
    #[inline]
    pub fn alloc(&mut self, set: SetId, range: PasidRange, data: u64) -> Result<Allocation, Error> {
        if range.max() > self.config.max_pasid {
            return Err(Error::InvalidRange);
        }
        self.may_charge(set)?;
        if self.live.tag() != 0 {
            return self.alloc_custom(set, range, data);
        }
        let pasid = self.space.lowest_free(range).ok_or(Error::NoSpace)?;
        self.charge(set);
        self.occupy(set, pasid, data).map(Allocation::Ready)
    }

    /// Whether a set may have one more id.
    #[inline]
    fn may_charge(&self, set: SetId) -> Result<(), Error> {
        let record = &self.sets[set.index()];
        if record.id != set || record.phase != Phase::Open {
            return Err(Error::NoSuchSet);
        }
        if record.used >= record.share.limit {
            return Err(Error::QuotaExceeded);
        }
        if record.used >= record.share.reservation && self.totals.committed >= self.totals.capacity {
            return Err(Error::NoSpace);
        }
        Ok(())
    }

    /// Charges an id to a set that may have it.
    #[inline]
    pub(super) fn charge(&mut self, set: SetId) {
        let record = &mut self.sets[set.index()];
        if record.used >= record.share.reservation {
            self.totals.committed += 1;
        }
        record.used += 1;
    }

    /// Gives a charge back.
    #[inline]
    pub(super) fn discharge(&mut self, set: SetId) {
        let record = &mut self.sets[set.index()];
        record.used -= 1;
        if record.used >= record.share.reservation {
            self.totals.committed -= 1;
        }
    }

    /// Makes a free id the set's, which is charged already, and remembers where it is.
    #[inline]
    pub(super) fn occupy(&mut self, set: SetId, pasid: Pasid, data: u64) -> Result<Handle, Error> {
        self.space.take(pasid);
        let block = self.space.block_mut(pasid).ok_or(Error::NotFound)?;
        let slot = &mut block[pasid.place()];
        slot.occupy(set, self.live, data);
        let handle = slot.handle(pasid);
        if block[set.index()].count_up() == 0 {
            block_map::insert(&mut self.blocks[set.index()], pasid.block());
        }
        let record = &mut self.sets[set.index()];
        record.peak = record.peak.max(record.used);
        record.allocated += 1;
        self.allocators.born(self.live.tag());
        self.announce(&Event::new(EventKind::Alloc, set, Some(handle)));
        Ok(handle)
    }

    /// Forgets that an id is a set's.
    #[inline]
    pub(super) fn forget(&mut self, set: SetId, pasid: Pasid) {
        if let Some(block) = self.space.block_mut(pasid)
            && block[set.index()].count_down() == 0
        {
            block_map::remove(&mut self.blocks[set.index()], pasid.block());
        }
    }

    #[inline]
    fn identity(&self, set: SetId, handle: Handle) -> Identity {
        Identity::new(set, handle.generation, self.live)
    }

    /// The slot of a live id of the set's.
    #[inline]
    fn live_slot(&self, set: SetId, handle: Handle) -> Result<&Slot, Error> {
        match self.space.slot(handle.pasid) {
            Some(slot) if slot.is(self.identity(set, handle)) => Ok(slot),
            slot => Err(self.refusal(slot, set, handle)),
        }
    }

    #[inline]
    pub(super) fn live_slot_mut(&mut self, set: SetId, handle: Handle) -> Result<&mut Slot, Error> {
        let identity = self.identity(set, handle);
        match self.space.slot(handle.pasid) {
            Some(slot) if slot.is(identity) => {}
            slot => return Err(self.refusal(slot, set, handle)),
        }
        self.space.slot_mut(handle.pasid).ok_or(Error::NotFound)
    }

    /// Why a handle is no good.
    #[cold]
    fn refusal(&self, slot: Option<&Slot>, set: SetId, handle: Handle) -> Error {
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
    #[inline]
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

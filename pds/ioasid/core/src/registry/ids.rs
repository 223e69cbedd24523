// SPDX-License-Identifier: BSD-2-Clause
//! Live ids: alloc, find, private data, references.

use super::{Allocation, Inspection, Registry};
use crate::allocator::Provider;
use crate::event::{Event, EventKind, Events};
use crate::slot::{Identity, Life, Slot};
use crate::{Error, Handle, Pasid, PasidRange, SetId, State};
use core::ops::RangeInclusive;

impl<P: Provider, E: Events> Registry<'_, P, E> {
    /// Gives a set the lowest free id in a range, with `data` as its private data and one reference. Where a custom
    /// allocator is active, it chooses. PASID 0 is reserved: a range that begins with it begins with 1.
    ///
    /// # Errors
    /// [`Error::InvalidRange`] where nothing is in the range, or it goes beyond [`max_pasid`](Self::max_pasid);
    /// [`Error::NoSpace`] where none is free there, or all that are free are guaranteed to others;
    /// [`Error::QuotaExceeded`] where the set is at its limit; [`Error::NoSuchSet`]. With a custom allocator also
    /// [`Error::ProviderFault`] and [`Error::ProviderBusy`].
    #[inline(always)]
    pub fn alloc(&mut self, set: SetId, range: RangeInclusive<u32>, data: u64) -> Result<Allocation, Error> {
        let (min, max) = range.into_inner();
        let Some(highest) = self.sets[set.index()].quick.max.at_most(max) else {
            return self.alloc_watched(set, min, max, data);
        };
        match self.alloc_default(set, min, highest, data) {
            Ok(handle) => Ok(Allocation::Ready(handle)),
            // In an empty range none was found either.
            Err(error) => PasidRange::new(min, max).and(Err(error)),
        }
    }

    /// The lowest free id in a range that is within a window: the short way. `None` where anything is not as it mostly is.
    /// Then nothing has changed, and [`alloc`](Self::alloc) knows what there is to do or to say.
    #[inline(always)]
    pub fn alloc_at_once(
        &mut self,
        set: SetId,
        window: PasidRange,
        range: RangeInclusive<u32>,
        data: u64,
    ) -> Option<Handle> {
        let (min, max) = range.into_inner();
        let highest = self.sets[set.index()].quick.max.at_most(max)?;
        self.alloc_default(set, window.min().get().max(min), window.max().min(highest), data).ok()
    }

    /// The lowest free id from `min` to `max`; `min` may be any number.
    #[inline(always)]
    fn alloc_default(&mut self, set: SetId, min: u32, max: Pasid, data: u64) -> Result<Handle, Error> {
        let Some(pasid) = self.space.free.lowest(min, max) else {
            return Err(self.not_found(set));
        };
        let record = &mut self.sets[set.index()];
        if record.id == set && record.used < record.granted {
            record.used += 1;
        } else {
            self.charge_more(set)?;
        }
        self.space.free.remove(pasid);
        self.occupy(set, pasid, Life::LIVE, data)
    }

    /// The same where an allocator of somebody's chooses, or somebody wants to be told.
    #[cold]
    #[inline(never)]
    fn alloc_watched(&mut self, set: SetId, min: u32, max: u32, data: u64) -> Result<Allocation, Error> {
        let range = PasidRange::new(min, max)?;
        if range.max() > self.config.max_pasid {
            return Err(Error::InvalidRange);
        }
        self.open_set(set)?;
        let allocation = if self.live.tag() == 0 {
            Allocation::Ready(self.alloc_default(set, min, range.max(), data)?)
        } else {
            self.may_have_more(set)?;
            self.alloc_custom(set, range, data)?
        };
        if let Allocation::Ready(handle) = allocation {
            self.announce(&Event::new(EventKind::Alloc, set, Some(handle)));
        }
        Ok(allocation)
    }

    /// Makes an id that was just taken the set's, which is charged already, and remembers where it is.
    #[inline(always)]
    pub(super) fn occupy(
        &mut self,
        set: SetId,
        pasid: Pasid,
        life: Life,
        data: u64,
    ) -> Result<Handle, Error> {
        let block = self.space.block_mut(pasid).ok_or(Error::NotFound)?;
        let slot = &mut block[pasid.place()];
        slot.occupy(set, life, data);
        let handle = slot.handle(pasid);
        if block[set.index()].count_up() {
            self.enter_block(set, pasid);
        }
        Ok(handle)
    }

    /// Forgets that an id is a set's.
    #[inline(always)]
    pub(super) fn forget(&mut self, set: SetId, pasid: Pasid) {
        if self.space.block_mut(pasid).is_some_and(|block| block[set.index()].count_down()) {
            self.leave_block(set, pasid);
        }
    }

    /// A set has its first id of a block.
    #[cold]
    #[inline(never)]
    fn enter_block(&mut self, set: SetId, pasid: Pasid) {
        self.index[set.index()].blocks.insert(pasid.block());
    }

    /// A set has lost its last id of a block.
    #[cold]
    #[inline(never)]
    pub(super) fn leave_block(&mut self, set: SetId, pasid: Pasid) {
        self.index[set.index()].blocks.remove(pasid.block());
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
        let own = slot.owner() == set && set != SetId::NONE;
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
            // Afterwards its place is used for other things.
            data: if slot.references() > 0 { slot.data } else { 0 },
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

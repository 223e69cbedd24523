// SPDX-License-Identifier: BSD-2-Clause
//! Requests about ids: the registry decides, and the unit confirms before a number is free again.

use ioasid_api::{Alloc, Allocated, Code, Done, Found, Handle, References};
use ioasid_core::{Allocation, Error, Freed, Pasid, PasidRange, SetId, Work};
use ioasid_trace::Event as Traced;
use vtd::{Registers, TableMemory};

use crate::clients::ClientId;
use crate::codes;
use crate::server::{Answer, Server};

/// The protocol's form of a handle, in this life of the server.
#[inline(always)]
pub(crate) fn handle_of(handle: ioasid_core::Handle, epoch: u16) -> Handle {
    Handle { pasid: handle.pasid.get(), generation: handle.generation.raw(), epoch }
}

impl<R: Registers, M: TableMemory> Server<'_, R, M> {
    #[inline(always)]
    pub(crate) fn set(&self, client: ClientId) -> SetId {
        self.clients.set(client)
    }

    /// The registry's form of a handle of this life of the server.
    #[inline(always)]
    pub(crate) fn handle(&self, handle: Handle) -> Answer<ioasid_core::Handle> {
        if handle.epoch != self.epoch {
            return Err(Code::ServerRestarted);
        }
        Ok(ioasid_core::Handle {
            pasid: Pasid::new(handle.pasid).ok_or(Code::BadField)?,
            generation: ioasid_core::Generation::from_raw(handle.generation),
        })
    }

    /// The protocol's form of a handle.
    #[inline(always)]
    pub(crate) fn wire(&self, handle: ioasid_core::Handle) -> Handle {
        handle_of(handle, self.epoch)
    }

    /// The id behind a handle, where it is live and the client's own.
    #[inline(always)]
    pub(crate) fn own(&self, client: ClientId, handle: Handle) -> Answer<ioasid_core::Handle> {
        let handle = self.handle(handle)?;
        self.registry.find(self.set(client), handle).map_err(codes::registry)?;
        Ok(handle)
    }

    #[inline(always)]
    pub(crate) fn alloc(&mut self, client: ClientId, alloc: &Alloc) -> Answer<Allocated> {
        Ok(Allocated { handle: self.alloc_between(client, alloc.min, alloc.max, alloc.data)? })
    }

    pub(crate) fn range(&self, min: u32, max: u32) -> Answer<PasidRange> {
        let range = PasidRange::new(min, max).map_err(codes::registry)?;
        if range.max() > self.registry.max_pasid() { Err(Code::InvalidRange) } else { Ok(range) }
    }

    /// An id from `min` to `max`: one of the client's own window first, then one of those that nobody's window has. What
    /// others do is not to be seen in the numbers.
    #[inline(always)]
    pub(crate) fn alloc_between(
        &mut self,
        client: ClientId,
        min: u32,
        max: u32,
        data: u64,
    ) -> Answer<Handle> {
        let (set, own) = (self.set(client), self.clients.window(client));
        match self.registry.alloc_at_once(set, own, min..=max, data) {
            Some(handle) => Ok(self.allocated(client, handle, data)),
            None => self.alloc_slowly(client, min, max, data),
        }
    }

    /// The same, step by step.
    #[cold]
    #[inline(never)]
    fn alloc_slowly(&mut self, client: ClientId, min: u32, max: u32, data: u64) -> Answer<Handle> {
        let range = self.range(min, max)?;
        // An id that is there and was not fetched yet would be lost.
        if matches!(self.clients.account(client).outcome, Some(Ok(_))) {
            return Err(Code::ProviderBusy);
        }
        self.settle_of(client);
        let mut outcome = Err(Error::NoSpace);
        for range in
            [self.clients.window(client).overlap(range), self.clients.commons(range)].into_iter().flatten()
        {
            outcome = self.registry.alloc(self.set(client), range.into(), data);
            if outcome != Err(Error::NoSpace) {
                break;
            }
        }
        match outcome.map_err(codes::registry)? {
            Allocation::Ready(handle) => Ok(self.allocated(client, handle, data)),
            Allocation::Pending(_) => {
                let account = self.clients.account_mut(client);
                (account.waits, account.outcome) = (true, None);
                Err(Code::Pending)
            }
        }
    }

    /// Counts a new id, puts it into the client's find page, and gives it as the protocol has it.
    #[inline(always)]
    pub(crate) fn allocated(&mut self, client: ClientId, handle: ioasid_core::Handle, data: u64) -> Handle {
        let handle = self.wire(handle);
        self.trace.push(client, Traced::Alloc { id: handle });
        let account = self.clients.account_mut(client);
        account.find.insert(handle, data);
        account.counters.allocated += 1;
        handle
    }

    /// Takes an id out of the client's find page: it is given up.
    #[inline(always)]
    fn hide(&mut self, client: ClientId, handle: Handle) {
        self.clients.account_mut(client).find.remove(handle);
    }

    #[inline(always)]
    pub(crate) fn free(&mut self, client: ClientId, handle: Handle) -> Answer<Done> {
        let freed = self.give_up(client, handle)?;
        self.let_go(client, handle, freed)?;
        Ok(Done {})
    }

    /// Asks the registry to free an id, and says what is to be done now.
    #[inline(always)]
    pub(crate) fn give_up(&mut self, client: ClientId, handle: Handle) -> Answer<Freed> {
        let handle = self.handle(handle)?;
        // Most ids were never mapped or bound: there is nothing to tear down.
        let freed = if self.clients.account(client).spaces == 0 {
            self.registry.free_unbound(self.set(client), handle)
        } else {
            self.registry.free(self.set(client), handle)
        };
        freed.map_err(codes::registry)
    }

    pub(crate) fn put(&mut self, client: ClientId, handle: Handle) -> Answer<References> {
        let id = self.handle(handle)?;
        let freed = self.registry.put(self.set(client), id).map_err(codes::registry)?;
        self.let_go(client, handle, freed)?;
        Ok(References { count: self.references(id) })
    }

    /// Does what the registry says is the caller's turn.
    #[inline(always)]
    pub(crate) fn let_go(&mut self, client: ClientId, handle: Handle, freed: Freed) -> Answer<()> {
        match freed {
            Freed::Held => Ok(()),
            Freed::Pending => {
                self.hide(client, handle);
                Ok(())
            }
            Freed::Free => {
                self.hide(client, handle);
                self.clients.account_mut(client).counters.freed += 1;
                self.trace.push(client, Traced::Free { id: handle });
                Ok(())
            }
            Freed::Teardown => self.tear_down(client, &[self.handle(handle)?]),
        }
    }

    pub(crate) fn get(&mut self, client: ClientId, handle: Handle) -> Answer<References> {
        let handle = self.handle(handle)?;
        self.registry.get(self.set(client), handle).map_err(codes::registry)?;
        Ok(References { count: self.references(handle) })
    }

    /// References to this life of an id.
    fn references(&self, handle: ioasid_core::Handle) -> u32 {
        let inspection = self.registry.inspect(handle.pasid).filter(|inspection| inspection.handle == handle);
        inspection.map_or(0, |inspection| u32::from(inspection.references))
    }

    #[inline(always)]
    pub(crate) fn find(&self, client: ClientId, pasid: u32) -> Answer<Found> {
        let pasid = Pasid::new(pasid).ok_or(Code::NotFound)?;
        let (handle, data) = self.registry.lookup(self.set(client), pasid).map_err(codes::registry)?;
        Ok(Found { handle: self.wire(handle), data })
    }

    #[inline(always)]
    pub(crate) fn set_data(&mut self, client: ClientId, handle: Handle, data: u64) -> Answer<Done> {
        let id = self.handle(handle)?;
        self.registry.set_data(self.set(client), id, data).map_err(codes::registry)?;
        self.clients.account_mut(client).find.set_data(handle, data);
        Ok(Done {})
    }

    #[inline(never)]
    pub(crate) fn attach_spid(&mut self, client: ClientId, spid: u32, handle: Handle) -> Answer<Done> {
        let handle = self.handle(handle)?;
        self.registry.attach_spid(self.set(client), spid, handle).map_err(codes::registry)?;
        Ok(Done {})
    }

    #[inline(never)]
    pub(crate) fn detach_spid(&mut self, client: ClientId, spid: u32) -> Answer<Done> {
        self.registry.detach_spid(self.set(client), spid).map_err(codes::registry)?;
        Ok(Done {})
    }

    #[inline(never)]
    pub(crate) fn find_spid(&self, client: ClientId, spid: u32) -> Answer<Found> {
        let handle = self.registry.find_spid(self.set(client), spid).map_err(codes::registry)?;
        let data = self.registry.find(self.set(client), handle).map_err(codes::registry)?;
        Ok(Found { handle: self.wire(handle), data })
    }

    /// Takes everything away that ids give, then lets their numbers be used again; where the unit does not confirm,
    /// the numbers are kept from everybody for good. Up to a batch of ids, of one client.
    #[inline(always)]
    pub(crate) fn tear_down(&mut self, client: ClientId, handles: &[ioasid_core::Handle]) -> Answer<()> {
        handles.iter().for_each(|&handle| self.hide(client, self.wire(handle)));
        self.clients.account_mut(client).counters.freed += handles.len() as u64;
        if self.clients.account(client).spaces != 0
            && let Err(error) = self.close_spaces(client, handles)
        {
            return self.quarantine(client, handles, error);
        }
        for &handle in handles {
            match self.registry.reclaim(handle) {
                Ok(()) => self.trace.push(client, Traced::Free { id: self.wire(handle) }),
                // Its number is free once the provider has been told.
                Err(Error::ProviderBusy) => self.clients.account_mut(client).unsettled += 1,
                Err(error) => return Err(codes::registry(error)),
            }
        }
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn quarantine(
        &mut self,
        client: ClientId,
        handles: &[ioasid_core::Handle],
        error: vtd::Error,
    ) -> Answer<()> {
        log::error!("{} PASIDs are in quarantine: {error}", handles.len());
        for &handle in handles {
            self.registry.quarantine(handle).map_err(codes::registry)?;
            self.trace(client, Traced::Quarantine { id: self.wire(handle) });
        }
        Err(codes::unit(error))
    }

    /// Does what the registry says has become due.
    pub(crate) fn due(&mut self, work: Work) {
        match work {
            Work::Teardown(handle) => {
                let owner = self.registry.inspect(handle.pasid).and_then(|inspection| inspection.owner);
                let client = owner.and_then(|set| self.clients.with_set(set));
                // What fails is in the log, and the id in quarantine.
                let _ = client.map(|client| self.tear_down(client, &[handle]));
            }
            Work::Failed(completion) => self.completed(completion),
            Work::Announced(_) => {}
        }
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! Requests about ids: the registry decides, and the unit confirms before a number is free again.

use ioasid_api::{Alloc, Allocated, Code, Done, Found, Handle, References};
use ioasid_core::{Allocation, Error, Freed, Pasid, PasidRange, SetId, Work};
use vtd::{Registers, TableMemory};

use crate::clients::ClientId;
use crate::codes;
use crate::server::{Answer, Notify, Server};

impl<R: Registers, M: TableMemory, N: Notify> Server<'_, R, M, N> {
    pub(crate) fn set(&self, client: ClientId) -> SetId {
        self.clients.account(client).set
    }

    /// The registry's form of a handle of this life of the server.
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
    pub(crate) fn wire(&self, handle: ioasid_core::Handle) -> Handle {
        Handle { pasid: handle.pasid.get(), generation: handle.generation.raw(), epoch: self.epoch }
    }

    /// The id behind a handle, where it is live and the client's own.
    pub(crate) fn own(&self, client: ClientId, handle: Handle) -> Answer<ioasid_core::Handle> {
        let handle = self.handle(handle)?;
        self.registry.find(self.set(client), handle).map_err(codes::registry)?;
        Ok(handle)
    }

    pub(crate) fn alloc(&mut self, client: ClientId, alloc: &Alloc) -> Answer<Allocated> {
        let range = self.range(alloc.min, alloc.max)?;
        let handle = self.alloc_in(client, range, alloc.data)?;
        Ok(Allocated { handle: self.wire(handle) })
    }

    pub(crate) fn range(&self, min: u32, max: u32) -> Answer<PasidRange> {
        let range = PasidRange::new(min, max).map_err(codes::registry)?;
        if range.max() > self.registry.max_pasid() { Err(Code::InvalidRange) } else { Ok(range) }
    }

    /// An id in a range: one of the client's own window first, then one of those that nobody's window has. What others
    /// do is not to be seen in the numbers.
    pub(crate) fn alloc_in(
        &mut self,
        client: ClientId,
        range: PasidRange,
        data: u64,
    ) -> Answer<ioasid_core::Handle> {
        let set = self.set(client);
        let mut outcome = match self.clients.window(client, range) {
            Some(window) => self.registry.alloc(set, window, data),
            None => Err(Error::NoSpace),
        };
        if outcome == Err(Error::NoSpace)
            && let Some(commons) = self.clients.commons(range)
        {
            outcome = self.registry.alloc(set, commons, data);
        }
        match outcome.map_err(codes::registry)? {
            Allocation::Ready(handle) => {
                self.allocated(client, handle, data);
                Ok(handle)
            }
            Allocation::Pending(_) => {
                let account = self.clients.account_mut(client);
                (account.waits, account.outcome) = (true, None);
                Err(Code::Pending)
            }
        }
    }

    /// Counts a new id and puts it into the client's find page.
    pub(crate) fn allocated(&mut self, client: ClientId, handle: ioasid_core::Handle, data: u64) {
        let counters = &mut self.clients.account_mut(client).counters;
        counters.allocated = counters.allocated.saturating_add(1);
        let handle = self.wire(handle);
        if let Some(page) = &mut self.find[client.index()] {
            page.insert(handle, data);
        }
    }

    /// Takes an id out of the client's find page: it is given up.
    pub(crate) fn hide(&mut self, client: ClientId, handle: ioasid_core::Handle) {
        let handle = self.wire(handle);
        if let Some(page) = &mut self.find[client.index()] {
            page.remove(handle);
        }
    }

    pub(crate) fn free(&mut self, client: ClientId, handle: Handle) -> Answer<Done> {
        let handle = self.handle(handle)?;
        let freed = self.registry.free(self.set(client), handle).map_err(codes::registry)?;
        self.let_go(client, handle, freed)?;
        Ok(Done {})
    }

    pub(crate) fn put(&mut self, client: ClientId, handle: Handle) -> Answer<References> {
        let handle = self.handle(handle)?;
        let freed = self.registry.put(self.set(client), handle).map_err(codes::registry)?;
        self.let_go(client, handle, freed)?;
        Ok(References { count: self.references(handle) })
    }

    /// Does what the registry says is the caller's turn.
    fn let_go(&mut self, client: ClientId, handle: ioasid_core::Handle, freed: Freed) -> Answer<()> {
        match freed {
            Freed::Held => Ok(()),
            Freed::Pending => {
                self.hide(client, handle);
                Ok(())
            }
            Freed::Teardown => self.tear_down(client, &[handle]),
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

    pub(crate) fn find(&self, client: ClientId, pasid: u32) -> Answer<Found> {
        let pasid = Pasid::new(pasid).ok_or(Code::NotFound)?;
        let (handle, data) = self.registry.lookup(self.set(client), pasid).map_err(codes::registry)?;
        Ok(Found { handle: self.wire(handle), data })
    }

    pub(crate) fn set_data(&mut self, client: ClientId, handle: Handle, data: u64) -> Answer<Done> {
        let id = self.handle(handle)?;
        self.registry.set_data(self.set(client), id, data).map_err(codes::registry)?;
        if let Some(page) = &mut self.find[client.index()] {
            page.set_data(handle, data);
        }
        Ok(Done {})
    }

    pub(crate) fn attach_spid(&mut self, client: ClientId, spid: u32, handle: Handle) -> Answer<Done> {
        let handle = self.handle(handle)?;
        self.registry.attach_spid(self.set(client), spid, handle).map_err(codes::registry)?;
        Ok(Done {})
    }

    pub(crate) fn detach_spid(&mut self, client: ClientId, spid: u32) -> Answer<Done> {
        self.registry.detach_spid(self.set(client), spid).map_err(codes::registry)?;
        Ok(Done {})
    }

    pub(crate) fn find_spid(&self, client: ClientId, spid: u32) -> Answer<Found> {
        let handle = self.registry.find_spid(self.set(client), spid).map_err(codes::registry)?;
        let data = self.registry.find(self.set(client), handle).map_err(codes::registry)?;
        Ok(Found { handle: self.wire(handle), data })
    }

    /// Takes everything away that ids give, then lets their numbers be used again; where the unit does not confirm,
    /// the numbers are kept from everybody for good. Up to a batch of ids, of one client.
    pub(crate) fn tear_down(&mut self, client: ClientId, handles: &[ioasid_core::Handle]) -> Answer<()> {
        handles.iter().for_each(|&handle| self.hide(client, handle));
        // Most ids were never mapped or bound.
        let torn = if self.clients.account(client).spaces == 0 {
            Ok(())
        } else {
            self.close_spaces(client, handles)
        };
        for &handle in handles {
            let settled = match torn {
                Ok(()) => self.registry.reclaim(handle),
                Err(_) => self.registry.quarantine(handle),
            };
            settled.map_err(codes::registry)?;
            let counters = &mut self.clients.account_mut(client).counters;
            counters.freed = counters.freed.saturating_add(1);
        }
        torn.map_err(|error| {
            log::error!("{} PASIDs are in quarantine: {error}", handles.len());
            codes::unit(error)
        })
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

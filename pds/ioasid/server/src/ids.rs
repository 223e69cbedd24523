// SPDX-License-Identifier: BSD-2-Clause
//! Requests about ids: the registry decides, and the unit confirms before a number is free again.

use ioasid_api::{Alloc, Allocated, Code, Done, Found, Handle, References};
use ioasid_core::{Allocation, Freed, Pasid, PasidRange, SetId};
use vtd::{Registers, TableMemory};

use crate::clients::ClientId;
use crate::codes;
use crate::server::{Answer, Notify, Server};

impl<R: Registers, M: TableMemory, N: Notify> Server<'_, R, M, N> {
    fn set(&self, client: ClientId) -> SetId {
        self.clients.account(client).set
    }

    /// The id behind a handle, where it is live and the client's own; with its private data.
    pub(crate) fn own(&self, client: ClientId, handle: Handle) -> Answer<(ioasid_core::Handle, u64)> {
        let handle = self.handle(handle)?;
        let data = self.registry.find(self.set(client), handle).map_err(codes::registry)?;
        Ok((handle, data))
    }

    pub(crate) fn alloc(&mut self, client: ClientId, alloc: &Alloc) -> Answer<Allocated> {
        let range = PasidRange::new(alloc.min, alloc.max).map_err(codes::registry)?;
        if alloc.max > self.registry.max_pasid().get() {
            return Err(Code::InvalidRange);
        }
        let Allocation::Ready(handle) =
            self.registry.alloc(self.set(client), range, alloc.data).map_err(codes::registry)?
        else {
            return Err(Code::Pending);
        };
        let counters = &mut self.clients.account_mut(client).counters;
        counters.allocated = counters.allocated.saturating_add(1);
        Ok(Allocated { handle: self.wire(handle) })
    }

    pub(crate) fn free(&mut self, client: ClientId, handle: Handle) -> Answer<Done> {
        let handle = self.handle(handle)?;
        match self.registry.free(self.set(client), handle).map_err(codes::registry)? {
            Freed::Teardown => self.tear_down(client, handle)?,
            Freed::Pending | Freed::Held => {}
        }
        Ok(Done {})
    }

    pub(crate) fn put(&mut self, client: ClientId, handle: Handle) -> Answer<References> {
        let handle = self.handle(handle)?;
        match self.registry.put(self.set(client), handle).map_err(codes::registry)? {
            Freed::Teardown => self.tear_down(client, handle)?,
            Freed::Pending | Freed::Held => {}
        }
        Ok(References { count: self.references(handle) })
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
        let handle = self.handle(handle)?;
        self.registry.set_data(self.set(client), handle, data).map_err(codes::registry)?;
        Ok(Done {})
    }

    /// Takes everything away that an id gives, then lets the number be used again; where the unit does not
    /// confirm, the number is kept from everybody for good.
    fn tear_down(&mut self, client: ClientId, handle: ioasid_core::Handle) -> Answer<()> {
        let torn = self.close_space(client, handle.pasid);
        let settled = match torn {
            Ok(()) => self.registry.reclaim(handle),
            Err(error) => {
                log::error!("PASID {} is in quarantine: {error}", handle.pasid);
                self.registry.quarantine(handle)
            }
        };
        settled.map_err(|_| Code::Internal)?;
        let counters = &mut self.clients.account_mut(client).counters;
        counters.freed = counters.freed.saturating_add(1);
        torn.map_err(codes::unit)
    }
}

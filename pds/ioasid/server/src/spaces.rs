// SPDX-License-Identifier: BSD-2-Clause
//! Address spaces: what an id maps, and which devices run under it.
//!
//! An id's space is a domain of the unit. It is made with the id's first map or bind and goes with the id. Which
//! devices are bound is not kept here: the unit's tables say it. Each client has its own share of the memory for
//! tables, so that nobody's maps run out, or take longer, for what others map.

use core::hint::cold_path;

use heapless::Vec;
use ioasid_api::{Access, Code, Done, EventKind, Handle, Map, PAGE_SIZE, Unmap};
use ioasid_config::Region;
use ioasid_core::Pasid;
use ioasid_trace::Event as Traced;
use vtd::{BATCH, Binding, DomainId, Mapping, PageSize, Registers, SourceId, Stage, TableMemory};

use crate::clients::ClientId;
use crate::codes;
use crate::server::{Answer, Server};

/// The most pages that one call maps or unmaps: 16 MiB. Longer spans take several calls, between which others have
/// their turn.
pub const PAGES_PER_CALL: u32 = 4096;

/// The same in bytes.
pub const BYTES_PER_CALL: u64 = PAGES_PER_CALL as u64 * PAGE_SIZE;

/// Which of a device's requests an id is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requests {
    /// Those without PASID, whatever the number of the id. They have an entry of their own in each device's table.
    Untagged,
    /// Those with the id's number as their PASID.
    Tagged,
}

/// An id's address space, opened for a request.
#[derive(Clone, Copy, Debug)]
pub struct Space {
    pasid: Pasid,
    /// The unit's domain that it is.
    pub(crate) domain: DomainId,
    /// It was made for this request.
    made: bool,
}

/// The PASID of the driver's that has this number.
fn numbered(pasid: Pasid) -> Answer<vtd::Pasid> {
    vtd::Pasid::new(pasid.get()).ok_or(Code::Internal)
}

/// The bytes of so many pages, within what one call may ask.
fn span(pages: u32) -> Answer<u64> {
    match pages {
        0 => Err(Code::OutOfRegion),
        pages if pages > PAGES_PER_CALL => Err(Code::SpanTooLong),
        pages => Ok(u64::from(pages) * PAGE_SIZE),
    }
}

/// What a client asks to be mapped out of its regions, as the unit is told it.
#[inline(always)]
pub fn mapping(regions: &[Region], map: &Map) -> Answer<Mapping> {
    let region = regions.get(usize::from(map.source.region)).ok_or(Code::NoSuchRegion)?;
    let bytes = span(map.extent.pages)?;
    let end = map.source.offset.checked_add(bytes).ok_or(Code::OutOfRegion)?;
    if end > region.size {
        return Err(Code::OutOfRegion);
    }
    if !map.source.offset.is_multiple_of(PAGE_SIZE) {
        return Err(Code::BadAddress);
    }
    if map.extent.access as u32 & !region.access != 0 {
        return Err(Code::AccessDenied);
    }
    Ok(Mapping {
        iova: map.iova,
        phys: region.paddr + map.source.offset,
        bytes,
        access: match map.extent.access {
            Access::Read => vtd::Access::Read,
            Access::Write => vtd::Access::Write,
            Access::ReadWrite => vtd::Access::ReadWrite,
        },
        largest: PageSize::Huge,
    })
}

/// What the trace says of a mapping.
#[inline(always)]
pub fn traced(&Map { handle, iova, source, extent }: &Map) -> Traced {
    let pages = u16::try_from(extent.pages).unwrap_or(u16::MAX);
    Traced::Map { id: handle, iova, pages, access: extent.access, source }
}

impl<R: Registers, M: TableMemory> Server<'_, R, M> {
    /// The space of an id, made where there is none.
    pub(crate) fn open_space(&mut self, client: ClientId, pasid: Pasid) -> Answer<Space> {
        if let Some(domain) = self.spaces.domain(client, pasid) {
            return Ok(Space { pasid, domain, made: false });
        }
        if self.clients.account(client).spaces >= self.clients.entry(client).spaces {
            return Err(Code::NoTableMemory);
        }
        // Without a unit nobody has a share of its tables.
        let share = self.clients.account(client).tables.ok_or(Code::NoUnit)?;
        let domain = self.unit()?.create_domain_in(share, Stage::Second).map_err(codes::unit)?;
        if !self.spaces.insert(client, pasid, domain) {
            self.unit()?.destroy_domain(domain).map_err(codes::unit)?;
            return Err(Code::NoTableMemory);
        }
        self.clients.account_mut(client).spaces += 1;
        Ok(Space { pasid, domain, made: true })
    }

    /// What became of something that a space was opened for: where it is refused, a space that was made for it goes again.
    #[inline(always)]
    pub(crate) fn done_in<T>(&mut self, client: ClientId, space: Space, outcome: Answer<T>) -> Answer<T> {
        if space.made && outcome.is_err() {
            cold_path();
            // One that is bound, though the unit did not confirm it, stays.
            let _ = self.close_space(client, space.pasid, space.domain);
        }
        outcome
    }

    /// Gives the tables of a space back, to which nothing is bound.
    fn close_space(&mut self, client: ClientId, pasid: Pasid, domain: DomainId) -> Result<(), vtd::Error> {
        self.unit.as_mut().map_or(Ok(()), |unit| unit.destroy_domain(domain))?;
        self.spaces.remove(client, pasid);
        let account = self.clients.account_mut(client);
        account.spaces = account.spaces.saturating_sub(1);
        Ok(())
    }

    /// Unbinds ids, a batch at the most, from every device of their client's, and gives their tables back.
    pub(crate) fn close_spaces(
        &mut self,
        client: ClientId,
        handles: &[ioasid_core::Handle],
    ) -> Result<(), vtd::Error> {
        let domains: Vec<(Pasid, DomainId), BATCH> = handles
            .iter()
            .filter_map(|handle| Some((handle.pasid, self.spaces.domain(client, handle.pasid)?)))
            .take(BATCH)
            .collect();
        self.unbind_all(client, &domains)?;
        domains.into_iter().try_for_each(|(pasid, domain)| self.close_space(client, pasid, domain))
    }

    /// Takes ids away from every device of a client's: one submission and one wait for each batch of bindings.
    fn unbind_all(&mut self, client: ClientId, ids: &[(Pasid, DomainId)]) -> Result<(), vtd::Error> {
        let Some(unit) = &mut self.unit else { return Ok(()) };
        if !ids.iter().any(|&(_, domain)| unit.is_bound(domain)) {
            return Ok(());
        }
        let mut bindings: Vec<Binding, BATCH> = Vec::new();
        for device in self.clients.devices(client) {
            let device = SourceId::from(device.source);
            let tagged = ids.iter().filter_map(|&(pasid, _)| numbered(pasid).ok());
            for pasid in tagged.chain([vtd::Pasid::UNTAGGED]) {
                let held = unit.held(device, pasid);
                if !ids.iter().any(|&(_, domain)| held == Some(domain)) {
                    continue;
                }
                // There is room: a full batch does not stay.
                let _ = bindings.push(Binding { device, pasid });
                if bindings.is_full() {
                    unit.unbind_all(&bindings)?;
                    bindings.clear();
                }
            }
        }
        if bindings.is_empty() { Ok(()) } else { unit.unbind_all(&bindings) }
    }

    /// The device that a client calls `index`, and the entry of its table that these requests are looked up under for an
    /// id.
    fn entry(
        &self,
        client: ClientId,
        index: u16,
        requests: Requests,
        pasid: Pasid,
    ) -> Answer<(SourceId, vtd::Pasid)> {
        let device = self.clients.device(client, index)?;
        let entry = match requests {
            Requests::Untagged => vtd::Pasid::UNTAGGED,
            Requests::Tagged if pasid.get() >> self.clients.pasid_bits(client, index) == 0 => {
                numbered(pasid)?
            }
            Requests::Tagged => return Err(Code::NoTaggedRequests),
        };
        Ok((SourceId::from(device.source), entry))
    }

    pub(crate) fn bind(
        &mut self,
        client: ClientId,
        handle: Handle,
        device: u16,
        requests: Requests,
    ) -> Answer<Done> {
        let id = self.own(client, handle)?;
        let (source, entry) = self.entry(client, device, requests, id.pasid)?;
        let space = self.open_space(client, id.pasid)?;
        let outcome = self.unit()?.bind(source, entry, space.domain).map_err(codes::unit);
        self.done_in(client, space, outcome)?;
        let tagged = requests == Requests::Tagged;
        self.trace(client, Traced::Bind { id: handle, device: source.get(), tagged });
        self.forgive(client, device, source);
        self.bound(client, EventKind::Bind, id, device);
        Ok(Done {})
    }

    #[inline(never)]
    pub(crate) fn replace(&mut self, client: ClientId, handle: Handle, device: u16) -> Answer<Done> {
        let id = self.own(client, handle)?;
        let (source, entry) = self.entry(client, device, Requests::Untagged, id.pasid)?;
        let space = self.open_space(client, id.pasid)?;
        let outcome = self.unit()?.replace(source, entry, space.domain).map_err(codes::unit);
        self.done_in(client, space, outcome)?;
        self.trace(client, Traced::Bind { id: handle, device: source.get(), tagged: false });
        self.forgive(client, device, source);
        self.bound(client, EventKind::Bind, id, device);
        Ok(Done {})
    }

    pub(crate) fn unbind(
        &mut self,
        client: ClientId,
        handle: Handle,
        device: u16,
        requests: Requests,
    ) -> Answer<Done> {
        let id = self.own(client, handle)?;
        let (source, entry) = self.entry(client, device, requests, id.pasid)?;
        let held = self.unit()?.held(source, entry);
        if held.is_none() || held != self.spaces.domain(client, id.pasid) {
            return Err(Code::NotBound);
        }
        self.unit()?.unbind(source, entry).map_err(codes::unit)?;
        let tagged = requests == Requests::Tagged;
        self.trace(client, Traced::Unbind { id: handle, device: source.get(), tagged });
        self.forgive(client, device, source);
        self.bound(client, EventKind::Unbind, id, device);
        Ok(Done {})
    }

    pub(crate) fn map(&mut self, client: ClientId, map: &Map) -> Answer<Done> {
        let id = self.own(client, map.handle)?;
        let mapping = mapping(self.clients.regions(client), map)?;
        let space = self.open_space(client, id.pasid)?;
        let outcome = self.unit()?.map(space.domain, mapping).map_err(codes::unit);
        self.done_in(client, space, outcome)?;
        self.trace(client, traced(map));
        Ok(Done {})
    }

    pub(crate) fn unmap(&mut self, client: ClientId, unmap: &Unmap) -> Answer<Done> {
        let id = self.own(client, unmap.handle)?;
        let bytes = span(unmap.pages)?;
        let domain = self.spaces.domain(client, id.pasid).ok_or(Code::NotMapped)?;
        self.unit()?.unmap(domain, unmap.iova, bytes).map_err(codes::unit)?;
        let &Unmap { handle, iova, pages } = unmap;
        let pages = u16::try_from(pages).unwrap_or(u16::MAX);
        self.trace(client, Traced::Unmap { id: handle, iova, pages });
        Ok(Done {})
    }
}

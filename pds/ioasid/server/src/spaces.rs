// SPDX-License-Identifier: BSD-2-Clause
//! Address spaces: what an id maps, and which devices run under it.
//!
//! An id's space is a domain of the unit. It is made with the id's first map or bind and goes with the id. Which
//! devices are bound is not kept here: the unit's tables say it.

use heapless::Vec;
use heapless::index_map::FnvIndexMap;
use ioasid_api::{Access, Code, Done, Handle, Map, PAGE_SIZE, Unmap};
use ioasid_config::Device;
use ioasid_core::Pasid;
use vtd::{BATCH, Binding, DomainId, Mapping, PageSize, Registers, SourceId, Stage, TableMemory, Target};

use crate::clients::ClientId;
use crate::codes;
use crate::server::{Answer, Notify, Server};

/// Address spaces at a time. A power of two.
pub const SPACES: usize = 1024;

/// The most pages that one call maps or unmaps: 16 MiB. Longer spans take several calls, between which others have
/// their turn.
pub const PAGES_PER_CALL: u32 = 4096;

/// Every address space.
#[derive(Debug, Default)]
pub struct Spaces {
    domains: FnvIndexMap<u32, DomainId, SPACES>,
}

impl Spaces {
    fn domain(&self, pasid: Pasid) -> Option<DomainId> {
        self.domains.get(&pasid.get()).copied()
    }

    /// The id whose space a domain is.
    pub fn id_of(&self, domain: DomainId) -> Option<Pasid> {
        let (&pasid, _) = self.domains.iter().find(|(_, other)| **other == domain)?;
        Pasid::new(pasid)
    }
}

/// The entry of a device's PASID table that its requests are looked up under. A device without the PASID capability
/// sends untagged requests, whatever the number of the id that it is bound to.
fn entry(_device: &Device) -> vtd::Pasid {
    vtd::Pasid::UNTAGGED
}

impl<R: Registers, M: TableMemory, N: Notify> Server<'_, R, M, N> {
    /// The domain of an id, made where there is none.
    fn open_space(&mut self, pasid: Pasid) -> Answer<DomainId> {
        if let Some(domain) = self.spaces.domain(pasid) {
            return Ok(domain);
        }
        let domain = self.unit.create_domain(Stage::Second).map_err(codes::unit)?;
        if self.spaces.domains.insert(pasid.get(), domain).is_err() {
            self.unit.destroy_domain(domain).map_err(codes::unit)?;
            return Err(Code::NoTableMemory);
        }
        Ok(domain)
    }

    /// Unbinds an id from every device and gives its tables back.
    pub(crate) fn close_space(&mut self, client: ClientId, pasid: Pasid) -> Result<(), vtd::Error> {
        let Some(domain) = self.spaces.domain(pasid) else { return Ok(()) };
        // One submission and one wait for up to BATCH devices.
        for devices in self.clients.devices(client).chunks(BATCH) {
            let mut bindings: Vec<Binding, BATCH> = Vec::new();
            for device in devices {
                let binding = Binding { device: SourceId::from(device.source), pasid: entry(device) };
                if self.unit.binding(binding.device, binding.pasid) == Some(Target::Domain(domain)) {
                    // A chunk is no longer than a batch.
                    let _ = bindings.push(binding);
                }
            }
            if !bindings.is_empty() {
                self.unit.unbind_all(&bindings)?;
            }
        }
        self.unit.destroy_domain(domain)?;
        self.spaces.domains.remove(&pasid.get());
        Ok(())
    }

    pub(crate) fn bind(&mut self, client: ClientId, handle: Handle, device: u16) -> Answer<Done> {
        let (handle, _) = self.own(client, handle)?;
        let device = self.clients.device(client, device)?;
        let domain = self.open_space(handle.pasid)?;
        self.unit.bind(SourceId::from(device.source), entry(device), domain).map_err(codes::unit)?;
        Ok(Done {})
    }

    pub(crate) fn unbind(&mut self, client: ClientId, handle: Handle, device: u16) -> Answer<Done> {
        let (handle, _) = self.own(client, handle)?;
        let device = self.clients.device(client, device)?;
        let source = SourceId::from(device.source);
        let bound = self.unit.binding(source, entry(device));
        match self.spaces.domain(handle.pasid) {
            Some(domain) if bound == Some(Target::Domain(domain)) => {
                self.unit.unbind(source, entry(device)).map_err(codes::unit)?;
                Ok(Done {})
            }
            _ => Err(Code::NotBound),
        }
    }

    pub(crate) fn map(&mut self, client: ClientId, map: &Map) -> Answer<Done> {
        let (handle, _) = self.own(client, map.handle)?;
        let region =
            self.clients.regions(client).get(usize::from(map.source.region)).ok_or(Code::NoSuchRegion)?;
        let bytes = span(map.extent.pages)?;
        let end = map.source.offset.checked_add(bytes).ok_or(Code::OutOfRegion)?;
        if end > region.size {
            return Err(Code::OutOfRegion);
        }
        if !map.source.offset.is_multiple_of(PAGE_SIZE) {
            return Err(Code::BadAddress);
        }
        let granted = Access::from_bits(u64::from(region.access)).ok_or(Code::AccessDenied)?;
        if !granted.includes(map.extent.access) {
            return Err(Code::AccessDenied);
        }
        let mapping = Mapping {
            iova: map.iova,
            phys: region.paddr + map.source.offset,
            bytes,
            access: match map.extent.access {
                Access::Read => vtd::Access::Read,
                Access::Write => vtd::Access::Write,
                Access::ReadWrite => vtd::Access::ReadWrite,
            },
            largest: PageSize::Huge,
        };
        let domain = self.open_space(handle.pasid)?;
        self.unit.map(domain, mapping).map_err(codes::unit)?;
        Ok(Done {})
    }

    pub(crate) fn unmap(&mut self, client: ClientId, unmap: &Unmap) -> Answer<Done> {
        let (handle, _) = self.own(client, unmap.handle)?;
        let bytes = span(unmap.pages)?;
        let domain = self.spaces.domain(handle.pasid).ok_or(Code::NotMapped)?;
        self.unit.unmap(domain, unmap.iova, bytes).map_err(codes::unit)?;
        Ok(Done {})
    }
}

/// The bytes of so many pages, within what one call may ask.
fn span(pages: u32) -> Answer<u64> {
    match pages {
        0 => Err(Code::OutOfRegion),
        pages if pages > PAGES_PER_CALL => Err(Code::SpanTooLong),
        pages => Ok(u64::from(pages) * PAGE_SIZE),
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! What one client is granted, as `ioasid.toml` would say it.

use ioasid_config::Client;

/// Bytes of each region that is granted: 16 pages.
pub const REGION_BYTES: u64 = 0x1_0000;

/// One client and its share.
#[derive(Clone, Debug)]
pub struct Grant {
    pub(crate) name: &'static str,
    pub(crate) reservation: u32,
    pub(crate) limit: u32,
    pub(crate) rights: u32,
    pub(crate) table_frames: u32,
    pub(crate) spaces: u32,
    /// Requester ids, and how many bits the PASIDs have that the device sends.
    pub(crate) devices: Vec<(u16, u8)>,
    /// What may be done with each, and its length.
    pub(crate) regions: Vec<(u32, u64)>,
    pub(crate) pages: bool,
}

impl Grant {
    /// A client with 4 ids for certain, 8 at most, one region that it may read and write, and no device.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            reservation: 4,
            limit: 8,
            rights: 0,
            table_frames: 64,
            spaces: 8,
            devices: Vec::new(),
            regions: vec![(0b11, REGION_BYTES)],
            pages: true,
        }
    }

    /// Other numbers of ids.
    #[must_use]
    pub fn share(self, reservation: u32, limit: u32) -> Self {
        Self { reservation, limit, ..self }
    }

    /// Other amounts of table memory, in frames of 4 KiB, and of address spaces.
    #[must_use]
    pub fn tables(self, table_frames: u32, spaces: u32) -> Self {
        Self { table_frames, spaces, ..self }
    }

    /// One more device, by its requester id. It sends requests without PASID only.
    #[must_use]
    pub fn device(self, source: u16) -> Self {
        self.pasid_device(source, 0)
    }

    /// One more device, which also sends requests with PASIDs of so many bits.
    #[must_use]
    pub fn pasid_device(mut self, source: u16, bits: u8) -> Self {
        self.devices.push((source, bits));
        self
    }

    /// One more region of [`REGION_BYTES`], read-only.
    #[must_use]
    pub fn read_only_region(mut self) -> Self {
        self.regions.push((0b01, REGION_BYTES));
        self
    }

    /// One region of 2 MiB instead of those before. It begins at a multiple of that where the grant is the first.
    #[must_use]
    pub fn large_region(self) -> Self {
        Self { regions: vec![(0b11, 0x20_0000)], ..self }
    }

    /// Without event ring, find page and batch page.
    #[must_use]
    pub fn without_pages(self) -> Self {
        Self { pages: false, ..self }
    }

    /// May administer every set.
    #[must_use]
    pub fn admin(self) -> Self {
        Self { rights: self.rights | Client::ADMIN, ..self }
    }

    /// May stand behind a custom allocator.
    #[must_use]
    pub fn provider(self) -> Self {
        Self { rights: self.rights | Client::PROVIDER, ..self }
    }
}

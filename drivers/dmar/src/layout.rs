// SPDX-License-Identifier: BSD-2-Clause
//! The bytes of the table, as the specification lays them out.
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

/// The table's header (VT-d 8.1); its first 36 bytes are those of every ACPI table (ACPI 5.2.6).
#[derive(Clone, Copy, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Header {
    pub(crate) signature: [u8; 4],
    pub(crate) length: U32,
    pub(crate) revision: u8,
    pub(crate) checksum: u8,
    pub(crate) oem: [u8; 14],
    pub(crate) oem_revision: U32,
    pub(crate) creator: [u8; 8],
    /// Width of physical addresses, minus 1.
    pub(crate) host_address_width: u8,
    pub(crate) flags: u8,
    pub(crate) reserved: [u8; 10],
}
const _: () = assert!(size_of::<Header>() == 48);

/// What every remapping structure begins with (VT-d 8.2).
#[derive(Clone, Copy, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct StructureHeader {
    pub(crate) kind: U16,
    pub(crate) length: U16,
}
const _: () = assert!(size_of::<StructureHeader>() == 4);

/// A remapping unit (DRHD, VT-d 8.3); scopes follow.
#[derive(Clone, Copy, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct UnitDefinition {
    pub(crate) header: StructureHeader,
    pub(crate) flags: u8,
    pub(crate) size: u8,
    pub(crate) segment: U16,
    pub(crate) base: U64,
}
const _: () = assert!(size_of::<UnitDefinition>() == 16);

/// Reserved memory (RMRR, VT-d 8.4); scopes follow.
#[derive(Clone, Copy, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct ReservedMemory {
    pub(crate) header: StructureHeader,
    pub(crate) reserved: U16,
    pub(crate) segment: U16,
    pub(crate) base: U64,
    /// The last byte.
    pub(crate) limit: U64,
}
const _: () = assert!(size_of::<ReservedMemory>() == 24);

/// A device scope (VT-d 8.3.1); its path follows.
#[derive(Clone, Copy, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct DeviceScope {
    pub(crate) kind: u8,
    pub(crate) length: u8,
    pub(crate) flags: u8,
    pub(crate) reserved: u8,
    pub(crate) enumeration: u8,
    pub(crate) start_bus: u8,
}
const _: () = assert!(size_of::<DeviceScope>() == 6);

/// One step of a path.
#[derive(Clone, Copy, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Step {
    pub(crate) device: u8,
    pub(crate) function: u8,
}

/// Reads a `T` from the start of `bytes`, and gives the rest.
pub(crate) fn take<T: FromBytes>(bytes: &[u8]) -> Option<(T, &[u8])> {
    T::read_from_prefix(bytes).ok()
}

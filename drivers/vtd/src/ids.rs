// SPDX-License-Identifier: BSD-2-Clause
//! The three numbers of the tables: who asks (SID), under which id (PASID), and in which domain (DID).
use core::fmt;

/// A process address space id: 20 bits (VT-d 3.4.3), checked once, here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pasid(u32);

impl Pasid {
    /// Width of a PASID.
    pub const BITS: u8 = 20;
    /// The largest PASID.
    pub const MAX: Self = Self((1 << Self::BITS) - 1);
    /// The entry of requests that carry no PASID: what hardware uses where the context entry's RID_PASID is 0
    /// or where it has no such field (ECAP.RPS = 0). No client is ever given this number.
    pub const UNTAGGED: Self = Self(0);

    /// `value` as a PASID; `None` beyond 20 bits.
    #[must_use]
    pub const fn new(value: u32) -> Option<Self> {
        if value <= Self::MAX.0 { Some(Self(value)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// PASID[19:6]: which entry of the directory.
    pub(crate) const fn directory_index(self) -> u64 {
        (self.0 >> 6) as u64
    }

    /// PASID[5:0]: which entry of the table.
    pub(crate) const fn table_index(self) -> u64 {
        (self.0 & 0x3f) as u64
    }
}

impl fmt::Display for Pasid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// A requester's source id: bus 15:8, device 7:3, function 2:0 (VT-d 3.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u16);

impl SourceId {
    /// The source id of `bus:device.function`; `None` where the device has more than 5 bits or the function
    /// more than 3.
    #[must_use]
    pub const fn new(bus: u8, device: u8, function: u8) -> Option<Self> {
        if device >= 32 || function >= 8 {
            return None;
        }
        Some(Self((bus as u16) << 8 | (device as u16) << 3 | function as u16))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// The bus.
    #[must_use]
    pub const fn bus(self) -> u8 {
        self.0.to_be_bytes()[0]
    }

    /// Device and function in one.
    #[must_use]
    pub const fn devfn(self) -> u8 {
        self.0.to_be_bytes()[1]
    }
}

impl From<u16> for SourceId {
    fn from(value: u16) -> Self {
        Self(value)
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}:{:02x}.{}", self.bus(), self.devfn() >> 3, self.devfn() & 7)
    }
}

/// A domain id: the tag of everything that hardware caches of one address space (VT-d 3.4.4). Given out by
/// [`crate::Unit::create_domain`], and valid on the unit that gave it. 0 is never a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainId(pub(crate) u16);

impl DomainId {
    /// The number, as it stands in PASID entries and descriptors.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// Whose frames the tables of a domain are made of. Given out by [`crate::Unit::create_share`], and valid on the unit that
/// gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(pub(crate) u8);

impl Share {
    /// The pool: what is in nobody's share. What it costs to take and to give back depends on what it is used for.
    pub const POOL: Self = Self(0);
}

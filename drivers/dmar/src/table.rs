// SPDX-License-Identifier: BSD-2-Clause
//! The table as a whole: checked once, walked without errors.
use thiserror::Error;

use crate::layout::{Header, ReservedMemory, StructureHeader, UnitDefinition, take};
use crate::scope::{Bridges, Function, Scopes};

/// Why a table was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// The signature is not "DMAR".
    #[error("this is not a DMAR table")]
    NotDmar,
    /// The table is longer than the bytes given, or shorter than its own header.
    #[error("the table is cut off")]
    CutOff,
    /// The bytes do not add up to 0.
    #[error("the checksum is wrong")]
    Checksum,
    /// The width of physical addresses is none that there is.
    #[error("a host address width of {0} bits")]
    HostAddressWidth(u16),
    /// A structure is shorter than it has to be, or reaches beyond the table.
    #[error("a structure of type {0} has a wrong length")]
    BadStructure(u16),
    /// A device scope has a wrong length, or a path that leads nowhere.
    #[error("a device scope is malformed")]
    BadScope,
    /// A unit's registers are not on a page, or not within physical addresses.
    #[error("a unit at {0:#x}")]
    BadUnit(u64),
    /// A reserved region is empty, not made of pages, or not within physical addresses.
    #[error("a reserved region at {0:#x}")]
    BadRegion(u64),
    /// A unit or region is of another PCI segment. Devices there would go unprotected.
    #[error("PCI segment {0}: only segment 0 is supported")]
    OtherSegment(u16),
    /// Two units answer for everything that no other one does, or one of them is not the last.
    #[error("a unit follows the one that includes all other devices")]
    AfterIncludeAll,
}

/// A checked DMAR table.
#[derive(Clone, Copy, Debug)]
pub struct Dmar<'a> {
    host_address_bits: u8,
    interrupt_remapping: bool,
    structures: &'a [u8],
}

/// A remapping unit.
#[derive(Clone, Copy, Debug)]
pub struct Unit<'a> {
    /// Physical address of its registers, a multiple of 4 KiB.
    pub base: u64,
    /// Bytes of its registers: 4 KiB, or a power of two times that.
    pub bytes: u64,
    /// Whether every device is behind it that is behind no other unit.
    pub include_all: bool,
    /// Devices that are behind it.
    pub scopes: Scopes<'a>,
}

/// Memory that devices use from before the system runs, and that they must still reach.
#[derive(Clone, Copy, Debug)]
pub struct ReservedRegion<'a> {
    /// Its first byte: a physical address, a multiple of 4 KiB.
    pub base: u64,
    /// Its length: a multiple of 4 KiB, not 0.
    pub bytes: u64,
    /// The devices that use it.
    pub scopes: Scopes<'a>,
}

/// A structure of a type that matters here.
enum Structure<'a> {
    Unit(Unit<'a>),
    Reserved(ReservedRegion<'a>),
    Other,
}

impl<'a> Dmar<'a> {
    /// The first good table in memory that firmware filled with tables; `None` where there is none at all.
    ///
    /// # Errors
    /// What is wrong with the first one, where none is good.
    pub fn find(memory: &'a [u8]) -> Option<Result<Self, Error>> {
        let starts = memory.windows(4).enumerate().filter(|(_, word)| word == b"DMAR");
        let mut found = None;
        for (at, _) in starts {
            match Self::parse(memory.get(at..).unwrap_or_default()) {
                Ok(table) => return Some(Ok(table)),
                Err(error) => found = found.or(Some(Err(error))),
            }
        }
        found
    }

    /// Checks a table. `bytes` may be longer than the table.
    ///
    /// # Errors
    /// The first thing that is wrong, by name.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let (header, _) = take::<Header>(bytes).ok_or(Error::CutOff)?;
        if header.signature != *b"DMAR" {
            return Err(Error::NotDmar);
        }
        let length = usize::try_from(header.length.get()).map_err(|_| Error::CutOff)?;
        let table = bytes.get(..length).ok_or(Error::CutOff)?;
        let structures = table.get(size_of::<Header>()..).ok_or(Error::CutOff)?;
        if table.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte)) != 0 {
            return Err(Error::Checksum);
        }
        let bits = u16::from(header.host_address_width) + 1;
        let host_address_bits = u8::try_from(bits).ok().filter(|bits| (32..=52).contains(bits));
        let dmar = Self {
            host_address_bits: host_address_bits.ok_or(Error::HostAddressWidth(bits))?,
            interrupt_remapping: header.flags & 1 != 0,
            structures,
        };
        dmar.check()?;
        Ok(dmar)
    }

    fn check(&self) -> Result<(), Error> {
        let mut rest = self.structures;
        let mut included_all = false;
        while !rest.is_empty() {
            let (structure, after) = Self::split(rest)?;
            rest = after;
            match structure {
                Structure::Unit(unit) => {
                    if included_all {
                        return Err(Error::AfterIncludeAll);
                    }
                    included_all = unit.include_all;
                    let end = unit.base.checked_add(unit.bytes);
                    if unit.base == 0 || !unit.base.is_multiple_of(4096) || !self.is_physical(end) {
                        return Err(Error::BadUnit(unit.base));
                    }
                }
                Structure::Reserved(region) => {
                    let aligned = (region.base | region.bytes).is_multiple_of(4096) && region.bytes != 0;
                    if !aligned || !self.is_physical(region.base.checked_add(region.bytes)) {
                        return Err(Error::BadRegion(region.base));
                    }
                }
                Structure::Other => {}
            }
        }
        Ok(())
    }

    fn is_physical(&self, end: Option<u64>) -> bool {
        end.is_some_and(|end| end <= 1 << self.host_address_bits)
    }

    /// The first structure, and what follows it.
    fn split(bytes: &'a [u8]) -> Result<(Structure<'a>, &'a [u8]), Error> {
        let (header, _) = take::<StructureHeader>(bytes).ok_or(Error::CutOff)?;
        let kind = header.kind.get();
        let bad = Error::BadStructure(kind);
        let (body, rest) = bytes.split_at_checked(header.length.get().into()).ok_or(bad)?;
        if body.len() < size_of::<StructureHeader>() {
            return Err(bad);
        }
        let structure = match kind {
            0 => {
                let (unit, scopes) = take::<UnitDefinition>(body).ok_or(bad)?;
                segment_zero(unit.segment.get())?;
                Structure::Unit(Unit {
                    base: unit.base.get(),
                    bytes: 4096 << (unit.size & 0xf),
                    include_all: unit.flags & 1 != 0,
                    scopes: Scopes::parse(scopes)?,
                })
            }
            1 => {
                let (region, scopes) = take::<ReservedMemory>(body).ok_or(bad)?;
                segment_zero(region.segment.get())?;
                let base = region.base.get();
                let bytes = region.limit.get().checked_sub(base).and_then(|length| length.checked_add(1));
                Structure::Reserved(ReservedRegion {
                    base,
                    bytes: bytes.ok_or(Error::BadRegion(base))?,
                    scopes: Scopes::parse(scopes)?,
                })
            }
            _ => Structure::Other,
        };
        Ok((structure, rest))
    }

    /// The structures, of a table that was checked.
    fn structures(&self) -> impl Iterator<Item = Structure<'a>> {
        let mut rest = self.structures;
        core::iter::from_fn(move || {
            let (structure, after) = Self::split(rest).ok()?;
            rest = after;
            Some(structure)
        })
    }

    /// Width of physical addresses.
    #[must_use]
    pub fn host_address_bits(&self) -> u8 {
        self.host_address_bits
    }

    /// Whether firmware says that interrupts can be remapped.
    #[must_use]
    pub fn interrupt_remapping(&self) -> bool {
        self.interrupt_remapping
    }

    /// The units, in the order of the table; the one that includes all other devices is the last.
    pub fn units(&self) -> impl Iterator<Item = Unit<'a>> {
        self.structures().filter_map(|structure| match structure {
            Structure::Unit(unit) => Some(unit),
            _ => None,
        })
    }

    /// The reserved regions, in the order of the table.
    pub fn reserved(&self) -> impl Iterator<Item = ReservedRegion<'a>> {
        self.structures().filter_map(|structure| match structure {
            Structure::Reserved(region) => Some(region),
            _ => None,
        })
    }

    /// The regions that are reserved for a function, or for a bridge that it is behind.
    pub fn reserved_for<B: Bridges>(
        &self,
        function: Function,
        bridges: &B,
    ) -> impl Iterator<Item = ReservedRegion<'a>> {
        self.reserved()
            .filter(move |region| region.scopes.into_iter().any(|scope| scope.covers(function, bridges)))
    }

    /// The unit that a function is behind: the one that names it, otherwise the one that includes all others.
    #[must_use]
    pub fn unit_of(&self, function: Function, bridges: &impl Bridges) -> Option<Unit<'a>> {
        let named = |unit: &Unit<'a>| unit.scopes.into_iter().any(|scope| scope.covers(function, bridges));
        self.units().find(named).or_else(|| self.units().find(|unit| unit.include_all))
    }
}

fn segment_zero(segment: u16) -> Result<(), Error> {
    if segment == 0 { Ok(()) } else { Err(Error::OtherSegment(segment)) }
}

// SPDX-License-Identifier: BSD-2-Clause
//! Reading a packed system.

use core::fmt;

use zerocopy::{FromBytes, Immutable, KnownLayout};

use crate::{
    MAGIC, VERSION,
    record::{Cap, Fill, Header, Irq, Map, Paging, Pd, Region, Span},
};

/// A packed system whose header and tables lie within its bytes.
///
/// The references from one record to another are the packer's word: an index out of range is `None` or an empty
/// name, never a panic.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a> {
    bytes: &'a [u8],
    /// Protection domains, parents before their children.
    pub pds: &'a [Pd],
    /// Regions.
    pub regions: &'a [Region],
    /// What fills them.
    pub fills: &'a [Fill],
    /// Paging structures, upper levels first.
    pub paging: &'a [Paging],
    /// Mappings.
    pub maps: &'a [Map],
    /// Capabilities.
    pub caps: &'a [Cap],
    /// Interrupts.
    pub irqs: &'a [Irq],
}

/// Why bytes are no packed system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadError {
    /// They do not begin with the magic, or are shorter than a header.
    NotAnImage,
    /// They are in another version of the format.
    Version(u32),
    /// They end before the packed system does.
    CutOff,
    /// The packed system ends before the named table does, or the table is not aligned.
    Table(&'static str),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnImage => f.write_str("there is no packed system"),
            Self::Version(found) => write!(f, "the packed system has version {found}, not {VERSION}"),
            Self::CutOff => f.write_str("the packed system is cut off"),
            Self::Table(name) => write!(f, "the packed system's table of {name} does not lie in it"),
        }
    }
}

impl core::error::Error for ReadError {}

impl<'a> Image<'a> {
    /// Reads the header and finds the tables.
    ///
    /// # Errors
    /// [`ReadError`] when the bytes are no packed system of this version.
    pub fn new(bytes: &'a [u8]) -> Result<Self, ReadError> {
        let (header, _) = Header::ref_from_prefix(bytes).map_err(|_| ReadError::NotAnImage)?;
        if header.magic != MAGIC {
            return Err(ReadError::NotAnImage);
        }
        if header.version != VERSION {
            return Err(ReadError::Version(header.version));
        }
        let whole = Span { offset: 0, len: header.total_len };
        let bytes = slice(bytes, whole).ok_or(ReadError::CutOff)?;
        Ok(Self {
            bytes,
            pds: table(bytes, header.pds, "protection domains")?,
            regions: table(bytes, header.regions, "regions")?,
            fills: table(bytes, header.fills, "fills")?,
            paging: table(bytes, header.paging, "paging structures")?,
            maps: table(bytes, header.maps, "maps")?,
            caps: table(bytes, header.caps, "capabilities")?,
            irqs: table(bytes, header.irqs, "interrupts")?,
        })
    }

    /// The bytes of a span, if it lies within the image.
    #[must_use]
    pub fn data(&self, span: Span) -> Option<&'a [u8]> {
        slice(self.bytes, span)
    }

    /// A name.
    #[must_use]
    pub fn name(&self, span: Span) -> &'a str {
        self.data(span).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or("?")
    }

    /// The name of a protection domain.
    #[must_use]
    pub fn pd_name(&self, pd: u32) -> &'a str {
        get(self.pds, pd).map_or("?", |pd| self.name(pd.name))
    }

    /// The name of a region.
    #[must_use]
    pub fn region_name(&self, region: u32) -> &'a str {
        get(self.regions, region).map_or("?", |region| self.name(region.name))
    }
}

/// The record at an index that another record states.
pub(crate) fn get<T>(table: &[T], index: u32) -> Option<&T> {
    table.get(usize::try_from(index).ok()?)
}

fn slice(bytes: &[u8], span: Span) -> Option<&[u8]> {
    let start = usize::try_from(span.offset).ok()?;
    let end = start.checked_add(usize::try_from(span.len).ok()?)?;
    bytes.get(start..end)
}

fn table<'a, T: FromBytes + Immutable + KnownLayout>(
    bytes: &'a [u8],
    span: Span,
    name: &'static str,
) -> Result<&'a [T], ReadError> {
    slice(bytes, span).and_then(|bytes| <[T]>::ref_from_bytes(bytes).ok()).ok_or(ReadError::Table(name))
}

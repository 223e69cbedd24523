// SPDX-License-Identifier: BSD-2-Clause
//! Second-stage paging entry (VT-d 9.8): a page or a table of guest addresses.
use bitfield_struct::bitfield;

/// A second-stage entry, of any level. It is present where it allows anything.
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct SecondStageEntry {
    /// R: reads.
    pub read: bool,
    /// W: writes.
    pub write: bool,
    #[bits(5)]
    __: u8,
    /// PS: a page, above the lowest level.
    pub page: bool,
    /// A: accessed.
    pub accessed: bool,
    /// D: dirty.
    pub dirty: bool,
    #[bits(2)]
    __: u8,
    /// Frame number of the page or table.
    #[bits(40)]
    pub frame: u64,
    /// Ignored by hardware (9.8): of an entry that leads to a table, how many of that table's entries are in use.
    #[bits(10)]
    pub used: u16,
    #[bits(2)]
    __: u8,
}
const _: () = assert!(size_of::<SecondStageEntry>() == 8);

// Where the fields are.
const _: () = {
    assert!(SecondStageEntry::new().with_read(true).with_write(true).into_bits() == 3);
    assert!(SecondStageEntry::new().with_page(true).into_bits() == 1 << 7);
    assert!(SecondStageEntry::new().with_accessed(true).into_bits() == 1 << 8);
    assert!(SecondStageEntry::new().with_dirty(true).into_bits() == 1 << 9);
    assert!(SecondStageEntry::new().with_frame(1).into_bits() == 1 << 12);
    assert!(SecondStageEntry::new().with_used(1).into_bits() == 1 << 52);
};

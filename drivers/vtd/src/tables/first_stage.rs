// SPDX-License-Identifier: BSD-2-Clause
//! First-stage paging entry (VT-d 9.7): as the processor's own, four levels.
use bitfield_struct::bitfield;

/// A first-stage entry, of any level.
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct FirstStageEntry {
    /// P: present.
    pub present: bool,
    /// R/W: writes.
    pub write: bool,
    /// U/S: user requests.
    pub user: bool,
    #[bits(2)]
    __: u8,
    /// A: accessed.
    pub accessed: bool,
    /// D: dirty.
    pub dirty: bool,
    /// PS: a page, above the lowest level.
    pub page: bool,
    #[bits(4)]
    __: u8,
    /// Frame number of the page or table.
    #[bits(40)]
    pub frame: u64,
    /// Ignored by hardware (9.7): of an entry that leads to a table, how many of that table's entries are in use.
    #[bits(10)]
    pub used: u16,
    __: bool,
    /// XD: no execution.
    pub no_execute: bool,
}
const _: () = assert!(size_of::<FirstStageEntry>() == 8);

// Where the fields are.
const _: () = {
    assert!(FirstStageEntry::new().with_present(true).with_write(true).with_user(true).into_bits() == 7);
    assert!(FirstStageEntry::new().with_accessed(true).into_bits() == 1 << 5);
    assert!(FirstStageEntry::new().with_dirty(true).into_bits() == 1 << 6);
    assert!(FirstStageEntry::new().with_page(true).into_bits() == 1 << 7);
    assert!(FirstStageEntry::new().with_frame(1).into_bits() == 1 << 12);
    assert!(FirstStageEntry::new().with_used(1).into_bits() == 1 << 52);
    assert!(FirstStageEntry::new().with_no_execute(true).into_bits() == 1 << 63);
};

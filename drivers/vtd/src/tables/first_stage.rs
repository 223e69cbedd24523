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
    #[bits(11)]
    __: u16,
    /// XD: no execution.
    pub no_execute: bool,
}
const _: () = assert!(size_of::<FirstStageEntry>() == 8);

// SPDX-License-Identifier: BSD-2-Clause
//! A domain's address space: what lies where, and the paging structures that this takes.

use std::collections::BTreeSet;

use microkit_image::record::Paging;

/// A range of addresses in use and what uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// First address.
    pub start: u64,
    /// First address after.
    pub end: u64,
    /// What it is, for errors.
    pub what: String,
}

/// The ranges in use.
#[derive(Debug, Default)]
pub struct Space(Vec<Used>);

impl Space {
    /// Takes a range; the one that it overlaps when there is one.
    pub fn take(&mut self, start: u64, end: u64, what: impl Into<String>) -> Option<Used> {
        let clash = self.0.iter().find(|used| used.start < end && start < used.end).cloned();
        self.0.push(Used { start, end, what: what.into() });
        clash
    }
}

/// The paging structures below the root for mappings given as address, bytes and log2 of the page: upper levels
/// first, then by address. `space` is 0 or [`Paging::GUEST`].
pub fn paging(pd: u32, space: u32, mappings: impl IntoIterator<Item = (u64, u64, u32)>) -> Vec<Paging> {
    let mut tables = BTreeSet::new();
    for (vaddr, size, page_bits) in mappings {
        for page in (vaddr..vaddr + size).step_by(1 << page_bits) {
            tables.insert((Paging::PDPT, page >> 39 << 39));
            tables.insert((Paging::PAGE_DIRECTORY, page >> 30 << 30));
            if page_bits < 21 {
                tables.insert((Paging::PAGE_TABLE, page >> 21 << 21));
            }
        }
    }
    tables.into_iter().rev().map(|(level, vaddr)| Paging { pd, level: level | space, vaddr }).collect()
}

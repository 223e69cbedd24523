// SPDX-License-Identifier: BSD-2-Clause
//! Everything that hardware may remember (VT-d 6.2), tagged with no more than the specification tags it with.
use std::collections::BTreeMap;

use vtd::SourceId;
use vtd::tables::{PasidEntry, ScalableContextEntry, TranslationType};

/// Whose request brought something into a cache. Hardware does not know; the tests ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The device.
    pub device: SourceId,
    /// The PASID.
    pub pasid: u32,
}

/// How an address space is tagged: second-stage translations by their domain alone, all others also by their
/// PASID (VT-d 6.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tag {
    pub(crate) domain: u16,
    pub(crate) pasid: Option<u32>,
    /// Nested translations go with their second stage as well.
    pub(crate) nested: bool,
}

/// A translation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Translation {
    pub(crate) phys: u64,
    pub(crate) bytes: u64,
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) origin: Origin,
}

/// A table on the way to a translation: where the entries of `level` for an address are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub(crate) phys: u64,
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) origin: Origin,
}

/// A cached PASID entry, and what the directory said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CachedPasid {
    pub(crate) entry: PasidEntry,
    pub(crate) quiet: bool,
}

/// The caches of a unit, and those of the devices behind it.
#[derive(Debug, Default)]
pub(crate) struct Caches {
    /// By source id; `None` remembers that there was no entry (CAP.CM).
    pub(crate) contexts: BTreeMap<SourceId, Option<ScalableContextEntry>>,
    /// By device and PASID; `None` remembers that there was no entry (CAP.CM).
    pub(crate) pasids: BTreeMap<Origin, Option<CachedPasid>>,
    /// By tag and page; pages of every size are kept under their first address.
    pub(crate) iotlb: BTreeMap<(Tag, u64), Translation>,
    /// By tag, level and the first address that the table translates.
    pub(crate) tables: BTreeMap<(Tag, u8, u64), Table>,
    /// Addresses that were found not to be mapped (CAP.CM), by page.
    pub(crate) absent: BTreeMap<(Tag, u64), Origin>,
    /// What devices keep: by device, PASID (`None` where untagged) and page.
    pub(crate) devices: BTreeMap<(SourceId, Option<u32>, u64), Translation>,
}

impl Caches {
    /// Pages of `bytes` bytes around `address`.
    fn page(address: u64, bytes: u64) -> u64 {
        address & !(bytes - 1)
    }

    /// The translation of an address.
    pub(crate) fn translation(&self, tag: Tag, address: u64) -> Option<Translation> {
        [12, 21, 30, 39].into_iter().find_map(|bits| {
            let found = self.iotlb.get(&(tag, Self::page(address, 1 << bits)));
            found.filter(|translation| translation.bytes == 1 << bits).copied()
        })
    }

    /// Forgets translations and what led to them.
    fn forget(&mut self, of: impl Fn(&Tag) -> bool, pages: Option<(u64, u64)>) {
        let hit =
            |start: u64, bytes: u64| pages.is_none_or(|(first, end)| start < end && start + bytes > first);
        self.iotlb.retain(|(tag, page), translation| !(of(tag) && hit(*page, translation.bytes)));
        self.tables
            .retain(|(tag, level, start), _| !(of(tag) && hit(*start, 1 << (12 + 9 * u64::from(*level)))));
        self.absent.retain(|(tag, page), _| !(of(tag) && hit(*page, 4096)));
    }

    /// IOTLB invalidation (VT-d 6.5.2.3). It reaches first-stage and pass-through translations only when global.
    pub(crate) fn forget_all(&mut self) {
        self.forget(|_| true, None);
    }

    pub(crate) fn forget_domain(&mut self, domain: u16) {
        self.forget(|tag| tag.domain == domain && (tag.pasid.is_none() || tag.nested), None);
    }

    pub(crate) fn forget_pages(&mut self, domain: u16, pages: (u64, u64)) {
        self.forget(|tag| tag.domain == domain && tag.pasid.is_none(), Some(pages));
        // A nested translation is not found by the address in between: all of them go.
        self.forget(|tag| tag.domain == domain && tag.nested, None);
    }

    /// PASID-based IOTLB invalidation (VT-d 6.5.2.4).
    pub(crate) fn forget_pasid(&mut self, domain: u16, pasid: u32, pages: Option<(u64, u64)>) {
        self.forget(|tag| tag.domain == domain && tag.pasid == Some(pasid), pages);
    }

    /// PASID-cache invalidation (VT-d 6.5.2.2); entries that were not there have domain 0.
    pub(crate) fn forget_pasid_entries(&mut self, domain: Option<u16>, pasid: Option<u32>) {
        self.pasids.retain(|origin, cached| {
            let tag = cached.map_or(0, |cached| cached.entry.word1.domain());
            let named = domain.is_none_or(|domain| domain == tag) && pasid.is_none_or(|p| p == origin.pasid);
            !named
        });
    }

    /// What is still known from requests of `origin`, as text.
    pub(crate) fn of(&self, origin: Origin) -> Option<String> {
        let pasid =
            self.pasids.get(&origin).filter(|cached| cached.is_some()).map(|_| "its PASID entry".into());
        let iotlb = self.iotlb.iter().find(|(_, translation)| translation.origin == origin);
        let tables = self.tables.iter().find(|(_, table)| table.origin == origin);
        let devices = self.devices.iter().find(|(_, translation)| translation.origin == origin);
        pasid
            .or_else(|| iotlb.map(|entry| format!("translation {entry:x?}")))
            .or_else(|| tables.map(|entry| format!("table {entry:x?}")))
            .or_else(|| devices.map(|entry| format!("device translation {entry:x?}")))
    }

    /// Whether any cache leads to memory in this range, by a translation or by a table in it.
    pub(crate) fn reaches(&self, phys: u64, bytes: u64) -> bool {
        let hit = |start: u64, length: u64| start < phys + bytes && start + length > phys;
        self.iotlb.values().chain(self.devices.values()).any(|found| hit(found.phys, found.bytes))
            || self.tables.values().any(|table| hit(table.phys, 4096))
    }

    /// Every table that hardware would read from without asking for it again.
    pub(crate) fn frames(&self) -> impl Iterator<Item = u64> {
        let contexts = self.contexts.values().flatten().map(|context| context.word0.directory() << 12);
        let pasids = self.pasids.values().flatten().flat_map(|cached| {
            let PasidEntry { word0, word2, .. } = cached.entry;
            match word0.translation() {
                TranslationType::PassThrough => [0, 0],
                // The first-stage root of a nested entry is an address within the second stage.
                TranslationType::Nested => [word0.second_stage() << 12, 0],
                _ => [word0.second_stage() << 12, word2.first_stage() << 12],
            }
        });
        contexts.chain(pasids).chain(self.tables.values().map(|table| table.phys)).filter(|&phys| phys != 0)
    }
}

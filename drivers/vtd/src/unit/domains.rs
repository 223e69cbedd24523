// SPDX-License-Identifier: BSD-2-Clause
//! Domains and what they map.
use super::Unit;
use crate::access::{Registers, TableMemory};
use crate::domain::{Domain, Stage};
use crate::error::{Error, Feature};
use crate::ids::{DomainId, Share};
use crate::paging::{Access, Chain, Change, PageSize, PageTable, Range};
use crate::tables::Descriptor;

/// What hardware takes for interrupts, whatever the tables say (VT-d 3.14): never an address of memory.
const INTERRUPT_RANGE: core::ops::Range<u64> = 0xfee0_0000..0xfef0_0000;
/// Page-selective invalidations of one change; a range that needs more is forgotten with its whole domain.
const MOST_SELECTIVE: usize = 8;
/// Width of the addresses that a 4-level first-stage table translates: the canonical lower half.
const FIRST_STAGE_BITS: u8 = 47;

impl<R: Registers, M: TableMemory> Unit<R, M> {
    /// How many domains can be made yet, as far as their ids go. Looks at each of these.
    #[must_use]
    pub fn free_domains(&self) -> usize {
        self.domains.count_free(&self.frames)
    }

    /// Makes a domain whose tables come out of the pool: [`Unit::create_domain_in`] of it.
    ///
    /// # Errors
    /// As [`Unit::create_domain_in`].
    pub fn create_domain(&mut self, stage: Stage) -> Result<DomainId, Error> {
        self.create_domain_in(Share::POOL, stage)
    }

    /// Makes a domain. Nothing is mapped in it.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::NoShare`], [`Error::NoDomain`], [`Error::NoMemory`].
    pub fn create_domain_in(&mut self, share: Share, stage: Stage) -> Result<DomainId, Error> {
        let ecap = self.capabilities.ecap();
        match stage {
            Stage::Second if !ecap.ssts() => return Err(Error::Missing(Feature::SecondStage)),
            Stage::First if !ecap.fsts() => return Err(Error::Missing(Feature::FirstStage)),
            Stage::PassThrough if !ecap.pt() => return Err(Error::Missing(Feature::PassThrough)),
            _ => {}
        }
        self.domains.available()?;
        let (frames, stock) = self.stock(share)?;
        let (root, tables) = if stage == Stage::PassThrough { (0, 0) } else { (stock.take(frames)?, 1) };
        let domain = self.domains.allocate(&self.frames)?;
        let record = Domain { share, tables, stage, root, bindings: 0, pasid: None };
        self.domains.set(&mut self.frames, domain, record);
        Ok(domain)
    }

    /// Destroys a domain and gives its tables back. Every unbinding has already made hardware forget it.
    ///
    /// # Errors
    /// [`Error::NoSuchDomain`], [`Error::DomainBound`].
    pub fn destroy_domain(&mut self, domain: DomainId) -> Result<(), Error> {
        let record = self.domains.get(&self.frames, domain)?;
        if record.bindings != 0 {
            return Err(Error::DomainBound);
        }
        if record.root != 0 {
            let levels = self.page_table(&record)?.levels;
            let (frames, stock) = self.stock(record.share)?;
            stock.discard(frames, record.root, levels, record.tables);
        }
        self.domains.release(&mut self.frames, domain);
        Ok(())
    }

    /// Unmaps a range, all of which is mapped. Returns when no device can reach what was mapped there.
    ///
    /// # Errors
    /// [`Error::NoSuchDomain`], [`Error::NotTranslated`], [`Error::InvalidRange`], [`Error::NotMapped`],
    /// [`Error::NoMemory`] (a large page that is unmapped in part needs a table). After [`Error::Unconfirmed`] it
    /// is unmapped, but devices may reach it until [`Unit::settle`] succeeds.
    pub fn unmap(&mut self, domain: DomainId, iova: u64, bytes: u64) -> Result<(), Error> {
        let mut record = self.domains.get(&self.frames, domain)?;
        let table = self.page_table(&record)?;
        let range = self.range(&table, iova, bytes)?;
        let left = self.change(domain, &mut record, |change| table.unmap(change, range))?;
        self.forget_pages(domain, &record, range, left)
    }

    /// Merges pages of a range into larger ones, where they lie in a row, have the same rights, and the unit has
    /// such pages. Nothing that is mapped changes, but frames come back and hardware caches less.
    ///
    /// # Errors
    /// [`Error::NoSuchDomain`], [`Error::NotTranslated`], [`Error::InvalidRange`]. After [`Error::Unconfirmed`] the
    /// tables that are no longer needed are kept until [`Unit::settle`] succeeds.
    pub fn merge(&mut self, domain: DomainId, iova: u64, bytes: u64) -> Result<(), Error> {
        let mut record = self.domains.get(&self.frames, domain)?;
        let table = self.page_table(&record)?;
        let range = self.range(&table, iova, bytes)?;
        let left = self.change(domain, &mut record, |change| {
            table.merge(change, range);
            Ok(())
        })?;
        if left.is_empty() {
            return Ok(());
        }
        self.forget_pages(domain, &record, range, left)
    }

    /// Where `iova` leads in a domain, and what may be done there.
    #[must_use]
    pub fn translate(&self, domain: DomainId, iova: u64) -> Option<(u64, Access)> {
        let table = self.page_table(&self.domains.get(&self.frames, domain).ok()?).ok()?;
        if iova >> self.table_bits(&table) != 0 {
            return None;
        }
        table.translate(&self.frames, iova)
    }

    /// Changes a domain's tables and gives what is left over, which hardware may still know.
    pub(super) fn change(
        &mut self,
        domain: DomainId,
        record: &mut Domain,
        what: impl FnOnce(&mut Change<'_, M>) -> Result<(), Error>,
    ) -> Result<Chain, Error> {
        let (frames, stock) = self.stock(record.share)?;
        let mut change = Change { frames, stock, tables: record.tables, left: Chain::default() };
        let changed = what(&mut change);
        let Change { tables, left, .. } = change;
        if tables != record.tables {
            record.tables = tables;
            self.domains.set(&mut self.frames, domain, *record);
        }
        changed.map(|()| left)
    }

    /// The page table of a domain.
    pub(super) fn page_table(&self, record: &Domain) -> Result<PageTable, Error> {
        let cap = self.capabilities.cap();
        let (levels, large, huge) = match record.stage {
            Stage::Second => (self.levels, cap.sslps() & 1 != 0, cap.sslps() & 2 != 0),
            Stage::First => (4, true, cap.fs1gp()),
            Stage::PassThrough => return Err(Error::NotTranslated),
        };
        let largest = match (large, huge) {
            (true, true) => PageSize::Huge,
            (true, false) => PageSize::Large,
            _ => PageSize::Small,
        };
        Ok(PageTable { root: record.root, levels, stage: record.stage, largest })
    }

    fn table_bits(&self, table: &PageTable) -> u8 {
        match table.stage {
            Stage::First => FIRST_STAGE_BITS,
            _ => self.iova_bits(),
        }
    }

    /// The guest addresses around one that can be mapped: within the width, and on one side of those that interrupts take.
    pub(super) fn addresses(&self, table: &PageTable, iova: u64) -> Range {
        Range { start: 0, end: 1 << self.table_bits(table) }.around(iova, &INTERRUPT_RANGE)
    }

    /// A range of guest addresses, checked.
    fn range(&self, table: &PageTable, iova: u64, bytes: u64) -> Result<Range, Error> {
        if !(iova | bytes).is_multiple_of(4096) || !self.addresses(table, iova).has(iova, bytes) {
            return Err(Error::InvalidRange);
        }
        Ok(Range { start: iova, end: iova + bytes })
    }

    /// The memory around an address that can be mapped: within the width, and beside the unit's own tables and what
    /// interrupts take.
    pub(super) fn memory(&self, phys: u64) -> Range {
        let all = Range { start: 0, end: 1 << self.config.host_address_bits.min(52) };
        all.around(phys, &INTERRUPT_RANGE).around(phys, &self.frames.place())
    }

    /// Makes hardware forget the pages of a range and the tables that led there, and gives the tables back once
    /// it has.
    pub(super) fn forget_pages(
        &mut self,
        domain: DomainId,
        record: &Domain,
        range: Range,
        left: Chain,
    ) -> Result<(), Error> {
        // A domain that is not bound is cached nowhere: every unbinding made hardware forget it.
        let forgotten =
            if record.bindings == 0 { Ok(()) } else { self.forget_bound_pages(domain, record, range) };
        let (frames, stock) = self.stock(record.share)?;
        match forgotten {
            Ok(()) => stock.release(frames, left),
            Err(_) => stock.keep(frames, left),
        }
        forgotten
    }

    fn forget_bound_pages(&mut self, domain: DomainId, record: &Domain, range: Range) -> Result<(), Error> {
        let cap = self.capabilities.cap();
        let most = if cap.psi() { MOST_SELECTIVE } else { 0 };
        let selective = blocks(range, cap.mamv()).take(most + 1).count() <= most;
        let pasid = record.pasid.filter(|_| record.stage == Stage::First);
        if selective {
            for (iova, mask) in blocks(range, cap.mamv()) {
                self.push(match pasid {
                    Some(pasid) => Descriptor::pasid_iotlb_pages(domain, pasid, iova, mask),
                    None => Descriptor::iotlb_pages(domain, iova, mask),
                })?;
            }
        } else {
            self.push(match pasid {
                Some(pasid) => Descriptor::pasid_iotlb(domain, pasid),
                None => Descriptor::iotlb_domain(domain),
            })?;
        }
        self.push_device_tlbs()?;
        self.submit()
    }
}

/// The naturally aligned blocks of 2^mask pages, mask at most `most`, that a range is made of.
fn blocks(range: Range, most: u8) -> impl Iterator<Item = (u64, u8)> {
    let mut page = range.start / 4096;
    let end = range.end / 4096;
    core::iter::from_fn(move || {
        let left = end.checked_sub(page).filter(|&left| left != 0)?;
        let aligned = if page == 0 { 63 } else { page.trailing_zeros() };
        let mask = u8::try_from(aligned.min(left.ilog2())).unwrap_or(0).min(most);
        let block = (page * 4096, mask);
        page += 1 << mask;
        Some(block)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_a_range_exactly() {
        let parts = |start: u64, end: u64, most| {
            let range = Range { start: start << 12, end: end << 12 };
            blocks(range, most).map(|(iova, mask)| (iova >> 12, mask)).collect::<Vec<_>>()
        };
        assert_eq!(parts(0, 1, 9), [(0, 0)]);
        assert_eq!(parts(1, 8, 9), [(1, 0), (2, 1), (4, 2)]);
        assert_eq!(parts(0, 512, 18), [(0, 9)]);
        assert_eq!(parts(0, 8, 1), [(0, 1), (2, 1), (4, 1), (6, 1)]);
        assert_eq!(parts(5, 5, 9), []);
    }
}

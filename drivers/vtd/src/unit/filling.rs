// SPDX-License-Identifier: BSD-2-Clause
//! Mapping: one thing, or one after the other.
use super::Unit;
use crate::access::{Registers, TableMemory};
use crate::domain::Domain;
use crate::error::Error;
use crate::ids::DomainId;
use crate::paging::{Chain, Leaf, Mapping, PageTable};

/// A domain that is being mapped in. What goes into the same lowest table as what came before it costs no walk, and
/// hardware is shown all of it at once.
#[derive(Debug)]
pub struct Filling<'u, R, M> {
    unit: &'u mut Unit<R, M>,
    domain: DomainId,
    record: Domain,
    table: PageTable,
    /// The table at hand.
    leaf: Option<Leaf>,
}

impl<R: Registers, M: TableMemory> Unit<R, M> {
    /// Maps memory in a domain, all of it or nothing.
    ///
    /// # Errors
    /// [`Error::NoSuchDomain`], [`Error::NotTranslated`], [`Error::InvalidRange`], [`Error::InvalidAccess`],
    /// [`Error::AlreadyMapped`], [`Error::NoMemory`]. After [`Error::Unconfirmed`] it is mapped; hardware may
    /// deny it until [`Unit::settle`] succeeds.
    pub fn map(&mut self, domain: DomainId, mapping: Mapping) -> Result<(), Error> {
        self.fill(domain, |filling| filling.map(&mapping)).flatten()
    }

    /// Maps as much in a domain as `what` does, and gives what that gives.
    ///
    /// # Errors
    /// [`Error::NoSuchDomain`], [`Error::NotTranslated`]: nothing was done. [`Error::CommandTimeout`]: hardware may not
    /// see what was mapped.
    #[inline(always)]
    pub fn fill<T>(
        &mut self,
        domain: DomainId,
        what: impl FnOnce(&mut Filling<'_, R, M>) -> T,
    ) -> Result<T, Error> {
        let record = self.domains.get(&self.frames, domain)?;
        let table = self.page_table(&record)?;
        let mut filling = Filling { unit: self, domain, record, table, leaf: None };
        let result = what(&mut filling);
        filling.settle();
        self.flush_write_buffer()?;
        Ok(result)
    }
}

impl<R: Registers, M: TableMemory> Filling<'_, R, M> {
    /// Maps something, all of it or nothing.
    ///
    /// # Errors
    /// Those of [`Unit::map`].
    #[inline(always)]
    pub fn map(&mut self, mapping: &Mapping) -> Result<(), Error> {
        match &mut self.leaf {
            Some(leaf) if leaf.has(mapping) => leaf.map(&mut self.unit.frames, mapping)?,
            _ => self.map_far(mapping)?,
        }
        if self.unit.capabilities.caching_mode() {
            self.settle();
            return self.unit.forget_pages(self.domain, &self.record, mapping.range(), Chain::default());
        }
        Ok(())
    }

    /// Maps what lies in no table at hand; afterwards the one that it lies in is, if that is one that was there.
    #[inline(never)]
    fn map_far(&mut self, mapping: &Mapping) -> Result<(), Error> {
        let &Mapping { iova, phys, bytes, access, .. } = mapping;
        let (addresses, memory) = (self.unit.addresses(&self.table, iova), self.unit.memory(phys));
        let aligned = (iova | phys | bytes).is_multiple_of(4096);
        if !aligned || !addresses.has(iova, bytes) || !memory.has(phys, bytes) {
            return Err(Error::InvalidRange);
        }
        if !self.table.takes(access) {
            return Err(Error::InvalidAccess);
        }
        self.settle();
        self.leaf = self.table.leaf(&self.unit.frames, iova, addresses, memory);
        if let Some(leaf) = self.leaf.as_mut().filter(|leaf| leaf.has(mapping)) {
            return leaf.map(&mut self.unit.frames, mapping);
        }
        // What is in no one lowest table may change the entry that leads to one.
        self.leaf = None;
        let missing = self.table.missing(&self.unit.frames, mapping)?;
        let (frames, stock) = self.unit.stock(self.record.share)?;
        if missing > stock.available(frames) {
            return Err(Error::NoMemory);
        }
        // Nothing is taken away, so nothing is left over.
        let table = self.table;
        self.unit.change(self.domain, &mut self.record, |change| table.map(change, mapping)).map(drop)
    }

    /// Lets hardware see what was written.
    fn settle(&mut self) {
        if let Some(leaf) = &mut self.leaf {
            self.table.settle(&mut self.unit.frames, leaf);
        }
    }
}

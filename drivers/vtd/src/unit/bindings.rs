// SPDX-License-Identifier: BSD-2-Clause
//! Bindings: PASID entries, and the one place where the order of binding and unbinding is written
//! (VT-d 6.5.3.3).
//!
//! Binding: every word of the entry, the present bit with the last store; then, where hardware may have cached
//! that there was nothing (CAP.CM), it is made to forget that.
//!
//! Unbinding: the present bit goes; hardware forgets the PASID entry, then the translations, then devices
//! forget theirs; the completion is awaited; the entry is zeroed. Only a zero entry is free. An entry that is
//! not present and not zero is in quarantine: denied, and perhaps still cached.
use heapless::Vec;

use super::Unit;
use super::devices::Context;
use crate::access::{Registers, TableMemory};
use crate::batch::{BATCH, Binding};
use crate::domain::{Stage, Target};
use crate::error::{Error, Feature};
use crate::frames::{address, frame};
use crate::ids::{DomainId, Pasid, SourceId};
use crate::tables::{
    Descriptor, PasidDirectoryEntry, PasidEntry, PasidWord0, PasidWord1, PasidWord2, TranslationType,
};

/// An entry that is to be torn down, as it was.
#[derive(Clone, Copy)]
struct Doomed {
    binding: Binding,
    address: u64,
    word0: PasidWord0,
    domain: DomainId,
}

impl<R: Registers, M: TableMemory> Unit<R, M> {
    /// Lets a PASID of a device reach what a domain maps.
    ///
    /// # Errors
    /// [`Error::NotAttached`], [`Error::PasidTooWide`], [`Error::AlreadyBound`], [`Error::Quarantined`],
    /// [`Error::NoSuchDomain`], [`Error::OtherPasid`], [`Error::Missing`], [`Error::InvalidRange`] (a nested
    /// root), [`Error::NoMemory`]. After [`Error::Unconfirmed`] it is bound; hardware may deny it until
    /// [`Unit::settle`] succeeds.
    pub fn bind(&mut self, device: SourceId, pasid: Pasid, target: impl Into<Target>) -> Result<(), Error> {
        let target = target.into();
        let context = self.attached(device)?;
        let entry = self.compose(pasid, target)?;
        let address = self.pasid_entry_or_table(&context, pasid, target.domain())?;
        let old: PasidEntry = self.frames.read(address);
        match old {
            PasidEntry::DENY => self.publish(address, pasid, target.domain(), entry),
            old if old.quarantined() => Err(Error::Quarantined),
            _ => Err(Error::AlreadyBound),
        }
    }

    /// Lets a bound PASID reach what another domain maps, and no longer what it did. In between, what it asks
    /// for is denied: at no time may hardware mix the two.
    ///
    /// # Errors
    /// [`Error::NotBound`], and as [`Unit::bind`]: then the old binding is as it was. After
    /// [`Error::Unconfirmed`] the PASID is in quarantine.
    pub fn replace(
        &mut self,
        device: SourceId,
        pasid: Pasid,
        target: impl Into<Target>,
    ) -> Result<(), Error> {
        let target = target.into();
        let entry = self.compose(pasid, target)?;
        let (address, old) = self.pasid_entry(device, pasid)?;
        if old.quarantined() {
            return Err(Error::Quarantined);
        }
        self.unbind(device, pasid)?;
        self.publish(address, pasid, target.domain(), entry)
    }

    /// Takes a binding away: [`Unit::unbind_all`] of one.
    ///
    /// # Errors
    /// As [`Unit::unbind_all`].
    pub fn unbind(&mut self, device: SourceId, pasid: Pasid) -> Result<(), Error> {
        self.unbind_all(&[Binding { device, pasid }])
    }

    /// Takes bindings away, with one submission to the queue and one wait for all of them. Returns when no
    /// request can use any of them any more: their ids may be used anew.
    ///
    /// # Errors
    /// [`Error::BatchTooLong`], [`Error::NotAttached`], [`Error::PasidTooWide`], [`Error::NotBound`]: nothing was
    /// changed. After [`Error::Unconfirmed`] all of them are in quarantine; the same call may be made again.
    pub fn unbind_all(&mut self, bindings: &[Binding]) -> Result<(), Error> {
        let mut doomed: Vec<Doomed, BATCH> = Vec::new();
        for &binding in bindings {
            let (address, entry) = self.pasid_entry(binding.device, binding.pasid)?;
            let item =
                Doomed { binding, address, word0: entry.word0, domain: DomainId(entry.word1.domain()) };
            doomed.push(item).map_err(|_| Error::BatchTooLong)?;
        }
        for item in &doomed {
            self.frames.write(item.address, item.word0.with_present(false));
        }
        self.forget_bindings(&doomed)?;
        for &Doomed { address, domain, .. } in &doomed {
            // A binding that the batch names twice is zero already the second time.
            if self.frames.read::<PasidEntry, 3>(address) != PasidEntry::DENY {
                self.frames.write(address, PasidEntry::DENY);
                self.count_binding(domain, None)?;
            }
        }
        Ok(())
    }

    /// Whether any PASID of any device is bound to a domain.
    #[must_use]
    pub fn is_bound(&self, domain: DomainId) -> bool {
        self.domains.get(&self.frames, domain).is_ok_and(|record| record.bindings != 0)
    }

    /// What a PASID of a device is bound to.
    #[must_use]
    pub fn binding(&self, device: SourceId, pasid: Pasid) -> Option<Target> {
        let (_, entry) = self.pasid_entry(device, pasid).ok()?;
        let domain = DomainId(entry.word1.domain());
        match (entry.word0.present(), entry.word0.translation()) {
            (false, _) => None,
            (true, TranslationType::Nested) => {
                Some(Target::Nested { parent: domain, root: address(entry.word2.first_stage()) })
            }
            (true, _) => Some(Target::Domain(domain)),
        }
    }

    /// The domain that is still held by a PASID of a device: that to which it is bound, or was bound when an unbinding
    /// was not confirmed. It stays until [`Unit::unbind`] succeeds.
    #[must_use]
    pub fn held(&self, device: SourceId, pasid: Pasid) -> Option<DomainId> {
        let (_, entry) = self.pasid_entry(device, pasid).ok()?;
        Some(DomainId(entry.word1.domain()))
    }

    /// The teardown of entries that are no longer present, in one submission.
    fn forget_bindings(&mut self, doomed: &[Doomed]) -> Result<(), Error> {
        for item in doomed {
            self.push(Descriptor::pasid_cache(item.domain, item.binding.pasid))?;
            let through = item.word0.translation() == TranslationType::PassThrough;
            if through && self.config.quirks.pass_through_in_context {
                self.push(Descriptor::context(item.binding.device))?;
            }
        }
        self.fence()?;
        let mut last = None;
        for item in doomed {
            match item.word0.translation() {
                TranslationType::FirstStage | TranslationType::PassThrough => {
                    self.push(Descriptor::pasid_iotlb(item.domain, item.binding.pasid))?;
                }
                // A run of bindings of one domain is forgotten once.
                _ if last == Some(item.domain) => {}
                _ => {
                    self.push(Descriptor::iotlb_domain(item.domain))?;
                    last = Some(item.domain);
                }
            }
        }
        self.forget_in_devices(doomed)?;
        self.submit()
    }

    /// The part of a teardown that is for devices with TLBs of their own: behind the unit's, which they could
    /// otherwise fill theirs from (VT-d 6.5.2.5).
    fn forget_in_devices(&mut self, doomed: &[Doomed]) -> Result<(), Error> {
        let mut fenced = false;
        for &Doomed { binding: Binding { device, pasid }, .. } in doomed {
            if !self.ats.contains(&device) {
                continue;
            }
            if !fenced {
                self.fence()?;
                fenced = true;
            }
            self.push(Descriptor::pasid_device_tlb(device, pasid))?;
            if self.context(device)?.entry.word1.rid_pasid() == pasid.get() {
                self.push(Descriptor::device_tlb(device))?;
            }
        }
        Ok(())
    }

    /// Writes an entry that is all zero, and makes hardware see it.
    fn publish(
        &mut self,
        address: u64,
        pasid: Pasid,
        domain: DomainId,
        entry: PasidEntry,
    ) -> Result<(), Error> {
        self.count_binding(domain, Some(pasid))?;
        self.frames.write(address, entry);
        if !self.capabilities.caching_mode() {
            return self.flush_write_buffer();
        }
        // What was not present is cached under domain 0 (VT-d 6.2.1).
        self.push(Descriptor::pasid_cache(DomainId(0), pasid))?;
        self.push(Descriptor::pasid_cache(domain, pasid))?;
        self.fence()?;
        self.push(Descriptor::pasid_iotlb(domain, pasid))?;
        self.push(Descriptor::iotlb_domain(domain))?;
        self.submit()
    }

    /// Counts a binding of a domain: one more under a PASID, or one less.
    fn count_binding(&mut self, domain: DomainId, bound: Option<Pasid>) -> Result<(), Error> {
        let mut record = self.domains.get(&self.frames, domain)?;
        match bound {
            Some(pasid) => {
                record.bindings = record.bindings.checked_add(1).ok_or(Error::DomainBound)?;
                record.pasid = Some(pasid).filter(|_| record.stage == Stage::First);
            }
            None => {
                record.bindings = record.bindings.saturating_sub(1);
                record.pasid = record.pasid.filter(|_| record.bindings != 0);
            }
        }
        self.domains.set(&mut self.frames, domain, record);
        Ok(())
    }

    /// The entry that binds `pasid` to `target`; nothing is written.
    fn compose(&self, pasid: Pasid, target: Target) -> Result<PasidEntry, Error> {
        let ecap = self.capabilities.ecap();
        let domain = target.domain();
        let record = self.domains.get(&self.frames, domain)?;
        let word0 = PasidWord0::new().with_present(true).with_address_width(self.levels - 2);
        // Where it can be chosen, page walks snoop: what ECAP.C says does not cover them then (VT-d 9.6).
        let word1 = PasidWord1::new().with_domain(domain.get()).with_walk_snoop(ecap.smpwcs());
        let word2 = PasidWord2::new();
        let second = word0.with_second_stage(frame(record.root));
        Ok(match (target, record.stage) {
            (Target::Domain(_), Stage::Second) => {
                PasidEntry { word0: second.with_translation(TranslationType::SecondStage), word1, word2 }
            }
            (Target::Domain(_), Stage::First) => {
                if record.pasid.is_some_and(|bound| bound != pasid) {
                    return Err(Error::OtherPasid);
                }
                let word2 = word2.with_first_stage(frame(record.root));
                PasidEntry { word0: word0.with_translation(TranslationType::FirstStage), word1, word2 }
            }
            (Target::Domain(_), Stage::PassThrough) => {
                PasidEntry { word0: word0.with_translation(TranslationType::PassThrough), word1, word2 }
            }
            (Target::Nested { root, .. }, Stage::Second) => {
                if !ecap.nest() {
                    return Err(Error::Missing(Feature::Nested));
                }
                if !root.is_multiple_of(4096) || root >> self.iova_bits() != 0 {
                    return Err(Error::InvalidRange);
                }
                let word2 = word2.with_first_stage(frame(root));
                PasidEntry { word0: second.with_translation(TranslationType::Nested), word1, word2 }
            }
            (Target::Nested { .. }, _) => return Err(Error::NotTranslated),
        })
    }

    /// Where the directory entry of a PASID is.
    fn directory_entry(&self, context: &Context, pasid: Pasid) -> Result<u64, Error> {
        if pasid.get() >> context.entry.pasid_bits() != 0 {
            return Err(Error::PasidTooWide);
        }
        Ok(address(context.entry.word0.directory()) + pasid.directory_index() * PasidDirectoryEntry::BYTES)
    }

    /// The entry of a PASID that is bound, or in quarantine: where it is, and what it says.
    fn pasid_entry(&self, device: SourceId, pasid: Pasid) -> Result<(u64, PasidEntry), Error> {
        let entry = self.directory_entry(&self.context(device)?, pasid)?;
        let directory: PasidDirectoryEntry = self.frames.read(entry);
        if !directory.present() {
            return Err(Error::NotBound);
        }
        let at = address(directory.frame()) + pasid.table_index() * PasidEntry::BYTES;
        match self.frames.read(at) {
            PasidEntry::DENY => Err(Error::NotBound),
            entry => Ok((at, entry)),
        }
    }

    /// Where the entry of a PASID is, or would be: its table is made where there is none, out of the domain's share. A
    /// table stays until the device is detached, and is the pool's then.
    fn pasid_entry_or_table(
        &mut self,
        context: &Context,
        pasid: Pasid,
        domain: DomainId,
    ) -> Result<u64, Error> {
        let entry = self.directory_entry(context, pasid)?;
        let directory: PasidDirectoryEntry = self.frames.read(entry);
        let table = if directory.present() {
            address(directory.frame())
        } else {
            let share = self.domains.get(&self.frames, domain)?.share;
            let (frames, stock) = self.stock(share)?;
            let table = stock.take(frames)?;
            self.frames.write(entry, PasidDirectoryEntry::new().with_present(true).with_frame(frame(table)));
            table
        };
        Ok(table + pasid.table_index() * PasidEntry::BYTES)
    }
}

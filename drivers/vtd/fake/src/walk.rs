// SPDX-License-Identifier: BSD-2-Clause
//! How a request is translated: from the caches where they know, otherwise from the tables, filling the caches
//! on the way (VT-d 3.4 to 3.9).
use vtd::SourceId;
use vtd::tables::{Entry, PasidDirectoryEntry, PasidEntry, RootHalf, ScalableContextEntry, TranslationType};

use crate::caches::{CachedPasid, Origin, Table, Tag, Translation};
use crate::hardware::Hardware;

/// Why a request was denied: the fault code, and whether it is recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Denied {
    pub(crate) code: u8,
    pub(crate) quiet: bool,
    pub(crate) pasid: Option<u32>,
}

fn denied(code: u8) -> Denied {
    Denied { code, quiet: false, pasid: None }
}

/// What a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Read,
    Write,
}

impl Hardware {
    fn entry<E: Entry<N>, const N: usize>(&self, phys: u64, unreadable: u8) -> Result<([u64; N], E), Denied> {
        let mut words = [0; N];
        for (index, word) in words.iter_mut().enumerate() {
            *word = self.memory.read(phys + index as u64 * 8).ok_or(denied(unreadable))?;
        }
        Ok((words, E::from_words(words)))
    }

    fn context(&mut self, device: SourceId) -> Result<ScalableContextEntry, Denied> {
        if let Some(&cached) = self.caches.contexts.get(&device) {
            return cached.ok_or(denied(0x41));
        }
        let half = self.root + u64::from(device.bus()) * 16 + u64::from(device.devfn() / 128) * 8;
        let (words, root) = self.entry::<RootHalf, 1>(half, 0x38)?;
        if !root.present() {
            return Err(denied(0x39));
        }
        if words[0] & 0xffe != 0 {
            return Err(denied(0x3a));
        }
        let at = (root.frame() << 12) + u64::from(device.devfn() % 128) * 32;
        let (words, context) = self.entry::<ScalableContextEntry, 4>(at, 0x40)?;
        if !context.word0.present() {
            if self.personality.cap.cm() {
                self.caches.contexts.insert(device, None);
            }
            return Err(denied(0x41));
        }
        if words[0] & 0x1e0 != 0 || words[1] >> 21 != 0 || words[2] != 0 || words[3] != 0 {
            return Err(denied(0x42));
        }
        self.caches.contexts.insert(device, Some(context));
        Ok(context)
    }

    fn pasid_entry(&mut self, context: &ScalableContextEntry, origin: Origin) -> Result<CachedPasid, Denied> {
        if let Some(&cached) = self.caches.pasids.get(&origin) {
            return cached.ok_or(denied(0x59));
        }
        let absent = |hardware: &mut Self, code: u8| {
            if hardware.personality.cap.cm() {
                hardware.caches.pasids.insert(origin, None);
            }
            denied(code)
        };
        let at = (context.word0.directory() << 12) + u64::from(origin.pasid >> 6) * 8;
        let (words, directory) = self.entry::<PasidDirectoryEntry, 1>(at, 0x50)?;
        if !directory.present() {
            return Err(absent(self, 0x51));
        }
        if words[0] & 0xffc != 0 {
            return Err(denied(0x52));
        }
        let quiet = context.word0.fault_disable() || directory.fault_disable();
        let at = (directory.frame() << 12) + u64::from(origin.pasid & 63) * 64;
        let (words, entry) = self.entry::<PasidEntry, 3>(at, 0x58)?;
        let quiet = quiet || entry.word0.fault_disable();
        let fail = |code| Denied { code, quiet, pasid: Some(origin.pasid) };
        if !entry.word0.present() {
            let mut denied = absent(self, 0x59);
            denied.quiet = quiet;
            return Err(denied);
        }
        let rest = (3..8).any(|word| self.memory.read(at + word * 8) != Some(0));
        if words[0] & 0xc00 != 0 || rest {
            return Err(fail(0x5a));
        }
        let ecap = self.personality.ecap;
        assert_eq!(
            entry.word1.walk_snoop(),
            ecap.smpwcs(),
            "walks that snoop where they can, and only there"
        );
        let second =
            matches!(entry.word0.translation(), TranslationType::SecondStage | TranslationType::Nested);
        let supported = match entry.word0.translation() {
            TranslationType::FirstStage => ecap.fsts(),
            TranslationType::SecondStage => ecap.ssts(),
            TranslationType::Nested => ecap.nest(),
            TranslationType::PassThrough => ecap.pt(),
            TranslationType::Reserved => false,
        };
        let width = entry.word0.address_width();
        let has_width = width != 0 && width < 4 && self.personality.cap.sagaw() & 1 << width != 0;
        if !supported || second && !has_width {
            return Err(fail(0x5b));
        }
        let cached = CachedPasid { entry, quiet };
        self.caches.pasids.insert(origin, Some(cached));
        Ok(cached)
    }

    /// Translates an address, as hardware would for a request or of its own accord.
    pub(crate) fn translate(
        &mut self,
        device: SourceId,
        pasid: Option<u32>,
        address: u64,
        want: Want,
    ) -> Result<u64, Denied> {
        Ok(self.translation(device, pasid, address, want)?.phys_of(address))
    }

    /// As [`Self::translate`], the whole page.
    pub(crate) fn translation(
        &mut self,
        device: SourceId,
        pasid: Option<u32>,
        address: u64,
        want: Want,
    ) -> Result<Translation, Denied> {
        let context = self.context(device)?;
        let quiet = context.word0.fault_disable();
        let hush = |denied: Denied| Denied { quiet: denied.quiet || quiet, ..denied };
        if pasid.is_some() && !context.word0.pasid_enable() {
            return Err(hush(denied(0x45)));
        }
        let untagged = if self.personality.honours_rid_pasid { context.word1.rid_pasid() } else { 0 };
        let origin = Origin { device, pasid: pasid.unwrap_or(untagged) };
        if origin.pasid >> context.pasid_bits() != 0 {
            return Err(hush(denied(0x46)));
        }
        let CachedPasid { entry, quiet } = self.pasid_entry(&context, origin).map_err(hush)?;
        let fail = |code| Denied { code, quiet, pasid: Some(origin.pasid) };

        let kind = entry.word0.translation();
        let tag = Tag {
            domain: entry.word1.domain(),
            pasid: Some(origin.pasid).filter(|_| kind != TranslationType::SecondStage),
            nested: kind == TranslationType::Nested,
        };
        let found = match self.caches.translation(tag, address) {
            Some(found) => found,
            None => {
                if self.caches.absent.contains_key(&(tag, address & !0xfff)) {
                    return Err(fail(0x79));
                }
                let made = self.walk(&entry, tag, address, origin);
                match made {
                    Ok(found) => {
                        self.caches.iotlb.insert((tag, address & !(found.bytes - 1)), found);
                        found
                    }
                    Err(code) => {
                        if self.personality.cap.cm() {
                            self.caches.absent.insert((tag, address & !0xfff), origin);
                        }
                        return Err(fail(code));
                    }
                }
            }
        };
        if kind != TranslationType::PassThrough && found.phys_of(address) >> 20 == 0xfee {
            return Err(fail(0x87));
        }
        let allowed = if want == Want::Write { found.write } else { found.read };
        let first = kind == TranslationType::FirstStage;
        match (allowed, want) {
            (true, _) => Ok(Translation { origin, ..found }),
            (false, Want::Write) => Err(fail(if first { 0x85 } else { 0x79 })),
            (false, Want::Read) => Err(fail(if first { 0x86 } else { 0x79 })),
        }
    }

    fn walk(
        &mut self,
        entry: &PasidEntry,
        tag: Tag,
        address: u64,
        origin: Origin,
    ) -> Result<Translation, u8> {
        let second = (entry.word0.second_stage() << 12, entry.word0.address_width() + 2);
        let first = (entry.word2.first_stage() << 12, entry.word2.first_stage_mode() + 4);
        match entry.word0.translation() {
            TranslationType::PassThrough => {
                let phys = address & !0xfff;
                Ok(Translation { phys, bytes: 4096, read: true, write: true, origin })
            }
            TranslationType::SecondStage => self.walk_second(second, tag, address, origin),
            TranslationType::FirstStage => self.walk_first(first, None, tag, address, origin),
            TranslationType::Nested => self.walk_first(first, Some(second), tag, address, origin),
            TranslationType::Reserved => Err(0x5b),
        }
    }

    /// The deepest table that is known on the way to an address.
    fn known_table(&self, tag: Tag, address: u64, levels: u8) -> Option<(u8, Table)> {
        (1..levels).find_map(|level| {
            let start = address & !((1 << (12 + 9 * u64::from(level))) - 1);
            self.caches.tables.get(&(tag, level, start)).map(|&table| (level, table))
        })
    }

    fn walk_second(
        &mut self,
        (root, levels): (u64, u8),
        tag: Tag,
        address: u64,
        origin: Origin,
    ) -> Result<Translation, u8> {
        let bits = (12 + 9 * levels).min(self.personality.cap.mgaw() + 1);
        if address >> bits != 0 {
            return Err(0x84);
        }
        let start = Table { phys: root, read: true, write: true, origin };
        let (mut level, mut table) = self.known_table(tag, address, levels).unwrap_or((levels, start));
        loop {
            let shift = 12 + 9 * u64::from(level - 1);
            let at = table.phys + (address >> shift & 511) * 8;
            let word = self.memory.read(at).ok_or(0x78)?;
            let (read, write) = (table.read && word & 1 != 0, table.write && word & 2 != 0);
            if word & 3 == 0 {
                return Err(0x79);
            }
            let phys = word & 0x000f_ffff_ffff_f000;
            let leaf = level == 1 || word & 0x80 != 0;
            let allowed = level == 1 || level <= 3 && self.personality.cap.sslps() & 1 << (level - 2) != 0;
            let misaligned = leaf && phys & ((1 << shift) - 1) != 0;
            if word & 0x400 != 0 || leaf && !allowed || misaligned || phys >> self.personality.host_bits != 0
            {
                return Err(0x7a);
            }
            if leaf {
                return Ok(Translation { phys, bytes: 1 << shift, read, write, origin });
            }
            table = Table { phys, read, write, origin };
            level -= 1;
            let start = address & !((1 << (12 + 9 * u64::from(level))) - 1);
            self.caches.tables.insert((tag, level, start), table);
        }
    }

    fn walk_first(
        &mut self,
        (root, levels): (u64, u8),
        second: Option<(u64, u8)>,
        tag: Tag,
        address: u64,
        origin: Origin,
    ) -> Result<Translation, u8> {
        let sign = address >> (12 + 9 * levels - 1);
        if sign != 0 && sign != u64::MAX >> (12 + 9 * levels - 1) {
            return Err(0x80);
        }
        // What the first stage names is translated by the second; its own caching is left out, as every nested
        // translation is forgotten with the domain anyway.
        let resolve = |hardware: &mut Self, guest: u64, write: bool| match second {
            None => Ok(guest),
            Some(second) => {
                let found =
                    hardware.walk_second(second, Tag { pasid: None, nested: true, ..tag }, guest, origin)?;
                let allowed = if write { found.write } else { found.read };
                if allowed { Ok(found.phys_of(guest)) } else { Err(0x79) }
            }
        };
        let (mut level, mut write, mut user) = (levels, true, true);
        let mut table = root;
        loop {
            let shift = 12 + 9 * u64::from(level - 1);
            let at = resolve(self, table + (address >> shift & 511) * 8, false)?;
            let word = self.memory.read(at).ok_or(0x70)?;
            if word & 1 == 0 {
                return Err(0x71);
            }
            write &= word & 2 != 0;
            user &= word & 4 != 0;
            if !user {
                return Err(0x81);
            }
            table = word & 0x000f_ffff_ffff_f000;
            let leaf = level == 1 || word & 0x80 != 0;
            if leaf && (level > 3 || table & ((1 << shift) - 1) != 0) {
                return Err(0x72);
            }
            if leaf {
                // A nested page is kept by the smallest page: the second stage may cut it up.
                let within = if second.is_some() { address & ((1 << shift) - 1) & !0xfff } else { 0 };
                let phys = resolve(self, table + within, false)?;
                let writable = write && resolve(self, table + within, true).is_ok();
                let bytes = if second.is_some() { 4096 } else { 1 << shift };
                return Ok(Translation { phys: phys & !0xfff, bytes, read: true, write: writable, origin });
            }
            level -= 1;
        }
    }
}

impl Translation {
    pub(crate) fn phys_of(&self, address: u64) -> u64 {
        self.phys + (address & (self.bytes - 1))
    }
}

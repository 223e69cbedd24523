// SPDX-License-Identifier: BSD-2-Clause
//! The unit itself: its registers, its fault records, and how it spends its time.
use vtd::SourceId;
use vtd::registers::{
    Capability, ExtendedCapability, FaultEventControl, FaultRecordHigh, FaultStatus, GlobalStatus,
    RootTableAddress, TranslationTableMode,
};

use crate::caches::{Caches, Origin};
use crate::memory::Memory;
use crate::queue::Fetched;
use crate::walk::Want;

/// Where the fault records are.
pub(crate) const RECORDS: u32 = 0x220;
/// Requests that hardware repeats of its own accord.
const REMEMBERED: usize = 16;

/// What the unit says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Personality {
    /// The capability register.
    pub cap: Capability,
    /// The extended capability register.
    pub ecap: ExtendedCapability,
    /// Whether RID_PASID counts, whatever ECAP.RPS says.
    pub honours_rid_pasid: bool,
    /// Width of physical addresses.
    pub host_bits: u8,
}

impl Default for Personality {
    /// As much as the driver can use: everything but caching mode, snooping the processor's caches not.
    fn default() -> Self {
        let cap = Capability::new().with_nd(6).with_sagaw(0b110).with_mgaw(47).with_sslps(3).with_psi(true);
        let cap = cap.with_mamv(18).with_nfr(0).with_dwd(true).with_drd(true).with_fs1gp(true);
        let ecap = ExtendedCapability::new().with_qi(true).with_dt(true).with_pt(true).with_nest(true);
        let ecap = ecap.with_pss(19).with_pasid(true).with_smts(true).with_ssts(true).with_fsts(true);
        let cap = cap.with_fro(u16::try_from(RECORDS / 16).expect("a small offset"));
        Self { cap, ecap: ecap.with_rps(true).with_smpwcs(true), honours_rid_pasid: true, host_bits: 46 }
    }
}

/// How the unit behaves, within what the specification allows or against it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Behaviour {
    /// Completions come some ticks late.
    pub late: bool,
    /// The unit walks and caches of its own accord, between any two steps.
    pub speculates: bool,
    /// Completions never come, though the work is done.
    pub lose_completions: bool,
    /// The queue does nothing at all.
    pub stuck: bool,
    /// The next descriptor of this type is refused (IQE).
    pub refuse: Option<u64>,
    /// Devices answer invalidations, and send an answer that nobody asked for besides (ICE).
    pub chatty_devices: bool,
    /// This device does not answer invalidations (ITE).
    pub silent_device: Option<SourceId>,
    /// A device whose fault record is given back is denied something else at once.
    pub storms: bool,
}

/// What was done to the unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Register reads.
    pub reads: u64,
    /// Register writes.
    pub writes: u64,
    /// Writes of the queue's tail.
    pub submissions: u64,
    /// Descriptors that were fetched.
    pub descriptors: u64,
    /// Waits that are not fences.
    pub waits: u64,
    /// How often translation was switched off.
    pub disables: u64,
}

/// The unit.
#[derive(Debug)]
pub struct Hardware {
    /// Its memory.
    pub memory: Memory,
    /// What it says of itself.
    pub personality: Personality,
    /// How it behaves.
    pub behaviour: Behaviour,
    /// What was done to it.
    pub counters: Counters,
    /// Descriptors, in the order in which they were carried out.
    pub log: Vec<[u64; 2]>,
    /// Messages that it and its devices sent: address and data.
    pub messages: Vec<(u64, u64)>,
    pub(crate) random: fastrand::Rng,
    pub(crate) caches: Caches,
    pub(crate) root: u64,
    pub(crate) queue_on: bool,
    pub(crate) queue_base: u64,
    pub(crate) queue_entries: u16,
    /// Units of 16 bytes in a descriptor.
    pub(crate) queue_units: u16,
    pub(crate) queue_head: u16,
    pub(crate) queue_tail: u16,
    pub(crate) fetched: Vec<Fetched>,
    pub(crate) fault_status: FaultStatus,
    pub(crate) status: GlobalStatus,
    pub(crate) root_pointer: RootTableAddress,
    pub(crate) mode: TranslationTableMode,
    pub(crate) records: Vec<(u64, FaultRecordHigh)>,
    pub(crate) next_record: usize,
    pub(crate) event_control: FaultEventControl,
    pub(crate) event_data: u32,
    pub(crate) event_address: u32,
    seen: Vec<(SourceId, Option<u32>, u64)>,
}

impl Hardware {
    pub(crate) fn new(personality: Personality, behaviour: Behaviour, words: usize, seed: u64) -> Self {
        Self {
            memory: Memory::new(words, personality.ecap.c(), personality.cap.rwbf()),
            personality,
            behaviour,
            counters: Counters::default(),
            log: Vec::new(),
            messages: Vec::new(),
            random: fastrand::Rng::with_seed(seed),
            caches: Caches::default(),
            root: 0,
            queue_on: false,
            queue_base: 0,
            queue_entries: 1,
            queue_units: 2,
            queue_head: 0,
            queue_tail: 0,
            fetched: Vec::new(),
            fault_status: FaultStatus::new(),
            status: GlobalStatus::new(),
            root_pointer: RootTableAddress::new(),
            mode: TranslationTableMode::Legacy,
            records: vec![(0, FaultRecordHigh::new()); usize::from(personality.cap.nfr()) + 1],
            next_record: 0,
            event_control: FaultEventControl::new().with_im(true),
            event_data: 0,
            event_address: 0,
            seen: Vec::new(),
        }
    }

    /// What any cache still holds from requests of this binding.
    #[must_use]
    pub fn remembers(&self, device: SourceId, pasid: u32) -> Option<String> {
        self.caches.of(Origin { device, pasid })
    }

    /// Whether any cache leads to this memory.
    #[must_use]
    pub fn reaches(&self, phys: u64, bytes: u64) -> bool {
        self.caches.reaches(phys, bytes)
    }

    /// Every table that the unit would read from without looking for it again.
    #[must_use]
    pub fn cached_tables(&self) -> Vec<u64> {
        self.caches.frames().collect()
    }

    /// Time passes: a little of the queue, a little speculation, perhaps an eviction.
    pub fn tick(&mut self) {
        self.queue_step();
        if self.random.u8(..) < 64 {
            self.speculate();
        }
        if self.random.u8(..) < 16 {
            self.memory.evict_any(&mut self.random);
        }
    }

    /// Repeats requests of its own accord, if it does such things; what it finds denied it keeps to itself.
    pub(crate) fn speculate(&mut self) {
        let on = self.status.tes() && self.mode == TranslationTableMode::Scalable;
        if !on || !self.behaviour.speculates || self.seen.is_empty() {
            return;
        }
        for _ in 0..4 {
            let (device, pasid, address) = self.seen[self.random.usize(..self.seen.len())];
            let _ = self.translate(device, pasid, address, Want::Read);
        }
    }

    /// The processor stores a word; time passes.
    pub fn cpu_store(&mut self, phys: u64, value: u64) {
        self.memory.store(phys, value);
        if self.behaviour.speculates && self.random.u8(..) < 16 {
            self.tick();
        }
    }

    pub(crate) fn queue_stopped(&self) -> bool {
        self.fault_status.iqe() || self.fault_status.ite()
    }

    /// Where a request of a device goes; `None` where it was denied, and recorded.
    fn resolve(&mut self, device: SourceId, pasid: Option<u32>, address: u64, want: Want) -> Option<u64> {
        self.tick();
        if !self.status.tes() {
            return Some(address);
        }
        if self.mode != TranslationTableMode::Scalable {
            return None;
        }
        if self.seen.len() < REMEMBERED {
            self.seen.push((device, pasid, address));
        } else {
            let index = self.random.usize(..REMEMBERED);
            self.seen[index] = (device, pasid, address);
        }
        // A device with a TLB of its own asks nobody for what it knows.
        let page = address & !0xfff;
        if let Some(known) = self.caches.devices.get(&(device, pasid, page)) {
            let allowed = if want == Want::Write { known.write } else { known.read };
            if allowed {
                return Some(known.phys + (address & 0xfff));
            }
        }
        match self.translation(device, pasid, address, want) {
            Ok(found) => {
                let phys = found.phys_of(address);
                let ats = self.caches.contexts.get(&device).copied().flatten();
                if ats.is_some_and(|context| context.word0.device_tlb()) {
                    let mut page_translation = found;
                    (page_translation.phys, page_translation.bytes) = (phys & !0xfff, 4096);
                    self.caches.devices.insert((device, pasid, page), page_translation);
                }
                Some(phys)
            }
            Err(denied) => {
                self.record(device, address, want, denied);
                None
            }
        }
    }

    /// A device reads a word.
    pub fn dma_read(&mut self, device: SourceId, pasid: Option<u32>, address: u64) -> Option<u64> {
        let phys = self.resolve(device, pasid, address, Want::Read)?;
        self.memory.read(phys)
    }

    /// A device writes a word. In the interrupt range it is a message, whatever the tables say (VT-d 3.14).
    pub fn dma_write(&mut self, device: SourceId, pasid: Option<u32>, address: u64, value: u64) -> bool {
        if pasid.is_none() && address >> 20 == 0xfee {
            self.messages.push((address, value));
            return true;
        }
        match self.resolve(device, pasid, address, Want::Write) {
            Some(phys) => self.memory.write(phys, value),
            None => false,
        }
    }
}

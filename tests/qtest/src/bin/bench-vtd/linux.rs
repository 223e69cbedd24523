// SPDX-License-Identifier: BSD-2-Clause
//! The sequence of Linux 6.x, modelled: for each id the entry is zeroed, then the PASID cache, the IOTLB and the
//! device TLB are invalidated by a synchronous submission each: one descriptor, one wait, the tail register, and
//! a look at the fault status for each poll. The device has no TLB here, so the third submission, which it would
//! add, is made as one for the domain's paging structures: Linux makes it for devices that have ATS.
//!
//! The model leaves out Linux's locks, its tracing and its look-ups, so it errs on Linux's side.
use vtd::registers::{FSTS, IQT, QueueTail, RTADDR};
use vtd::tables::Descriptor;
use vtd::{DomainId, Pasid, Registers, SourceId};

use crate::instant::InstantUnit;

/// Linux's way to a unit.
pub struct Sequence {
    unit: InstantUnit,
    queue: u64,
    entries: u64,
    free: u64,
    completion: u64,
    root: u64,
    sequence: u32,
}

impl Sequence {
    pub fn new(unit: &InstantUnit) -> Self {
        let mut unit = unit.clone();
        let (queue, entries, free) = unit.queue();
        let root = RTADDR.read(&mut unit).frame() << 12;
        let completion = unit.spare();
        Self { unit, queue, entries, free, completion, root, sequence: 0x8000_0000 }
    }

    fn target(&self, phys: u64) -> u64 {
        self.unit.word(phys).get() & 0x000f_ffff_ffff_f000
    }

    /// Where the PASID entry is: the walk that Linux makes through its own pointers.
    fn entry(&self, device: SourceId, pasid: Pasid) -> u64 {
        let context = self.target(self.root + u64::from(device.bus()) * 16) + u64::from(device.devfn()) * 32;
        let directory = self.target(context) + u64::from(pasid.get() >> 6) * 8;
        self.target(directory) + u64::from(pasid.get() & 63) * 64
    }

    pub fn tear_down(&mut self, device: SourceId, pasid: Pasid, domain: DomainId) {
        let entry = self.entry(device, pasid);
        for word in 0..8 {
            self.unit.word(entry + word * 8).set(0);
        }
        self.submit(Descriptor::pasid_cache(domain, pasid));
        self.submit(Descriptor::iotlb_domain(domain));
        self.submit(Descriptor::pasid_device_tlb(device, pasid));
    }

    fn submit(&mut self, descriptor: Descriptor) {
        self.sequence += 1;
        for descriptor in [descriptor, Descriptor::wait(self.completion, self.sequence, false)] {
            let at = self.queue + self.free * 32;
            for (index, word) in descriptor.words().into_iter().enumerate() {
                self.unit.word(at + index as u64 * 8).set(word);
            }
            self.free = (self.free + 1) % self.entries;
        }
        let units = u16::try_from(self.free * 2).expect("a small queue");
        IQT.write(&mut self.unit, QueueTail::new().with_units(units));
        while self.unit.word(self.completion).get() != u64::from(self.sequence) {
            let errors = FSTS.read(&mut self.unit);
            assert!(!errors.iqe(), "the queue stopped");
            self.unit.relax();
        }
    }
}

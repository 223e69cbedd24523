// SPDX-License-Identifier: BSD-2-Clause
//! The invalidation queue: fetches in order, works in any order that fences allow (VT-d 6.5.2).
use vtd::SourceId;

use crate::hardware::Hardware;

/// A descriptor that was fetched and not yet carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fetched(pub(crate) [u64; 2]);

/// `count` bits of a word from bit `low`.
fn bits(word: u64, low: u32, count: u32) -> u64 {
    word >> low & ((1 << count) - 1)
}

fn bits16(word: u64, low: u32) -> u16 {
    u16::try_from(bits(word, low, 16)).expect("16 bits")
}

fn pasid(word: u64) -> u32 {
    u32::try_from(bits(word, 32, 20)).expect("20 bits")
}

impl Fetched {
    fn kind(self) -> u64 {
        bits(self.0[0], 0, 4)
    }
    fn is_wait(self) -> bool {
        self.kind() == 5
    }
    fn is_fence(self) -> bool {
        self.is_wait() && bits(self.0[0], 6, 1) == 1
    }
    /// The addresses of a page-selective invalidation.
    fn pages(self) -> (u64, u64) {
        let start = self.0[1] & !0xfff;
        let bytes = 4096 << bits(self.0[1], 0, 6);
        assert_eq!(start % bytes, 0, "a page-selective invalidation is not aligned to its mask");
        (start, start + bytes)
    }
}

impl Hardware {
    /// Does one thing of the queue: fetches a descriptor or carries one out. Returns whether there was anything.
    pub(crate) fn queue_step(&mut self) -> bool {
        let idle = self.queue_head == self.queue_tail && self.fetched.is_empty();
        if idle || !self.queue_on || self.behaviour.stuck {
            return false;
        }
        let ready: Vec<usize> = (0..self.fetched.len()).filter(|&index| self.may_run(index)).collect();
        let may_fetch = self.queue_head != self.queue_tail && !self.queue_stopped();
        // As late as it may: the order is random, but fetching goes first as often as working.
        if may_fetch && (ready.is_empty() || self.random.bool()) {
            self.fetch();
            return true;
        }
        if ready.is_empty() {
            return false;
        }
        let index = ready[self.random.usize(..ready.len())];
        let item = self.fetched.remove(index);
        self.carry_out(item);
        self.speculate();
        true
    }

    /// A wait runs when all before it is done; anything else when every fence before it is.
    fn may_run(&self, index: usize) -> bool {
        let before = &self.fetched[..index];
        if self.fetched[index].is_wait() {
            before.is_empty() && !self.behaviour.lose_completions
        } else {
            !before.iter().any(|item| item.is_fence())
        }
    }

    fn fetch(&mut self) {
        let at = self.queue_base + u64::from(self.queue_head * self.queue_units) * 16;
        let words = [0, 8].map(|offset| self.memory.read(at + offset).expect("the queue is in memory"));
        let item = Fetched(words);
        self.counters.descriptors += 1;
        let bad = !matches!(item.kind(), 1..=3 | 5..=8)
            || self.behaviour.refuse.is_some_and(|kind| kind == item.kind());
        if bad {
            self.behaviour.refuse = None;
            self.fault_status.set_iqe(true);
            self.announce();
            return;
        }
        self.queue_head = (self.queue_head + 1) % self.queue_entries;
        self.fetched.push(item);
    }

    fn carry_out(&mut self, item: Fetched) {
        let [first, second] = item.0;
        let (granularity, domain) = (bits(first, 4, 2), bits16(first, 16));
        self.log.push(item.0);
        match (item.kind(), granularity) {
            (1, 3) => {
                self.caches.contexts.remove(&SourceId::from(bits16(first, 32)));
            }
            (1, 1 | 2) => self.caches.contexts.clear(),
            (2, 1) => self.caches.forget_all(),
            (2, 2) => self.caches.forget_domain(domain),
            (2, 3) => self.caches.forget_pages(domain, item.pages()),
            (6, 2) => self.caches.forget_pasid(domain, pasid(first), None),
            (6, 3) => self.caches.forget_pasid(domain, pasid(first), Some(item.pages())),
            (7, 0) => self.caches.forget_pasid_entries(Some(domain), None),
            (7, 1) => self.caches.forget_pasid_entries(Some(domain), Some(pasid(first))),
            (7, 3) => self.caches.forget_pasid_entries(None, None),
            (3, _) => self.forget_device(SourceId::from(bits16(first, 32)), |tag| tag.is_none()),
            (8, _) => {
                let device = SourceId::from(bits16(first, 16));
                let (every, pasid) = (bits(second, 0, 1) == 1, pasid(first));
                self.forget_device(device, |tag| tag.is_some_and(|tag| every || tag == pasid));
            }
            (5, _) => {
                let (interrupt, status) = (bits(first, 4, 1), bits(first, 5, 1));
                assert_eq!((interrupt, status), (0, 1), "a wait writes its status and does not interrupt");
                self.counters.waits += u64::from(!item.is_fence());
                let at = second & !7;
                let old = self.memory.read(at).expect("the completion word is in memory");
                let shift = (second & 4) * 8;
                let mask = u64::from(u32::MAX) << shift;
                self.memory.write(at, old & !mask | bits(first, 32, 32) << shift);
            }
            _ => panic!("a descriptor with a reserved granularity: {first:#x}"),
        }
    }

    fn forget_device(&mut self, device: SourceId, named: impl Fn(Option<u32>) -> bool) {
        if self.behaviour.silent_device == Some(device) {
            self.fault_status.set_ite(true);
            // Hardware gives up the waits that were fetched (VT-d 6.5.2.11).
            self.fetched.retain(|item| !item.is_wait());
            self.announce();
            return;
        }
        if self.behaviour.chatty_devices {
            self.fault_status.set_ice(true);
            self.announce();
        }
        self.caches.devices.retain(|(of, pasid, _), _| !(*of == device && named(*pasid)));
    }
}

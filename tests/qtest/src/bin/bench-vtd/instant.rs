// SPDX-License-Identifier: BSD-2-Clause
//! The least unit that there can be: it completes whatever is submitted, at once or some polls later, and counts.
//! Both sequences run on it, so that what is counted besides is the same.
use std::cell::Cell;
use std::rc::Rc;

use vtd::registers::{Capability, ExtendedCapability, GlobalCommand, GlobalStatus, QueueAddress, QueueTail};

/// Where the table memory is.
const BASE: u64 = 0x100_0000;
const FRAMES: usize = 512;

/// What was done to the unit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub reads: u64,
    pub writes: u64,
    pub submissions: u64,
    pub descriptors: u64,
}

impl Counts {
    pub fn since(self, before: Self) -> Self {
        Self {
            reads: self.reads - before.reads,
            writes: self.writes - before.writes,
            submissions: self.submissions - before.submissions,
            descriptors: self.descriptors - before.descriptors,
        }
    }
}

/// The unit; clones are the same one.
#[derive(Clone, Debug)]
pub struct InstantUnit(Rc<State>);

#[derive(Debug)]
struct State {
    memory: Vec<Cell<u64>>,
    counts: Cell<Counts>,
    status: Cell<GlobalStatus>,
    queue: Cell<u64>,
    entries: Cell<u64>,
    tail: Cell<u64>,
    root: Cell<u64>,
    delay: u32,
    /// Polls until the last submission completes.
    left: Cell<u32>,
}

impl InstantUnit {
    pub fn new(delay: u32) -> Self {
        Self(Rc::new(State {
            memory: vec![Cell::new(0); FRAMES * 512],
            counts: Cell::default(),
            status: Cell::new(GlobalStatus::new()),
            queue: Cell::new(0),
            entries: Cell::new(1),
            tail: Cell::new(0),
            root: Cell::new(0),
            delay,
            left: Cell::new(0),
        }))
    }

    pub fn counts(&self) -> Counts {
        self.0.counts.get()
    }

    pub fn tables(&self) -> InstantTables {
        InstantTables(self.clone())
    }

    pub fn word(&self, phys: u64) -> &Cell<u64> {
        &self.0.memory[usize::try_from((phys - BASE) / 8).expect("an index")]
    }

    /// A word of the last frame, which the driver does not reach here.
    pub fn spare(&self) -> u64 {
        BASE + (FRAMES as u64 - 1) * 4096
    }

    /// Where the queue is, how many descriptors of 32 bytes it has, and where its tail is.
    pub fn queue(&self) -> (u64, u64, u64) {
        (self.0.queue.get(), self.0.entries.get(), self.0.tail.get())
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.0.counts.get();
        change(&mut counts);
        self.0.counts.set(counts);
    }

    /// Writes what the wait before the tail asks for.
    fn complete(&self) {
        let (queue, entries, tail) = self.queue();
        let wait = queue + (tail + entries - 1) % entries * 32;
        let (data, status) = (self.word(wait).get() >> 32, self.word(wait + 8).get());
        self.word(status).set(data);
    }
}

impl vtd::Registers for InstantUnit {
    fn read32(&mut self, offset: u32) -> u32 {
        self.count(|counts| counts.reads += 1);
        if offset == 0x1c { self.0.status.get().into_bits() } else { 0 }
    }
    fn write32(&mut self, offset: u32, value: u32) {
        self.count(|counts| counts.writes += 1);
        if offset == 0x18 {
            let command = GlobalCommand::from_bits(value);
            let rtps = self.0.status.get().rtps() || command.srtp();
            let status = GlobalStatus::new().with_qies(command.qie()).with_tes(command.te());
            self.0.status.set(status.with_rtps(rtps));
        }
    }
    fn read64(&mut self, offset: u32) -> u64 {
        self.count(|counts| counts.reads += 1);
        let cap = Capability::new().with_nd(6).with_sagaw(6).with_mgaw(47).with_psi(true).with_mamv(18);
        let ecap = ExtendedCapability::new().with_c(true).with_qi(true).with_pss(19).with_pasid(true);
        match offset {
            0x08 => cap.into_bits(),
            0x10 => ecap.with_smts(true).with_ssts(true).into_bits(),
            0x20 => self.0.root.get(),
            0x80 => self.0.tail.get() * 32,
            _ => 0,
        }
    }
    fn write64(&mut self, offset: u32, value: u64) {
        self.count(|counts| counts.writes += 1);
        match offset {
            0x20 => self.0.root.set(value),
            0x88 => {
                let tail = u64::from(QueueTail::from_bits(value).units() / 2);
                let (_, entries, old) = self.queue();
                self.0.tail.set(tail);
                self.count(|counts| {
                    counts.descriptors += (tail + entries - old) % entries;
                    counts.submissions += 1;
                });
                self.0.left.set(self.0.delay);
                if self.0.delay == 0 && tail != old {
                    self.complete();
                }
            }
            0x90 => {
                let address = QueueAddress::from_bits(value);
                self.0.queue.set(address.frame() << 12);
                self.0.entries.set(128 << address.size());
            }
            _ => {}
        }
    }
    fn relax(&mut self) {
        if let Some(left) = self.0.left.get().checked_sub(1) {
            self.0.left.set(left);
            if left == 0 {
                self.complete();
            }
        }
    }
}

/// The memory of the unit's tables.
#[derive(Clone, Debug)]
pub struct InstantTables(InstantUnit);

impl vtd::TableMemory for InstantTables {
    fn base(&self) -> u64 {
        BASE
    }
    fn frames(&self) -> usize {
        FRAMES
    }
    fn load(&self, offset: usize) -> u64 {
        self.0.0.memory[offset / 8].get()
    }
    fn store(&mut self, offset: usize, value: u64) {
        self.0.0.memory[offset / 8].set(value);
    }
    fn flush(&mut self, _: usize, _: usize) {}
}

// SPDX-License-Identifier: BSD-2-Clause
//! The register page: what reading and writing does.
use vtd::registers::{
    FaultEventControl, FaultRecordHigh, FaultStatus, GlobalCommand, QueueAddress, QueueTail, RootTableAddress,
};

use crate::hardware::{Hardware, RECORDS};

impl Hardware {
    pub(crate) fn read32(&mut self, offset: u32) -> u32 {
        self.counters.reads += 1;
        self.tick();
        match offset {
            0x00 => 0x60,
            0x1c => self.status.into_bits(),
            0x34 => self.visible_fault_status().into_bits(),
            0x38 => self.event_control.into_bits(),
            0x3c => self.event_data,
            0x40 => self.event_address,
            0x44 | 0x64 => 0,
            _ => panic!("a 32-bit read at {offset:#x}"),
        }
    }

    pub(crate) fn read64(&mut self, offset: u32) -> u64 {
        self.counters.reads += 1;
        self.tick();
        match offset {
            0x08 => self.personality.cap.into_bits(),
            0x10 => self.personality.ecap.into_bits(),
            0x20 => self.root_pointer.into_bits(),
            0x80 => u64::from(self.queue_head * self.queue_units) * 16,
            0x88 => u64::from(self.queue_tail * self.queue_units) * 16,
            _ => match self.record_at(offset) {
                Some((index, 0)) => self.records[index].0,
                Some((index, 8)) => self.records[index].1.into_bits(),
                _ => panic!("a 64-bit read at {offset:#x}"),
            },
        }
    }

    fn record_at(&self, offset: u32) -> Option<(usize, u32)> {
        let within = offset.checked_sub(RECORDS)?;
        let index = usize::try_from(within / 16).ok()?;
        (index < self.records.len()).then_some((index, within % 16))
    }

    pub(crate) fn write32(&mut self, offset: u32, value: u32) {
        self.counters.writes += 1;
        match offset {
            0x18 => self.command(GlobalCommand::from_bits(value)),
            0x34 => self.clear_faults(FaultStatus::from_bits(value)),
            0x38 => {
                let control = FaultEventControl::from_bits(value);
                self.event_control.set_im(control.im());
                if !control.im() && self.event_control.ip() {
                    self.event_control = FaultEventControl::new();
                    self.messages.push((self.event_address.into(), self.event_data.into()));
                }
            }
            0x3c => self.event_data = value,
            0x40 => self.event_address = value,
            0x44 => assert_eq!(value, 0, "an upper address of a message"),
            _ => match self.record_at(offset) {
                Some((index, FaultRecordHigh::FAULT_WORD)) => {
                    if value == FaultRecordHigh::clear() {
                        self.give_back(index);
                    }
                }
                _ => panic!("a 32-bit write at {offset:#x}"),
            },
        }
        self.tick();
    }

    pub(crate) fn write64(&mut self, offset: u32, value: u64) {
        self.counters.writes += 1;
        match offset {
            0x20 => self.root_pointer = RootTableAddress::from_bits(value),
            0x88 => {
                let tail = QueueTail::from_bits(value).units() / self.queue_units;
                let distance = |from: u16, to: u16| (to + self.queue_entries - from) % self.queue_entries;
                let submitted = distance(self.queue_tail, tail) + distance(self.queue_head, self.queue_tail);
                let overwritten = self.queue_on && submitted >= self.queue_entries;
                assert!(!overwritten, "descriptors that were not fetched are overwritten");
                self.queue_tail = tail;
                // An invalidation flushes the write buffer as well (VT-d 6.8).
                self.memory.drain();
                self.counters.submissions += 1;
                assert!(self.queue_tail < self.queue_entries, "the tail is beyond the queue");
                while !self.behaviour.late && self.queue_step() {}
            }
            0x90 => {
                assert!(!self.queue_on, "the queue is moved while it is on");
                let address = QueueAddress::from_bits(value);
                self.queue_base = address.frame() << 12;
                self.queue_units = if address.wide() { 2 } else { 1 };
                self.queue_entries = (256 / self.queue_units) << address.size();
            }
            _ => panic!("a 64-bit write at {offset:#x}"),
        }
        self.tick();
    }

    fn command(&mut self, command: GlobalCommand) {
        let kept = self.status.command();
        let changes = (command.into_bits() ^ kept.into_bits()).count_ones();
        assert!(changes <= 1, "two changes in one global command: {command:?} on {:?}", self.status);
        if command.srtp() {
            assert_eq!(self.root_pointer.frame() >> (self.personality.host_bits - 12), 0);
            self.root = self.root_pointer.frame() << 12;
            self.mode = self.root_pointer.mode();
            self.status.set_rtps(true);
        }
        if command.qie() != self.status.qies() {
            self.queue_on = command.qie();
            self.status.set_qies(command.qie());
            (self.queue_head, self.fetched) = (0, Vec::new());
        }
        if command.te() && !self.status.tes() {
            assert!(self.status.rtps(), "translation without a root table");
        }
        if command.wbf() {
            assert!(self.personality.cap.rwbf(), "a write-buffer flush where there is none");
            self.memory.drain();
        }
        self.counters.disables += u64::from(self.status.tes() && !command.te());
        self.status.set_tes(command.te());
    }
}

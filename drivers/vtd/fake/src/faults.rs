// SPDX-License-Identifier: BSD-2-Clause
//! What the unit records of denied requests, and the message that says so (VT-d 7.3, 7.4).
use vtd::SourceId;
use vtd::registers::{FaultEventControl, FaultRecordHigh, FaultRecordLow, FaultStatus};

use crate::hardware::Hardware;
use crate::walk::{Denied, Want};

impl Hardware {
    pub(crate) fn visible_fault_status(&self) -> FaultStatus {
        let first = self.records.iter().position(|(_, high)| high.fault());
        let bits = self.fault_status.into_bits() | FaultStatus::new().into_bits();
        let status = FaultStatus::from_bits(bits);
        let Some(first) = first else { return status };
        FaultStatus::from_bits(status.into_bits() | 2 | u32::try_from(first).expect("a small index") << 8)
    }

    pub(crate) fn clear_faults(&mut self, written: FaultStatus) {
        self.fault_status = FaultStatus::from_bits(self.fault_status.into_bits() & !written.into_bits());
    }

    /// Sends the fault event, or holds it back.
    pub(crate) fn announce(&mut self) {
        if self.event_control.im() {
            self.event_control = FaultEventControl::from_bits(self.event_control.into_bits() | 1 << 30);
        } else {
            self.messages.push((self.event_address.into(), self.event_data.into()));
        }
    }

    /// Software has read a record.
    pub(crate) fn give_back(&mut self, index: usize) {
        self.records[index].1.set_fault(false);
        if self.behaviour.storms {
            let high = self.records[index].1;
            let denied = Denied { code: high.reason(), pasid: None, quiet: false };
            self.record(SourceId::from(high.source()), 0, Want::Read, denied);
        }
    }

    pub(crate) fn record(&mut self, device: SourceId, address: u64, want: Want, denied: Denied) {
        if denied.quiet {
            return;
        }
        // Another fault of the same device may be merged into the record that it has.
        if self.records.iter().any(|(_, high)| high.fault() && high.source() == device.get()) {
            return;
        }
        let quiet = self.visible_fault_status();
        if self.records[self.next_record].1.fault() {
            self.fault_status.set_pfo(true);
            return;
        }
        let high = FaultRecordHigh::new().with_source(device.get()).with_reason(denied.code).with_fault(true);
        let high = high.with_t1(want == Want::Read);
        let high = match denied.pasid {
            Some(pasid) => high.with_pasid_present(true).with_pasid(pasid),
            None => high,
        };
        self.records[self.next_record] = (FaultRecordLow::new().with_page(address >> 12).into_bits(), high);
        self.next_record = (self.next_record + 1) % self.records.len();
        if !quiet.ppf() && !quiet.pfo() && !quiet.iqe() {
            self.announce();
        }
    }
}

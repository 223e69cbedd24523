// SPDX-License-Identifier: BSD-2-Clause
//! What the unit reports: fault records, and the message that announces them (VT-d 7.4, 11.4.7).
use heapless::Vec;

use super::Unit;
use crate::access::{Registers, TableMemory};
use crate::batch::Binding;
use crate::error::Error;
use crate::faults::{Fault, FaultEvent, Msi};
use crate::ids::{Pasid, SourceId};
use crate::policy::{FaultPolicy, Outcome};
use crate::registers::{
    FEADDR, FECTL, FEDATA, FEUADDR, FSTS, FaultEventControl, FaultRecordHigh, FaultRecordLow, FaultStatus,
    ReadOnly, Reg, WriteOnly,
};

/// Faults that are served in one turn.
const FAULTS: usize = 64;

impl<R: Registers, M: TableMemory> Unit<R, M> {
    /// Sends fault events as this message, and no longer holds them back. With interrupt remapping on the message
    /// would need an entry of its own; this driver leaves it off.
    ///
    /// # Errors
    /// [`Error::InvalidRange`] where the address is none of an interrupt.
    pub fn route_fault_event(&mut self, msi: Msi) -> Result<(), Error> {
        if msi.address >> 20 != 0xfee {
            return Err(Error::InvalidRange);
        }
        FECTL.write(&mut self.registers, FaultEventControl::new().with_im(true));
        FEDATA.write(&mut self.registers, msi.data);
        FEADDR.write(&mut self.registers, msi.address);
        FEUADDR.write(&mut self.registers, 0);
        FECTL.write(&mut self.registers, FaultEventControl::new());
        Ok(())
    }

    /// The faults that were recorded, oldest first: at most as many as there are records. Each one's record is
    /// given back as it is yielded.
    pub fn faults(&mut self) -> Faults<'_, R, M> {
        let status = FSTS.read(&mut self.registers);
        let left = if status.ppf() { self.capabilities.fault_records() } else { 0 };
        Faults { index: u16::from(status.fri()), left, unit: self }
    }

    /// Serves a fault event, or a part of one: reports faults that were recorded, with what the policy did about them.
    /// While it says [`more`](FaultEvent::more) it is to be called again; then the unit is ready for the next event.
    pub fn serve_faults(
        &mut self,
        policy: &mut FaultPolicy,
        mut report: impl FnMut(&Fault, Outcome),
    ) -> FaultEvent {
        let faults: Vec<Fault, FAULTS> = self.faults().take(FAULTS).collect();
        for fault in &faults {
            let outcome = self.act(policy, fault);
            report(fault, outcome);
        }
        self.service_fault_event()
    }

    fn act(&mut self, policy: &mut FaultPolicy, fault: &Fault) -> Outcome {
        if policy.revoke
            && let Some(culprit) = self.culprit(fault)
        {
            return match self.unbind(culprit.device, culprit.pasid) {
                Ok(()) => Outcome::Revoked(culprit),
                Err(_) => Outcome::Quarantined(culprit),
            };
        }
        let silenced = policy.count(fault.device) && self.set_quiet(fault.device, true).is_ok();
        if silenced { Outcome::Silenced } else { Outcome::Reported }
    }

    /// The binding that a fault came through: the recorded PASID's, or the one that untagged requests run under.
    /// `None` where nothing is bound there.
    #[must_use]
    pub fn culprit(&self, fault: &Fault) -> Option<Binding> {
        let context = self.attached(fault.device).ok()?;
        let untagged = Pasid::new(context.entry.word1.rid_pasid())?;
        let cut = self.config.quirks.fault_pasids_cut;
        let pasid = match fault.pasid {
            // Half a PASID: that of the untagged requests, where it can be.
            Some(pasid) if cut && pasid.get() == untagged.get() & 0xffff => untagged,
            Some(pasid) => pasid,
            None => untagged,
        };
        self.binding(fault.device, pasid)?;
        Some(Binding { device: fault.device, pasid })
    }

    /// Records faults again of devices that were silenced, and counts anew.
    ///
    /// # Errors
    /// [`Error::Unconfirmed`]: of some device, faults may not be recorded yet.
    pub fn rearm_faults(&mut self, policy: &mut FaultPolicy, devices: &[SourceId]) -> Result<(), Error> {
        policy.forget();
        for &device in devices {
            self.set_quiet(device, false)?;
        }
        Ok(())
    }

    /// To be called at each fault event, behind [`Unit::faults`]: clears what would hold the next event back, and
    /// says what it was. A record that was not read, or that was filled meanwhile, holds it back too (VT-d 11.4.7.2):
    /// where there is one, both are to be called again.
    pub fn service_fault_event(&mut self) -> FaultEvent {
        let overflow = FSTS.read(&mut self.registers).pfo();
        let queue_error = self.queue.recover(&mut self.registers, &mut self.frames);
        if overflow {
            FSTS.write(&mut self.registers, FaultStatus::new().with_pfo(true));
        }
        let left = FSTS.read(&mut self.registers);
        FaultEvent { overflow, queue_error, more: left.holds_back() }
    }
}

/// The recorded faults of a unit; see [`Unit::faults`].
#[derive(Debug)]
pub struct Faults<'a, R, M> {
    unit: &'a mut Unit<R, M>,
    index: u16,
    left: u16,
}

impl<R: Registers, M: TableMemory> Iterator for Faults<'_, R, M> {
    type Item = Fault;

    fn next(&mut self) -> Option<Fault> {
        self.left = self.left.checked_sub(1)?;
        let capabilities = &self.unit.capabilities;
        let low: Reg<FaultRecordLow, ReadOnly> = capabilities.fault_record(self.index);
        let high: Reg<FaultRecordHigh, ReadOnly> = Reg::at(low.offset() + FaultRecordHigh::OFFSET);
        let clear: Reg<u32, WriteOnly> = Reg::at(low.offset() + FaultRecordHigh::FAULT_WORD);
        self.index = (self.index + 1) % capabilities.fault_records();

        let registers = &mut self.unit.registers;
        let record = high.read(registers);
        if !record.fault() {
            self.left = 0;
            return None;
        }
        let fault = Fault::decode(low.read(registers), record);
        clear.write(registers, FaultRecordHigh::clear());
        Some(fault)
    }
}

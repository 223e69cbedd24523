// SPDX-License-Identifier: BSD-2-Clause
//! What the unit reports: fault records, and the message that announces them (VT-d 7.4, 11.4.7).
use super::Unit;
use crate::access::{Registers, TableMemory};
use crate::error::Error;
use crate::faults::{Fault, FaultEvent, Msi};
use crate::registers::{
    FEADDR, FECTL, FEDATA, FEUADDR, FSTS, FaultEventControl, FaultRecordHigh, FaultRecordLow, FaultStatus,
    ReadOnly, Reg, WriteOnly,
};

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

    /// To be called at each fault event, behind [`Unit::faults`]: clears what would hold the next event back, and
    /// says what it was.
    pub fn service_fault_event(&mut self) -> FaultEvent {
        let overflow = FSTS.read(&mut self.registers).pfo();
        let queue_error = self.queue.recover(&mut self.registers, &mut self.frames);
        if overflow {
            FSTS.write(&mut self.registers, FaultStatus::new().with_pfo(true));
        }
        FaultEvent { overflow, queue_error }
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

// SPDX-License-Identifier: BSD-2-Clause
//! The registers of fault reporting.
use bitfield_struct::bitfield;

use super::value;

/// Fault status register (VT-d 11.4.7.1). Written bits clear themselves where they are 1.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct FaultStatus {
    /// PFO: a fault came when no record was free.
    pub pfo: bool,
    /// PPF: a record holds a fault.
    #[bits(1, access = RO)]
    pub ppf: bool,
    #[bits(2)]
    __: u8,
    /// IQE: the invalidation queue stopped at a bad descriptor.
    pub iqe: bool,
    /// ICE: an invalidation completion of a device was wrong.
    pub ice: bool,
    /// ITE: a device TLB invalidation timed out.
    pub ite: bool,
    __: bool,
    /// FRI: the first record with a fault.
    #[bits(8, access = RO)]
    pub fri: u8,
    #[bits(16)]
    __: u16,
}
value!(FaultStatus, u32);

impl FaultStatus {
    /// Whether something is set that makes whatever comes next no new event (VT-d 11.4.7.2).
    #[must_use]
    pub fn holds_back(self) -> bool {
        self.pfo() || self.ppf() || self.iqe() || self.ice() || self.ite()
    }
}

/// Fault event control register (VT-d 11.4.7.2).
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct FaultEventControl {
    #[bits(30)]
    __: u32,
    /// IP: a message is pending.
    #[bits(1, access = RO)]
    pub ip: bool,
    /// IM: messages are held back.
    pub im: bool,
}
value!(FaultEventControl, u32);

/// The lower half of a fault record (VT-d 11.4.7.6).
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct FaultRecordLow {
    #[bits(12)]
    __: u16,
    /// FI: the page that was asked for.
    #[bits(52)]
    pub page: u64,
}
value!(FaultRecordLow, u64);

/// The upper half of a fault record (VT-d 11.4.7.6).
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct FaultRecordHigh {
    /// SID: who asked.
    pub source: u16,
    #[bits(12)]
    __: u16,
    /// T2: with T1, the type of the request.
    pub t2: bool,
    /// PRIV: a privileged request.
    pub privileged: bool,
    /// EXE: an execute request.
    pub execute: bool,
    /// PP: the PASID is valid.
    pub pasid_present: bool,
    /// FR: the reason.
    pub reason: u8,
    /// PV: the PASID.
    #[bits(20)]
    pub pasid: u32,
    /// AT: address type of the request.
    #[bits(2)]
    pub address_type: u8,
    /// T1: set for reads and atomics, clear for writes and page requests.
    pub t1: bool,
    /// F: the record holds a fault; writing 1 gives it back.
    pub fault: bool,
}
value!(FaultRecordHigh, u64);

impl FaultRecordHigh {
    /// Bytes from the start of a record.
    pub const OFFSET: u32 = 8;
    /// Where F lies, as a word of 32 bits: at 12 bytes from the start of a record.
    pub const FAULT_WORD: u32 = 12;

    /// What is written to [`Self::FAULT_WORD`] to give a record back.
    #[must_use]
    pub fn clear() -> u32 {
        let bits = Self::new().with_fault(true).into_bits().to_le_bytes();
        u32::from_le_bytes([bits[4], bits[5], bits[6], bits[7]])
    }
}

// Where the fields are.
const _: () = {
    assert!(FaultStatus::new().with_pfo(true).into_bits() == 1);
    assert!(FaultStatus::new().with_iqe(true).into_bits() == 1 << 4);
    assert!(FaultStatus::new().with_ice(true).into_bits() == 1 << 5);
    assert!(FaultStatus::new().with_ite(true).into_bits() == 1 << 6);
    assert!(FaultEventControl::new().with_im(true).into_bits() == 1 << 31);
    assert!(FaultRecordLow::new().with_page(1).into_bits() == 1 << 12);
    assert!(FaultRecordHigh::new().with_source(0xffff).into_bits() == 0xffff);
    assert!(FaultRecordHigh::new().with_t2(true).into_bits() == 1 << 28);
    assert!(FaultRecordHigh::new().with_pasid_present(true).into_bits() == 1 << 31);
    assert!(FaultRecordHigh::new().with_reason(1).into_bits() == 1 << 32);
    assert!(FaultRecordHigh::new().with_pasid(1).into_bits() == 1 << 40);
    assert!(FaultRecordHigh::new().with_t1(true).into_bits() == 1 << 62);
    assert!(FaultRecordHigh::new().with_fault(true).into_bits() == 1 << 63);
};

// SPDX-License-Identifier: BSD-2-Clause
//! Faults: what hardware recorded, decoded (VT-d 7.1.3, 11.4.7.6).
use core::fmt;

use crate::ids::{Pasid, SourceId};
use crate::registers::{FaultRecordHigh, FaultRecordLow};

/// Which way a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// A read.
    Read,
    /// A write.
    Write,
    /// A read and a write in one.
    Atomic,
    /// A page request.
    PageRequest,
}

/// Where translation stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The root table, or its pointer.
    Root,
    /// The context table.
    Context,
    /// The PASID directory.
    Directory,
    /// The PASID table.
    Pasid,
    /// The first-stage table.
    FirstStage,
    /// The second-stage table.
    SecondStage,
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The structure could not be read.
    Unreadable,
    /// The entry is not present.
    NotPresent,
    /// A reserved bit is set.
    Reserved,
    /// A field has a value that is not allowed.
    Invalid,
    /// Reads are not permitted.
    NoRead,
    /// Writes are not permitted.
    NoWrite,
    /// The access is not permitted; the code does not say which kind.
    NoAccess,
    /// Execution is not permitted.
    NoExecute,
    /// The address is wider than the table, or not canonical.
    Address,
    /// The kind of request is switched off in the entry, or the PASID is beyond the directory.
    Request,
    /// An accessed or dirty bit could not be set.
    AccessedDirty,
    /// The address, or where it leads, is in the interrupt range.
    InterruptRange,
}

/// The reason of a fault: a code of either of the two sets, legacy (1 to 0xe; QEMU uses them in scalable mode
/// too) and scalable mode (0x30 to 0x90).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FaultReason(u8);

impl FaultReason {
    /// The code of a fault record.
    #[must_use]
    pub const fn code(self) -> u8 {
        self.0
    }

    /// Where and why; `None` for a code that the specification reserves.
    #[must_use]
    pub const fn decode(self) -> Option<(Place, Cause)> {
        use Cause as C;
        use Place as P;
        Some(match self.0 {
            0x01 | 0x39 => (P::Root, C::NotPresent),
            0x02 | 0x41 => (P::Context, C::NotPresent),
            0x03 | 0x43 => (P::Context, C::Invalid),
            0x04 | 0x84 => (P::SecondStage, C::Address),
            0x05 => (P::SecondStage, C::NoWrite),
            0x06 => (P::SecondStage, C::NoRead),
            0x07 | 0x78 => (P::SecondStage, C::Unreadable),
            0x08 | 0x38 => (P::Root, C::Unreadable),
            0x09 | 0x40 => (P::Context, C::Unreadable),
            0x0a | 0x3a => (P::Root, C::Reserved),
            0x0b | 0x42 => (P::Context, C::Reserved),
            0x0c | 0x7a => (P::SecondStage, C::Reserved),
            0x0d | 0x44..=0x47 => (P::Context, C::Request),
            0x30..=0x32 => (P::Root, C::Invalid),
            0x48 => (P::Context, C::Invalid),
            0x50 => (P::Directory, C::Unreadable),
            0x51 => (P::Directory, C::NotPresent),
            0x52 => (P::Directory, C::Reserved),
            0x58 => (P::Pasid, C::Unreadable),
            0x59 => (P::Pasid, C::NotPresent),
            0x5a => (P::Pasid, C::Reserved),
            0x5b => (P::Pasid, C::Invalid),
            0x5c | 0x5d => (P::Pasid, C::Request),
            0x70 | 0x73 => (P::FirstStage, C::Unreadable),
            0x71 => (P::FirstStage, C::NotPresent),
            0x72 => (P::FirstStage, C::Reserved),
            0x74 | 0x80 | 0x83 => (P::FirstStage, C::Address),
            0x75 | 0x76 => (P::SecondStage, C::NoRead),
            0x77 => (P::SecondStage, C::NoWrite),
            0x79 => (P::SecondStage, C::NoAccess),
            0x7b => (P::SecondStage, C::Invalid),
            0x7c => (P::SecondStage, C::AccessedDirty),
            0x81 => (P::FirstStage, C::NoAccess),
            0x82 => (P::FirstStage, C::NoExecute),
            0x85 => (P::FirstStage, C::NoWrite),
            0x86 => (P::FirstStage, C::NoRead),
            0x0e | 0x87 => (P::SecondStage, C::InterruptRange),
            0x90 => (P::FirstStage, C::AccessedDirty),
            _ => return None,
        })
    }
}

impl From<u8> for FaultReason {
    fn from(code: u8) -> Self {
        Self(code)
    }
}

impl fmt::Display for FaultReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((place, cause)) = self.decode() else {
            return write!(f, "reserved reason {:#x}", self.0);
        };
        let place = match place {
            Place::Root => "root table",
            Place::Context => "context table",
            Place::Directory => "PASID directory",
            Place::Pasid => "PASID table",
            Place::FirstStage => "first-stage table",
            Place::SecondStage => "second-stage table",
        };
        let cause = match cause {
            Cause::Unreadable => "unreadable",
            Cause::NotPresent => "entry not present",
            Cause::Reserved => "reserved bit set",
            Cause::Invalid => "invalid entry",
            Cause::NoRead => "no read permission",
            Cause::NoWrite => "no write permission",
            Cause::NoAccess => "no permission",
            Cause::NoExecute => "no execute permission",
            Cause::Address => "address beyond the table",
            Cause::Request => "request not allowed",
            Cause::AccessedDirty => "accessed or dirty bit not writable",
            Cause::InterruptRange => "interrupt range",
        };
        write!(f, "{place}: {cause} ({:#x})", self.0)
    }
}

impl fmt::Debug for FaultReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A fault that the unit recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Who asked. This names the culprit: QEMU 7.2 and 10.0 cut PASIDs to 16 bits.
    pub device: SourceId,
    /// The page that was asked for: a multiple of 4 KiB. 0 where the fault has no address.
    pub address: u64,
    /// Which way.
    pub direction: Direction,
    /// Why it was denied.
    pub reason: FaultReason,
    /// Under which PASID, where the record says.
    pub pasid: Option<Pasid>,
}

impl Fault {
    /// The fault of a record.
    pub(crate) fn decode(low: FaultRecordLow, high: FaultRecordHigh) -> Self {
        Self {
            device: SourceId::from(high.source()),
            address: low.page() << 12,
            direction: match (high.t1(), high.t2()) {
                (false, false) => Direction::Write,
                (false, true) => Direction::PageRequest,
                (true, false) => Direction::Read,
                (true, true) => Direction::Atomic,
            },
            reason: FaultReason::from(high.reason()),
            pasid: if high.pasid_present() { Pasid::new(high.pasid()) } else { None },
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {:#x}", self.device, self.direction, self.address)?;
        if let Some(pasid) = self.pasid {
            write!(f, " PASID {pasid}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// What else a fault event was about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultEvent {
    /// Faults were lost: every record was taken.
    pub overflow: bool,
    /// The invalidation queue had stopped, and was made to go on.
    pub queue_error: bool,
    /// There is more to serve: no other event comes before that is done.
    pub more: bool,
}

/// A message-signalled interrupt: what the unit writes, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Msi {
    /// 0xFEE0_0000 with the destination in bits 19:12.
    pub address: u32,
    /// The vector, and delivery mode 0.
    pub data: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_code_sets_name_the_same_places_and_causes() {
        let decode = |code| FaultReason::from(code).decode();
        for (legacy, scalable) in [
            (1, 0x39),
            (2, 0x41),
            (3, 0x43),
            (4, 0x84),
            (7, 0x78),
            (8, 0x38),
            (9, 0x40),
            (0xa, 0x3a),
            (0xb, 0x42),
            (0xc, 0x7a),
        ] {
            assert!(decode(legacy).is_some());
            assert_eq!(decode(legacy), decode(scalable), "{legacy:#x}");
        }
        assert_eq!(decode(5), Some((Place::SecondStage, Cause::NoWrite)));
        assert_eq!(decode(6), Some((Place::SecondStage, Cause::NoRead)));
        assert_eq!(decode(0x59), Some((Place::Pasid, Cause::NotPresent)));
        assert_eq!(decode(0x5b), Some((Place::Pasid, Cause::Invalid)));
        assert_eq!(decode(0x85), Some((Place::FirstStage, Cause::NoWrite)));
        for reserved in [0, 0x0f, 0x33, 0x49, 0x53, 0x5e, 0x60, 0x7d, 0x88, 0xff] {
            assert_eq!(decode(reserved), None, "{reserved:#x}");
        }
    }

    #[test]
    fn a_fault_is_told_in_words() {
        let low = FaultRecordLow::new().with_page(0x4_0000);
        let high = FaultRecordHigh::new().with_source(0x18).with_reason(0x79).with_t1(true);
        let fault = Fault::decode(low, high.with_pasid_present(true).with_pasid(0x12345));
        let text = "00:03.0 Read 0x40000000 PASID 0x12345: second-stage table: no permission (0x79)";
        assert_eq!(fault.to_string(), text);
        let directions = [(false, false), (false, true), (true, false), (true, true)].map(|(t1, t2)| {
            Fault::decode(FaultRecordLow::new(), FaultRecordHigh::new().with_t1(t1).with_t2(t2)).direction
        });
        use Direction::{Atomic, PageRequest, Read, Write};
        assert_eq!(directions, [Write, PageRequest, Read, Atomic]);
        assert_eq!(FaultReason::from(0xf0).to_string(), "reserved reason 0xf0");
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! Where the registers are, what they say and which bits a guest may change (VT-d 11.4).

use vtd::registers::{Capability, ExtendedCapability};

/// Version.
pub const VER: u64 = 0x0;
/// Capability.
pub const CAP: u64 = 0x8;
/// Extended capability.
pub const ECAP: u64 = 0x10;
/// Global command, in the lower half; global status in the upper.
pub const GCMD: u64 = 0x18;
/// Root table address.
pub const RTADDR: u64 = 0x20;
/// Context command.
pub const CCMD: u64 = 0x28;
/// Fault status, in the upper half of its word.
pub const FSTS: u64 = 0x30;
/// Fault event control, and data in the upper half.
pub const FECTL: u64 = 0x38;
/// Fault event address, both halves.
pub const FEADDR: u64 = 0x40;
/// Invalidation queue head.
pub const IQH: u64 = 0x80;
/// Invalidation queue tail.
pub const IQT: u64 = 0x88;
/// Invalidation queue address.
pub const IQA: u64 = 0x90;
/// Invalidation completion status, in the upper half of its word.
pub const ICS: u64 = 0x98;
/// Invalidation event control, and data in the upper half.
pub const IECTL: u64 = 0xa0;
/// Invalidation event address, both halves.
pub const IEADDR: u64 = 0xa8;
/// IOTLB invalidate: CAP and ECAP say where.
pub const IOTLB: u64 = IVA + 8;
/// The fault record, lower word.
pub const FRCD: u64 = 0x220;
/// The fault record, upper word.
pub const FRCD_HIGH: u64 = FRCD + 8;
const IVA: u64 = 0x200;

/// Version 1.0.
pub const VERSION: u64 = 0x10;

/// What CAP says: 64 Ki domains, caching mode, 4-level tables of 48 bits, 2 MiB and 1 GiB pages, page-selective
/// invalidation, draining, and one fault record.
///
/// Caching mode says that the unit is virtual: without it Linux does not look for a virtual command register.
pub const CAPABILITIES: u64 = Capability::new()
    .with_nd(6)
    .with_cm(true)
    .with_sagaw(1 << 2)
    .with_mgaw(47)
    .with_fro(in_16_bytes(FRCD))
    .with_sslps(3)
    .with_psi(true)
    .with_mamv(18)
    .with_dwd(true)
    .with_drd(true)
    .with_fs1gp(true)
    .into_bits();

/// What ECAP says: coherent, queued invalidation, 20 bits of PASID, scalable mode with both stages, and VCS. No device
/// behind the unit has pages or interrupts to ask for: no device TLBs, page requests, pass-through or interrupt
/// remapping.
pub const EXTENDED_CAPABILITIES: u64 = ExtendedCapability::new()
    .with_c(true)
    .with_qi(true)
    .with_iro(in_16_bytes(IVA))
    .with_pss(19)
    .with_pasid(true)
    .with_smts(true)
    .with_vcs(true)
    .with_ssts(true)
    .with_fsts(true)
    .into_bits();

/// An offset as CAP and ECAP say it.
const fn in_16_bytes(offset: u64) -> u16 {
    assert!(offset.is_multiple_of(16) && offset < 0x1000);
    #[expect(clippy::cast_possible_truncation, reason = "below 0x100")]
    {
        (offset / 16) as u16
    }
}

/// GCMD and GSTS: what is on for as long as the bit is set.
pub const LASTING: u64 = TRANSLATION | QUEUE;
/// GCMD and GSTS: translation.
pub const TRANSLATION: u64 = 1 << 31;
/// GCMD and GSTS: the root table pointer has been taken. Stays.
pub const ROOT_TABLE: u64 = 1 << 30;
/// GCMD and GSTS: queued invalidation.
pub const QUEUE: u64 = 1 << 26;
/// CCMD and IOTLB: invalidate. Clear when done.
pub const INVALIDATE: u64 = 1 << 63;
/// FSTS, in its word: a fault came when the record was taken.
pub const OVERFLOW: u64 = 1 << 32;
/// FSTS, in its word: the record holds a fault.
pub const FAULTED: u64 = 1 << (32 + 1);
/// FSTS, in its word: the queue stopped at a descriptor.
pub const QUEUE_ERROR: u64 = 1 << (32 + 4);
/// FSTS, in its word: whatever a fault event is for.
pub const FAULT_CONDITIONS: u64 = OVERFLOW | FAULTED | QUEUE_ERROR;
/// ICS, in its word: a wait descriptor has completed.
pub const WAIT_DONE: u64 = 1 << 32;
/// FECTL and IECTL: no message is sent.
pub const MASKED: u64 = 1 << 31;
/// FECTL and IECTL: a message waits to be let through.
pub const HELD_BACK: u64 = 1 << 30;
/// The upper word of the fault record: it holds a fault. Clear where one is written.
pub const FAULT: u64 = 1 << 63;

/// How a word of registers takes a write.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rule {
    /// Bits that take what is written.
    pub takes: u64,
    /// Bits that a one clears.
    pub clears: u64,
}

impl Rule {
    /// The rule of the word at `offset`, other than the virtual command registers. What is not named is read-only.
    pub const fn at(offset: u64) -> Self {
        match offset {
            // The table's address and mode.
            RTADDR => Self { takes: !0x3ff, clears: 0 },
            FSTS => Self { takes: 0, clears: OVERFLOW | QUEUE_ERROR },
            FRCD_HIGH => Self { takes: 0, clears: FAULT },
            FECTL | IECTL => Self { takes: 0xffff_ffff << 32 | MASKED, clears: 0 },
            FEADDR | IEADDR => Self { takes: !0x3, clears: 0 },
            IQT => Self { takes: 0x7_fff0, clears: 0 },
            // Base, descriptors of 256 bits, size.
            IQA => Self { takes: !0xfff | 1 << 11 | 7, clears: 0 },
            ICS => Self { takes: 0, clears: WAIT_DONE },
            _ => Self { takes: 0, clears: 0 },
        }
    }
}

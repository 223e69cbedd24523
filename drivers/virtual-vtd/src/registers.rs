// SPDX-License-Identifier: BSD-2-Clause
//! Where the registers are, what they say and which bits a guest may change (VT-d 11.4).

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
/// The fault record, two words.
pub const FRCD: u64 = 0x220;
const IVA: u64 = 0x200;

/// Version 1.0.
pub const VERSION: u64 = 0x10;

/// What CAP says: 64 Ki domains, caching mode, 4-level tables of 48 bits, 2 MiB and 1 GiB pages, page-selective
/// invalidation, draining, and one fault record.
///
/// Caching mode says that the unit is virtual: without it Linux does not look for a virtual command register.
pub const CAPABILITIES: u64 = 6
    | 1 << 7 // CM
    | 1 << (8 + 2) // SAGAW
    | 47 << 16 // MGAW
    | (FRCD >> 4) << 24 // FRO
    | 3 << 34 // SLLPS
    | 1 << 39 // PSI
    | 18 << 48 // MAMV
    | 3 << 54 // DWD, DRD
    | 1 << 56; // FL1GP

/// What ECAP says: coherent, queued invalidation, 20 bits of PASID, scalable mode with both stages, and VCS. No device
/// behind the unit has pages or interrupts to ask for: no device TLBs, page requests, pass-through or interrupt
/// remapping.
pub const EXTENDED_CAPABILITIES: u64 = 1
    | 1 << 1 // QI
    | (IVA >> 4) << 8 // IRO
    | 19 << 35 // PSS
    | 1 << 40 // PASID
    | 1 << 43 // SMTS
    | VCS
    | 1 << 46 // SLTS
    | 1 << 47; // FLTS

/// ECAP: there is a virtual command register.
pub const VCS: u64 = 1 << 44;

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
/// FSTS, in its word: the queue stopped at a descriptor.
pub const QUEUE_ERROR: u64 = 1 << (32 + 4);
/// ICS, in its word: a wait descriptor has completed.
pub const WAIT_DONE: u64 = 1 << 32;
/// FECTL and IECTL: no message is sent.
pub const MASKED: u64 = 1 << 31;

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
            FSTS => Self { takes: 0, clears: 0x7d << 32 },
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

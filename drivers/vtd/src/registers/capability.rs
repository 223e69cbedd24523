// SPDX-License-Identifier: BSD-2-Clause
//! What a unit says of itself: version, capability, extended capability.
use bitfield_struct::bitfield;

use super::value;

/// Version register (VT-d 11.4.1).
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct Version {
    /// MIN: minor version.
    #[bits(4, access = RO)]
    pub minor: u8,
    /// MAX: major version.
    #[bits(4, access = RO)]
    pub major: u8,
    #[bits(24)]
    __: u32,
}
value!(Version, u32);

/// Capability register (VT-d 11.4.2).
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct Capability {
    /// ND: 4 + 2 × ND is the width of a domain id.
    #[bits(3)]
    pub nd: u8,
    __: bool,
    /// RWBF: the write buffer has to be flushed explicitly.
    pub rwbf: bool,
    /// PLMR: a protected low-memory region exists.
    pub plmr: bool,
    /// PHMR: a protected high-memory region exists.
    pub phmr: bool,
    /// CM: not-present entries may be cached.
    pub cm: bool,
    /// SAGAW: depths of second-stage tables; bit 1 = 3 levels (39 bits), 2 = 4 levels (48), 3 = 5 levels (57).
    #[bits(5)]
    pub sagaw: u8,
    #[bits(3)]
    __: u8,
    /// MGAW: the widest guest address, minus 1.
    #[bits(6)]
    pub mgaw: u8,
    /// ZLR: zero-length reads of write-only pages are allowed.
    pub zlr: bool,
    __: bool,
    /// FRO: where the fault records are, in units of 16 bytes.
    #[bits(10)]
    pub fro: u16,
    /// SSLPS: bit 0 = 2 MiB pages, bit 1 = 1 GiB pages in second-stage tables.
    #[bits(4)]
    pub sslps: u8,
    __: bool,
    /// PSI: page-selective invalidation.
    pub psi: bool,
    /// NFR: number of fault records, minus 1.
    #[bits(8)]
    pub nfr: u8,
    /// MAMV: the largest address mask of a page-selective invalidation.
    #[bits(6)]
    pub mamv: u8,
    /// DWD: writes are drained by invalidations.
    pub dwd: bool,
    /// DRD: reads are drained by invalidations.
    pub drd: bool,
    /// FS1GP: 1 GiB pages in first-stage tables.
    pub fs1gp: bool,
    #[bits(2)]
    __: u8,
    /// PI: posted interrupts.
    pub pi: bool,
    /// FS5LP: 5-level first-stage tables.
    pub fs5lp: bool,
    /// ECMDS: enhanced commands.
    pub ecmds: bool,
    /// ESIRTPS: setting the interrupt table pointer invalidates.
    pub esirtps: bool,
    /// ESRTPS: setting the root table pointer invalidates.
    pub esrtps: bool,
}
value!(Capability, u64);

/// Extended capability register (VT-d 11.4.3).
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct ExtendedCapability {
    /// C: the unit snoops the processor's caches when it reads tables.
    pub c: bool,
    /// QI: queued invalidation.
    pub qi: bool,
    /// DT: device TLBs.
    pub dt: bool,
    /// IR: interrupt remapping.
    pub ir: bool,
    /// EIM: extended interrupt mode.
    pub eim: bool,
    __: bool,
    /// PT: pass-through.
    pub pt: bool,
    /// SC: snoop control.
    pub sc: bool,
    /// IRO: where the IOTLB registers are, in units of 16 bytes.
    #[bits(10)]
    pub iro: u16,
    #[bits(2)]
    __: u8,
    /// MHMV: the largest handle mask of an interrupt entry invalidation.
    #[bits(4)]
    pub mhmv: u8,
    #[bits(2)]
    __: u8,
    /// NEST: nested translation.
    pub nest: bool,
    #[bits(2)]
    __: u8,
    /// PRS: page requests.
    pub prs: bool,
    /// ERS: execute requests.
    pub ers: bool,
    /// SRS: supervisor requests.
    pub srs: bool,
    __: bool,
    /// NWFS: no-write flag.
    pub nwfs: bool,
    /// EAFS: extended accessed flag.
    pub eafs: bool,
    /// PSS: width of a PASID, minus 1.
    #[bits(5)]
    pub pss: u8,
    /// PASID: requests with PASID.
    pub pasid: bool,
    /// DIT: throttling of device TLB invalidations.
    pub dit: bool,
    /// PDS: page request draining.
    pub pds: bool,
    /// SMTS: scalable-mode translation.
    pub smts: bool,
    /// VCS: the virtual command interface.
    pub vcs: bool,
    /// SSADS: accessed and dirty bits in second-stage tables.
    pub ssads: bool,
    /// SSTS: second-stage translation.
    pub ssts: bool,
    /// FSTS: first-stage translation.
    pub fsts: bool,
    /// SMPWCS: snooping of page walks can be chosen for each PASID.
    pub smpwcs: bool,
    /// RPS: RID_PASID in the context entry.
    pub rps: bool,
    __: bool,
    /// PMS: performance monitoring.
    pub pms: bool,
    /// ADMS: abort-DMA mode.
    pub adms: bool,
    /// RPRIVS: RID_PRIV in the context entry.
    pub rprivs: bool,
    #[bits(10)]
    __: u16,
}
value!(ExtendedCapability, u64);

// Where the fields are.
const _: () = {
    assert!(Capability::new().with_rwbf(true).into_bits() == 1 << 4);
    assert!(Capability::new().with_cm(true).into_bits() == 1 << 7);
    assert!(Capability::new().with_sagaw(1).into_bits() == 1 << 8);
    assert!(Capability::new().with_mgaw(1).into_bits() == 1 << 16);
    assert!(Capability::new().with_fro(1).into_bits() == 1 << 24);
    assert!(Capability::new().with_sslps(1).into_bits() == 1 << 34);
    assert!(Capability::new().with_psi(true).into_bits() == 1 << 39);
    assert!(Capability::new().with_nfr(1).into_bits() == 1 << 40);
    assert!(Capability::new().with_mamv(1).into_bits() == 1 << 48);
    assert!(Capability::new().with_fs1gp(true).into_bits() == 1 << 56);
    assert!(Capability::new().with_esrtps(true).into_bits() == 1 << 63);
    assert!(ExtendedCapability::new().with_pt(true).into_bits() == 1 << 6);
    assert!(ExtendedCapability::new().with_iro(1).into_bits() == 1 << 8);
    assert!(ExtendedCapability::new().with_nest(true).into_bits() == 1 << 26);
    assert!(ExtendedCapability::new().with_pss(1).into_bits() == 1 << 35);
    assert!(ExtendedCapability::new().with_pasid(true).into_bits() == 1 << 40);
    assert!(ExtendedCapability::new().with_smts(true).into_bits() == 1 << 43);
    assert!(ExtendedCapability::new().with_vcs(true).into_bits() == 1 << 44);
    assert!(ExtendedCapability::new().with_ssts(true).into_bits() == 1 << 46);
    assert!(ExtendedCapability::new().with_fsts(true).into_bits() == 1 << 47);
    assert!(ExtendedCapability::new().with_smpwcs(true).into_bits() == 1 << 48);
    assert!(ExtendedCapability::new().with_rps(true).into_bits() == 1 << 49);
    assert!(ExtendedCapability::new().with_rprivs(true).into_bits() == 1 << 53);
};

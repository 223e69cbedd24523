// SPDX-License-Identifier: BSD-2-Clause
//! Switching things on: global command and status, the root table pointer, protected memory.
use bitfield_struct::{bitenum, bitfield};

use super::value;

/// Global command register (VT-d 11.4.4.1). Written with exactly one change against the status.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct GlobalCommand {
    #[bits(23)]
    __: u32,
    /// CFI: compatibility-format interrupts pass.
    pub cfi: bool,
    /// SIRTP: set the interrupt table pointer (one-shot).
    pub sirtp: bool,
    /// IRE: interrupt remapping.
    pub ire: bool,
    /// QIE: the invalidation queue.
    pub qie: bool,
    /// WBF: flush the write buffer (one-shot).
    pub wbf: bool,
    /// EAFL: advanced fault log.
    pub eafl: bool,
    /// SFL: set the fault log pointer (one-shot).
    pub sfl: bool,
    /// SRTP: set the root table pointer (one-shot).
    pub srtp: bool,
    /// TE: translation.
    pub te: bool,
}
value!(GlobalCommand, u32);

/// Global status register (VT-d 11.4.4.2).
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct GlobalStatus {
    #[bits(23)]
    __: u32,
    /// CFIS: compatibility-format interrupts pass.
    pub cfis: bool,
    /// IRTPS: the interrupt table pointer was set.
    pub irtps: bool,
    /// IRES: interrupt remapping is on.
    pub ires: bool,
    /// QIES: the invalidation queue is on.
    pub qies: bool,
    /// WBFS: a write-buffer flush is under way.
    pub wbfs: bool,
    /// AFLS: the advanced fault log is on.
    pub afls: bool,
    /// FLS: the fault log pointer was set.
    pub fls: bool,
    /// RTPS: the root table pointer was set.
    pub rtps: bool,
    /// TES: translation is on.
    pub tes: bool,
}
value!(GlobalStatus, u32);

impl GlobalStatus {
    /// The command that changes nothing: everything that is on stays on, and no one-shot bit is set.
    #[must_use]
    pub fn command(self) -> GlobalCommand {
        GlobalCommand::new()
            .with_cfi(self.cfis())
            .with_ire(self.ires())
            .with_qie(self.qies())
            .with_eafl(self.afls())
            .with_te(self.tes())
    }
}

/// Which tables the root pointer leads to.
#[bitenum]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TranslationTableMode {
    /// Legacy tables.
    Legacy = 0,
    /// Scalable-mode tables.
    Scalable = 1,
    /// A reserved encoding.
    #[fallback]
    Reserved = 2,
    /// Every request is aborted.
    AbortDma = 3,
}

/// Root table address register (VT-d 11.4.5).
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct RootTableAddress {
    #[bits(10)]
    __: u16,
    /// TTM: which tables.
    #[bits(2)]
    pub mode: TranslationTableMode,
    /// RTA: frame number of the root table.
    #[bits(52)]
    pub frame: u64,
}
value!(RootTableAddress, u64);

/// Protected memory enable register (VT-d 11.4.8.1).
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct ProtectedMemoryEnable {
    /// PRS: the regions are in force.
    #[bits(1, access = RO)]
    pub prs: bool,
    #[bits(30)]
    __: u32,
    /// EPM: put them in force.
    pub epm: bool,
}
value!(ProtectedMemoryEnable, u32);

// Where the fields are.
const _: () = {
    assert!(GlobalCommand::new().with_te(true).into_bits() == 1 << 31);
    assert!(GlobalCommand::new().with_srtp(true).into_bits() == 1 << 30);
    assert!(GlobalCommand::new().with_wbf(true).into_bits() == 1 << 27);
    assert!(GlobalCommand::new().with_qie(true).into_bits() == 1 << 26);
    assert!(GlobalStatus::new().with_tes(true).into_bits() == 1 << 31);
    assert!(GlobalStatus::new().with_rtps(true).into_bits() == 1 << 30);
    assert!(GlobalStatus::new().with_qies(true).into_bits() == 1 << 26);
    let scalable = RootTableAddress::new().with_mode(TranslationTableMode::Scalable);
    assert!(scalable.into_bits() == 1 << 10);
    assert!(RootTableAddress::new().with_frame(1).into_bits() == 1 << 12);
    assert!(ProtectedMemoryEnable::new().with_epm(true).into_bits() == 1 << 31);
};

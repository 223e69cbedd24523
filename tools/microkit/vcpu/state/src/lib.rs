// SPDX-License-Identifier: BSD-2-Clause
//! What goes into a virtual CPU and comes out of it: plain data, the same on each platform.
#![no_std]
#![forbid(unsafe_code)]

/// The kernel refused: there is no such virtual CPU, or it does not let this field be touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the kernel does not let this domain change that of its virtual CPU")
    }
}

impl core::error::Error for Refused {}

/// The guest's general registers but the stack pointer, which is in the VMCS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the registers' own names")]
pub struct Registers {
    pub eax: u64,
    pub ebx: u64,
    pub ecx: u64,
    pub edx: u64,
    pub esi: u64,
    pub edi: u64,
    pub ebp: u64,
}

/// How the guest is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Entry {
    /// Where it goes on.
    pub rip: u64,
    /// Primary processor-based controls beyond those that the kernel insists on.
    pub controls: u64,
    /// The VM-entry interruption-information field: the event to be injected, or 0.
    pub injection: u64,
}

/// What the guest did that ended its run, as the processor's exit fields say it (Intel SDM 3C, 28.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Exit reason. [`FAILED_ENTRY`](Self::FAILED_ENTRY) where the processor did not take the entry at all.
    pub reason: u64,
    /// Exit qualification.
    pub qualification: u64,
    /// Length of the instruction, in bytes.
    pub instruction_len: u64,
    /// Guest-physical address, for an EPT violation.
    pub guest_physical: u64,
    /// RFLAGS.
    pub rflags: u64,
    /// The guest's interruptibility.
    pub interruptibility: u64,
    /// CR3.
    pub cr3: u64,
    /// General registers.
    pub registers: Registers,
}

impl Exit {
    /// The reason where the processor did not take the entry.
    pub const FAILED_ENTRY: u64 = 0xffff_ffff;
}

/// Why [`enter`] came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// The guest exited.
    Exit(Exit),
    /// Notifications came: a bit for each channel. An event that was to be injected may be left in [`Entry`].
    Notified(u64),
}

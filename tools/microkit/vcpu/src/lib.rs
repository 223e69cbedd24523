// SPDX-License-Identifier: BSD-2-Clause
//! The virtual CPU of a domain that runs a virtual machine.
//!
//! rust-sel4's `sel4-microkit` has nothing for x86 virtual machines. A domain that runs one overrides
//! `Handler::run` and calls [`enter`] there, again and again: its thread *is* the guest meanwhile, receives nothing on
//! endpoints, and comes back for an exit or for a notification. With `microkit-ioport` and `microkit-child` this crate
//! is what a domain needs beside `sel4-microkit`; each platform has its own of the same names.
#![no_std]
#![forbid(unsafe_code)]

use sel4_abi::{VmEntry, VmReturn, with_ipc_buffer};

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

/// Runs the domain's guest until it exits or the domain is notified. `entry` then says where the guest is.
///
/// A domain without a virtual CPU faults here.
#[must_use]
pub fn enter(entry: &mut Entry) -> Left {
    let left =
        sel4_abi::vm_enter(VmEntry { rip: entry.rip, controls: entry.controls, injection: entry.injection });
    with_ipc_buffer(|buffer| {
        let [rip, controls, injection, reason, rest @ ..] =
            buffer.msg_regs().first_chunk::<17>().expect("120 words");
        *entry = Entry { rip: *rip, controls: *controls, injection: *injection };
        let &[
            qualification,
            instruction_len,
            guest_physical,
            rflags,
            interruptibility,
            cr3,
            ref registers @ ..,
        ] = rest;
        let [eax, ebx, ecx, edx, esi, edi, ebp] = *registers;
        match left {
            VmReturn::Notified(badge) => Left::Notified(badge & !microkit_image::layout::BADGE_NOTIFICATION),
            VmReturn::Exit => Left::Exit(Exit {
                reason: *reason,
                qualification,
                instruction_len,
                guest_physical,
                rflags,
                interruptibility,
                cr3,
                registers: Registers { eax, ebx, ecx, edx, esi, edi, ebp },
            }),
        }
    })
}

/// Waits until the domain is notified, without running its guest: a bit for each channel.
pub fn wait() -> u64 {
    // A domain with a virtual CPU receives no calls.
    let (_, badge) = sel4_abi::recv(microkit_image::layout::INPUT_CAP);
    badge & !microkit_image::layout::BADGE_NOTIFICATION
}

/// A virtual CPU, by its number in system.xml.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vcpu(sel4_abi::Vcpu);

impl Vcpu {
    /// The virtual CPU with this number.
    #[must_use]
    pub const fn new(id: usize) -> Self {
        Self(sel4_abi::Vcpu(microkit_image::layout::BASE_VCPU + id as u64))
    }

    /// Reads a field of the VMCS.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn read_vmcs(self, field: u64) -> Result<u64, Refused> {
        self.0.read_vmcs(field).map_err(|_| Refused)
    }

    /// Writes a field of the VMCS; gives what the kernel made of it.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn write_vmcs(self, field: u64, value: u64) -> Result<u64, Refused> {
        self.0.write_vmcs(field, value).map_err(|_| Refused)
    }

    /// Writes the general registers.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn write_registers(self, registers: &Registers) -> Result<(), Refused> {
        let Registers { eax, ebx, ecx, edx, esi, edi, ebp } = *registers;
        self.0.write_registers(&[eax, ebx, ecx, edx, esi, edi, ebp]).map_err(|_| Refused)
    }
}

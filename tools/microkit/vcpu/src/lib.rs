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
pub use vcpu_state::{Entry, Exit, Left, Refused, Registers};

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

    /// Has it be entered for a guest that is no 64-bit one. This platform's kernel knows no other.
    ///
    /// # Errors
    /// None here.
    pub fn enter_32_bit(self) -> Result<(), Refused> {
        Ok(())
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

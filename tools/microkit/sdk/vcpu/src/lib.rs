// SPDX-License-Identifier: BSD-2-Clause
//! The virtual CPU of a domain that runs a virtual machine, on rust-sel4, which has nothing for it on x86.
//!
//! The capability is in slot 330 + id, as libmicrokit has it, and the guest is entered by the kernel's VMEnter. This crate
//! has the public names of the embedded default's crate of the same name, in whose place the SDK's Cargo
//! configuration patches it. Its board is x86_64_generic_vtx.
#![no_std]

use core::arch::asm;

use sel4::sys::{seL4_Error, seL4_VCPUContext, seL4_Word, syscall_id};
pub use vcpu_state::{Entry, Exit, Left, Refused, Registers};

/// Where the tool puts the capability of the first virtual CPU in a domain's CSpace.
const BASE_VCPU: seL4_Word = 330;
/// Where a domain receives.
const INPUT: sel4::cap::Endpoint = sel4::Cap::from_bits(1);
const REPLY: sel4::cap::Reply = sel4::Cap::from_bits(4);

/// What it returns where the guest came out by itself.
const EXITED: seL4_Word = 1;

/// The VMCS's field of entry controls, of which bit 9 says that the guest is a 64-bit one.
const ENTRY_CONTROLS: u64 = 0x4012;

/// Runs the domain's guest until it exits or the domain is notified. `entry` then says where the guest is.
///
/// A domain without a virtual CPU faults here.
#[must_use]
pub fn enter(entry: &mut Entry) -> Left {
    let mut first = [entry.rip, entry.controls, entry.injection, 0];
    // Borrowed as for any other system call with a message, so that nobody else holds the words that the kernel writes.
    let (badge, exited) = sel4::with_ipc_buffer_mut(|_| vm_enter(&mut first));
    let [rip, controls, injection, reason] = first;
    *entry = Entry { rip, controls, injection };
    if exited != EXITED {
        return Left::Notified(badge);
    }
    // The first four words came in registers; the others are where messages are.
    sel4::with_ipc_buffer(|buffer| {
        let words = buffer.msg_regs();
        let word = |place: usize| words.get(place).copied().unwrap_or(0);
        Left::Exit(Exit {
            // An entry that fails has the reason -1, as wide as a word.
            reason: reason & 0xffff_ffff,
            qualification: word(4),
            instruction_len: word(5),
            guest_physical: word(6),
            rflags: word(7),
            interruptibility: word(8),
            cr3: word(9),
            registers: Registers {
                eax: word(10),
                ebx: word(11),
                ecx: word(12),
                edx: word(13),
                esi: word(14),
                edi: word(15),
                ebp: word(16),
            },
        })
    })
}

/// VMEnter: the first four message words in and out; gives the badge and how the guest came out.
fn vm_enter(words: &mut [seL4_Word; 4]) -> (seL4_Word, seL4_Word) {
    let (badge, exited);
    let [rip, controls, injection, reason] = words;
    // SAFETY: the kernel's convention for a system call: it changes the registers that are named here, and the message
    // words of the domain's own buffer, which the caller has borrowed.
    unsafe {
        asm!(
            "mov r14, rsp",
            "syscall",
            "mov rsp, r14",
            in("rdx") i64::from(syscall_id::VMEnter),
            inout("rdi") 0_u64 => badge,
            inout("rsi") 0_u64 => exited,
            inout("r10") *rip,
            inout("r8") *controls,
            inout("r9") *injection,
            inout("r15") *reason,
            in("r12") 0_u64,
            lateout("rcx") _,
            lateout("r11") _,
            lateout("r14") _,
        );
    }
    (badge, exited)
}

/// Waits until the domain is notified, without running its guest: a bit for each channel.
pub fn wait() -> u64 {
    // A domain with a virtual CPU receives no calls.
    let (_, badge) = INPUT.recv(REPLY);
    badge
}

/// A virtual CPU, by its number in system.xml.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vcpu(seL4_Word);

impl Vcpu {
    /// The virtual CPU with this number.
    #[must_use]
    pub const fn new(id: usize) -> Self {
        Self(BASE_VCPU + id as seL4_Word)
    }

    /// Reads a field of the VMCS.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn read_vmcs(self, field: u64) -> Result<u64, Refused> {
        let reply =
            sel4::with_ipc_buffer_mut(|buffer| buffer.inner_mut().seL4_X86_VCPU_ReadVMCS(self.0, field));
        judge(reply.error).map(|()| reply.value)
    }

    /// Writes a field of the VMCS; gives what the kernel made of it.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn write_vmcs(self, field: u64, value: u64) -> Result<u64, Refused> {
        let reply = sel4::with_ipc_buffer_mut(|buffer| {
            buffer.inner_mut().seL4_X86_VCPU_WriteVMCS(self.0, field, value)
        });
        judge(reply.error).map(|()| reply.written)
    }

    /// Has it be entered for a guest that is no 64-bit one: the kernel begins with the other.
    ///
    /// # Errors
    /// [`Refused`]: a kernel that has no 32-bit guests (the SDK 2.2.0's).
    pub fn enter_32_bit(self) -> Result<(), Refused> {
        self.write_vmcs(ENTRY_CONTROLS, 0).map(drop)
    }

    /// Writes the general registers.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn write_registers(self, registers: &Registers) -> Result<(), Refused> {
        let Registers { eax, ebx, ecx, edx, esi, edi, ebp } = *registers;
        let context = seL4_VCPUContext { eax, ebx, ecx, edx, esi, edi, ebp, ..Default::default() };
        judge(sel4::with_ipc_buffer_mut(|buffer| {
            buffer.inner_mut().seL4_X86_VCPU_WriteRegisters(self.0, &context)
        }))
    }
}

fn judge(error: seL4_Error::Type) -> Result<(), Refused> {
    if error == seL4_Error::seL4_NoError { Ok(()) } else { Err(Refused) }
}

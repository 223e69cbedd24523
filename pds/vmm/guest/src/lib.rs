// SPDX-License-Identifier: BSD-2-Clause
//! Guests that try the virtual command register: 32-bit code that runs unpaged at [`BASE`].
//!
//! EAX says at the start which part is played, ECX which life it is. The guests are linked into their monitor as bytes:
//! every address in them is a distance from their first instruction plus [`BASE`]. What they call their monitor for
//! (VMCALL, with the number in EAX) is in [`hypercall`].
#![no_std]

use core::arch::global_asm;

/// Where the guests expect to lie.
pub const BASE: usize = 0x1000;
/// Where their stack begins.
pub const STACK: u64 = 0x8000;
/// The memory that they need, in bytes.
pub const MEMORY: usize = 0x1_0000;

/// How often each thing is done that is measured.
pub const TURNS: u64 = 200;

/// What is in EAX at the start.
pub mod part {
    /// A guest that behaves: tries all that it has been given, has its ids taken away, and begins anew.
    pub const CALM: u64 = 0;
    /// A guest that does not: frees what is not its own, hangs, faults to death, floods.
    pub const ROGUE: u64 = 1;
    /// A guest that works without pause.
    pub const STRESS: u64 = 2;
    /// A guest that measures what its commands cost: what it says has ticks in ECX and exits in EDX, of [`TURNS`]
    /// turns each.
    ///
    /// [`TURNS`]: super::TURNS
    pub const MEASURE: u64 = 3;
}

/// What is in EAX of a call.
pub mod hypercall {
    /// Say something: EBX is the address of a text, ECX and EDX are numbers.
    pub const SAY: u64 = 0;
    /// State something: EBX is the address of a text, ECX whether it holds.
    pub const CHECK: u64 = 1;
    /// The machine may be switched off.
    pub const DONE: u64 = 2;
    /// The machine is to be started anew.
    pub const RESET: u64 = 3;
    /// All of its ids are to be taken away, some time after this call.
    pub const TAKE_ALL: u64 = 4;
    /// EAX becomes the number of exits up to this one.
    pub const COUNT_EXITS: u64 = 5;
    /// Nothing.
    pub const NOTHING: u64 = 6;
}

global_asm!(
    ".section .rodata.vmm_guest, \"a\", @progbits",
    ".globl vmm_guest_start",
    ".globl vmm_guest_end",
    ".balign 16",
    ".code32",
    "vmm_guest_start:",
    // Which life it is stays in EBP.
    "movl %ecx, %ebp",
    "cmpl $1, %eax",
    "jb calm",
    "je rogue",
    "cmpl $2, %eax",
    "je stress",
    "jmp measure",
    include_str!("common.s"),
    include_str!("calm.s"),
    include_str!("rogue.s"),
    include_str!("stress.s"),
    include_str!("measure.s"),
    "vmm_guest_end:",
    ".code64",
    ".text",
    options(att_syntax)
);

unsafe extern "C" {
    static vmm_guest_start: u8;
    static vmm_guest_end: u8;
}

/// The guests' code.
#[must_use]
pub fn image() -> &'static [u8] {
    let (start, end) = (&raw const vmm_guest_start, &raw const vmm_guest_end);
    // SAFETY: both symbols are of this module's assembly, with nothing but its bytes between them, in a section that
    // nothing writes.
    unsafe { core::slice::from_raw_parts(start, end.addr() - start.addr()) }
}

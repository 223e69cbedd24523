// SPDX-License-Identifier: BSD-2-Clause
//! Stopping and restarting a child domain, on rust-sel4.
//!
//! rust-sel4's `sel4-microkit` hands out a child's thread and has nothing for what libmicrokit calls
//! `microkit_pd_stop` and `microkit_pd_restart`. This crate has the public names of the embedded default's crate of
//! the same name, in whose place the SDK's Cargo configuration patches it.
//!
//! A child of a parent that restarts it has [`restartable!`] in its program: rust-sel4's start-up code refuses to run
//! twice over the same memory.
#![no_std]
#![forbid(unsafe_code)]

use sel4::UserContext;
use sel4_microkit::Child;

/// The kernel refused: there is no such child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the domain has no such child")
    }
}

impl core::error::Error for Refused {}

#[doc(hidden)]
pub use core::arch::global_asm;

/// Lets the program be started again, by [`restart`] at its ELF file's entry point: it then begins with the stack that
/// it began with, and with every static that is zero at first zero again. Others keep their values, as what
/// system.xml sets must.
///
/// For an item of its own in `main.rs`; the entry point is moved here by `start.ld` beside this crate.
#[macro_export]
macro_rules! restartable {
    () => {
        $crate::global_asm!(
            ".pushsection .data.__microkit_child_stack, \"aw\", @progbits",
            ".balign 8",
            "__microkit_child_stack:",
            ".quad 0",
            ".popsection",
            ".pushsection .text.__microkit_child_start, \"ax\", @progbits",
            ".globl __microkit_child_start",
            "__microkit_child_start:",
            "mov rdx, [rip + __microkit_child_stack]",
            "test rdx, rdx",
            "cmovz rdx, rsp",
            "mov [rip + __microkit_child_stack], rdx",
            "mov rsp, rdx",
            "lea rdi, [rip + __bss_start]",
            "lea rcx, [rip + _end]",
            "sub rcx, rdi",
            "xor eax, eax",
            "cld",
            "rep stosb",
            "jmp _start",
            ".popsection",
        );
    };
}

/// Lets the child run from `entry_point`; its other registers stay as they are.
///
/// # Errors
/// [`Refused`] when there is no such child.
pub fn restart(child: Child, entry_point: usize) -> Result<(), Refused> {
    let mut context = UserContext::default();
    *context.pc_mut() = entry_point as u64;
    // One register, the first of the context: the instruction pointer.
    child.tcb().tcb_write_registers(true, 1, &mut context).map_err(|_| Refused)
}

/// Stops the child.
///
/// # Errors
/// [`Refused`] when there is no such child.
pub fn stop(child: Child) -> Result<(), Refused> {
    child.tcb().tcb_suspend().map_err(|_| Refused)
}

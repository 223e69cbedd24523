// SPDX-License-Identifier: BSD-2-Clause
//! Guests that try the virtual command register: 32-bit code that runs unpaged at [`BASE`].
//!
//! EAX says at the start which part is played, ECX which life it is. The guests are linked into their monitor as bytes:
//! every address in them is a distance from their first instruction plus [`BASE`].
#![no_std]

use core::arch::global_asm;

/// Where the guests expect to lie.
pub const BASE: usize = 0x1000;
/// Where their stack begins.
pub const STACK: u64 = 0x8000;

/// The part of a guest that behaves: counts its quota, then allocates and frees many times.
pub const CALM: u64 = 0;
/// The part of a guest that does not: frees what is not its own, hangs, and faults to death.
pub const ROGUE: u64 = 1;

global_asm!(include_str!("guest.s"), options(att_syntax));

unsafe extern "C" {
    static vmm_guest_start: u8;
    static vmm_guest_end: u8;
}

/// The guests' code.
#[must_use]
pub fn image() -> &'static [u8] {
    let (start, end) = (&raw const vmm_guest_start, &raw const vmm_guest_end);
    // SAFETY: both symbols are of guest.s, with nothing but its bytes between them, in a section that nothing writes.
    unsafe { core::slice::from_raw_parts(start, end.addr() - start.addr()) }
}

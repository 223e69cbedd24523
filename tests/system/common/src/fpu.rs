// SPDX-License-Identifier: BSD-2-Clause
//! x87 and SSE state that is loaded with a pattern and looked at later.
//!
//! Code for `x86_64-unknown-none` uses neither ([`UNTOUCHED`]), so what is loaded stays through whatever the domain
//! does until this module loads something else. For other targets there is [`hold`].

use core::arch::global_asm;

/// Whether compiled code leaves the registers alone.
pub const UNTOUCHED: bool = cfg!(not(target_feature = "sse"));

/// Bytes that FXSAVE takes.
const AREA: usize = 512;

/// An area as FXSAVE lays it out (Intel SDM volume 1, 10.5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
#[repr(C, align(16))]
struct Area([u8; AREA]);

unsafe extern "C" {
    fn system_test_fxsave(area: *mut Area);
    fn system_test_fxrstor(area: *const Area);
    fn system_test_fxhold(from: *const Area, to: *mut Area, spins: u64);
}

global_asm!(
    // A section of its own: in one object with other assembly it would be the one that stands before it.
    ".pushsection .text.system_test_fpu, \"ax\", @progbits",
    ".globl system_test_fxsave",
    "system_test_fxsave:",
    "fxsave64 [rdi]",
    "ret",
    ".globl system_test_fxrstor",
    "system_test_fxrstor:",
    "fxrstor64 [rdi]",
    "ret",
    ".globl system_test_fxhold",
    "system_test_fxhold:",
    "fxrstor64 [rdi]",
    "inc rdx",
    "2: dec rdx",
    "jnz 2b",
    "fxsave64 [rsi]",
    "ret",
    ".popsection",
);

/// Bytes 160 to 416 are XMM0 to XMM15; x87 registers are 16 bytes each from 32, the last six of them unused.
fn pattern(seed: u64) -> Area {
    let mut area = Area([0; AREA]);
    // The reset values of the control words; the tag word says that all eight x87 registers are in use.
    area.0[0..2].copy_from_slice(&0x037f_u16.to_le_bytes());
    area.0[4] = 0xff;
    area.0[24..28].copy_from_slice(&0x1f80_u32.to_le_bytes());
    for register in 0..8 {
        let at = 32 + 16 * register;
        // An 80-bit number: a significand with its integer bit, and an exponent.
        let significand = 1 << 63 | mix(seed, register as u64) >> 1;
        area.0[at..at + 8].copy_from_slice(&significand.to_le_bytes());
        area.0[at + 8..at + 10].copy_from_slice(&0x3fff_u16.to_le_bytes());
    }
    for (word, bytes) in (8..).zip(area.0[160..416].chunks_exact_mut(8)) {
        bytes.copy_from_slice(&mix(seed, word).to_le_bytes());
    }
    area
}

/// Spreads a seed over many words (splitmix64).
fn mix(seed: u64, word: u64) -> u64 {
    let mut z = seed.wrapping_add((word + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// Fills every x87 and SSE register with a pattern.
pub fn load(seed: u64) {
    let area = pattern(seed);
    // SAFETY: the area is 512 aligned bytes with reserved bits of MXCSR clear; the function is a C function, which
    // may change all these registers.
    unsafe { system_test_fxrstor(&raw const area) };
}

/// Whether every register still holds the pattern that was loaded.
#[must_use]
pub fn matches(seed: u64) -> bool {
    let mut area = Area([0; AREA]);
    // SAFETY: the area is 512 aligned bytes.
    unsafe { system_test_fxsave(&raw mut area) };
    area.same(&pattern(seed))
}

/// Loads the pattern, counts to `spins` and looks whether every register still holds it.
#[must_use]
pub fn hold(seed: u64, spins: u64) -> bool {
    let expected = pattern(seed);
    let mut area = Area([0; AREA]);
    // SAFETY: as in `load` and `matches`.
    unsafe { system_test_fxhold(&raw const expected, &raw mut area, spins) };
    area.same(&expected)
}

impl Area {
    /// Whether control words and registers are the same.
    fn same(&self, other: &Self) -> bool {
        [0..2, 24..28, 32..416].into_iter().all(|range| self.0[range.clone()] == other.0[range])
    }
}

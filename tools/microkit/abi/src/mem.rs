// SPDX-License-Identifier: BSD-2-Clause
//! The memory functions that compiled code calls.
//!
//! Built for `x86_64-unknown-none`, a domain has them from `compiler_builtins`; built for the host's target it
//! would look for them in the C library, which is not there.

use core::arch::asm;

/// Copies `n` bytes between areas that do not overlap.
///
/// # Safety
/// As C's `memcpy`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcpy(dest: *mut u8, src: *const u8, n: usize) -> *mut u8 {
    // SAFETY: the caller vouches for both areas; the direction flag is clear by the calling convention.
    unsafe {
        asm!("rep movsq", "mov ecx, {rest:e}", "rep movsb", rest = in(reg) n % 8, inout("rcx") n / 8 => _,
             inout("rdi") dest => _, inout("rsi") src => _, options(nostack, preserves_flags));
    }
    dest
}

/// Copies `n` bytes between areas that may overlap.
///
/// # Safety
/// As C's `memmove`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmove(dest: *mut u8, src: *const u8, n: usize) -> *mut u8 {
    if n == 0 || dest.addr().wrapping_sub(src.addr()) >= n {
        // SAFETY: copying upwards never overwrites a byte that is still to be read.
        return unsafe { memcpy(dest, src, n) };
    }
    // SAFETY: the caller vouches for both areas; copying downwards from the last byte never overwrites a byte that
    // is still to be read, and the direction flag is cleared again.
    unsafe {
        asm!("std", "rep movsb", "cld", inout("rcx") n => _, inout("rdi") dest.add(n - 1) => _,
             inout("rsi") src.add(n - 1) => _, options(nostack));
    }
    dest
}

/// Fills `n` bytes.
///
/// # Safety
/// As C's `memset`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memset(dest: *mut u8, byte: i32, n: usize) -> *mut u8 {
    // SAFETY: the caller vouches for the area; the direction flag is clear by the calling convention.
    unsafe {
        let word = u64::from(byte.to_le_bytes()[0]) * 0x0101_0101_0101_0101;
        asm!("rep stosq", "mov ecx, {rest:e}", "rep stosb", rest = in(reg) n % 8, inout("rcx") n / 8 => _,
             inout("rdi") dest => _, in("rax") word, options(nostack, preserves_flags));
    }
    dest
}

/// Compares `n` bytes.
///
/// # Safety
/// As C's `memcmp`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    let mut i = 0;
    while i < n {
        // SAFETY: the caller vouches for `n` bytes at both; volatile, so that the loop is not made a call of memcmp.
        let (x, y) = unsafe { (a.add(i).read_volatile(), b.add(i).read_volatile()) };
        if x != y {
            return i32::from(x) - i32::from(y);
        }
        i += 1;
    }
    0
}

/// Compares `n` bytes for equality.
///
/// # Safety
/// As `memcmp`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    // SAFETY: the same contract.
    unsafe { memcmp(a, b, n) }
}

/// The length of a string that ends with a zero byte.
///
/// # Safety
/// As C's `strlen`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strlen(string: *const u8) -> usize {
    let mut n = 0;
    // SAFETY: the caller vouches that the bytes up to a zero are there.
    while unsafe { string.add(n).read_volatile() } != 0 {
        n += 1;
    }
    n
}

// SPDX-License-Identifier: BSD-2-Clause
//! The processor's own clock.

use core::arch::x86_64::_rdtsc;

/// The time stamp counter. Under QEMU's `-icount shift=0` it counts instructions.
#[must_use]
pub fn ticks() -> u64 {
    // SAFETY: RDTSC changes nothing but its two result registers, and both platforms' kernels leave it to user code.
    unsafe { _rdtsc() }
}

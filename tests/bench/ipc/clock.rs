// SPDX-License-Identifier: BSD-2-Clause
//! A stopwatch on the time stamp counter. The one file of the domain with an instruction of the processor's own.

use core::arch::x86_64::_rdtsc;
use core::hint::black_box;

/// What something took, over the times that it was done.
#[derive(Clone, Copy)]
pub struct Stopwatch {
    least: u64,
    most: u64,
    total: u64,
    times: u64,
}

impl Default for Stopwatch {
    fn default() -> Self {
        Self { least: u64::MAX, most: 0, total: 0, times: 0 }
    }
}

impl Stopwatch {
    /// Does it, and takes the time without what taking the time takes.
    #[inline(always)]
    pub fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        // Opaque, so that what is made of one reading is not put off until after the next.
        let before = black_box(now());
        let empty = black_box(now()) - before;
        let start = black_box(now());
        let result = black_box(work());
        let ticks = (now() - start).saturating_sub(empty);
        self.least = self.least.min(ticks);
        self.most = self.most.max(ticks);
        self.total += ticks;
        self.times += 1;
        result
    }

    /// The quickest time, in ticks.
    pub fn least(&self) -> u64 {
        self.least
    }

    /// The slowest time, in ticks.
    pub fn most(&self) -> u64 {
        self.most
    }

    /// The mean, in ticks.
    pub fn mean(&self) -> u64 {
        self.total / self.times.max(1)
    }
}

fn now() -> u64 {
    // SAFETY: RDTSC changes nothing but its two result registers, and both platforms' kernels leave it to user code.
    unsafe { _rdtsc() }
}

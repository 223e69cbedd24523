// SPDX-License-Identifier: BSD-2-Clause
//! Numbers that look random and are the same in every run.

/// A xorshift generator.
#[derive(Clone, Copy, Debug)]
pub struct Noise(u64);

impl Noise {
    /// The one that every run begins with.
    pub const fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    /// A number below `bound`, which is a power of two.
    #[inline(always)]
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 20).unwrap_or(0) & (bound - 1)
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! What is measured: something that hands out numbers.

use std::hint::black_box;

/// As many ids as PASIDs: 2^20.
pub const IDS: u32 = 1 << 20;

/// Hands out numbers.
pub trait Subject: Sized {
    /// What it is called.
    const NAME: &'static str;
    /// Whether it can be told a range.
    const RANGES: bool = false;
    /// Whether it runs out.
    const ENDS: bool = true;
    /// Whether it can look something up by an id.
    const FINDS: bool = false;
    /// How many ids it has.
    const CAPACITY: u32 = IDS;
    /// What it calls an id.
    type Id: Copy;

    /// One with every id free.
    fn new() -> Self;

    /// An id, in [min, max] if it can be told a range.
    fn alloc(&mut self, min: u32, max: u32) -> Option<Self::Id>;

    /// Gives an id back.
    fn free(&mut self, id: Self::Id);

    /// What is kept for an id.
    fn find(&self, _id: Self::Id) -> u64 {
        0
    }

    /// The first `count` ids at once.
    fn fill(&mut self, count: u32) -> Vec<Self::Id> {
        (0..count).filter_map(|_| self.alloc(0, IDS - 1)).collect()
    }

    /// Memory for an id where there are 2^20, if that is known.
    fn bytes_per_id(&self) -> Option<f64> {
        None
    }
}

/// The loop around nothing.
#[derive(Debug)]
pub struct Nothing {
    full: bool,
}

impl Subject for Nothing {
    const NAME: &'static str = "nothing";
    const RANGES: bool = true;
    const FINDS: bool = true;
    type Id = u32;

    fn new() -> Self {
        Self { full: false }
    }

    #[inline(always)]
    fn alloc(&mut self, min: u32, _max: u32) -> Option<u32> {
        if self.full { None } else { Some(black_box(min)) }
    }

    #[inline(always)]
    fn free(&mut self, id: u32) {
        black_box(id);
    }

    #[inline(always)]
    fn find(&self, id: u32) -> u64 {
        u64::from(id)
    }

    fn fill(&mut self, count: u32) -> Vec<u32> {
        self.full = count == IDS;
        (0..count).collect()
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! The peers: what others use to hand out numbers. None of them knows an owner, a quota, a generation or a quarantine.

use super::subject::{IDS, Subject};
use bitmap_allocator::{BitAlloc, BitAlloc1M};
use slotmap::Key;

fn per_id(bytes: usize) -> Option<f64> {
    Some(bytes as f64 / f64::from(IDS))
}

/// A cascade of 16-bit words.
pub struct BitmapAllocator(Box<BitAlloc1M>);

impl Subject for BitmapAllocator {
    const NAME: &'static str = "bitmap-allocator";
    const RANGES: bool = true;
    type Id = usize;

    fn new() -> Self {
        let mut bits = Box::new(BitAlloc1M::DEFAULT);
        bits.insert(0..IDS as usize);
        Self(bits)
    }

    #[inline(always)]
    fn alloc(&mut self, min: u32, max: u32) -> Option<usize> {
        if min == 0 {
            return self.0.alloc().filter(|&id| id <= max as usize);
        }
        // What it offers for a range: the next free one, taken out by itself.
        let id = self.0.next(min as usize).filter(|&id| id <= max as usize)?;
        self.0.remove(id..id + 1);
        Some(id)
    }

    #[inline(always)]
    fn free(&mut self, id: usize) {
        self.0.dealloc(id);
    }

    fn bytes_per_id(&self) -> Option<f64> {
        per_id(size_of::<BitAlloc1M>())
    }
}

/// Bins of free spans.
pub struct OffsetAllocator(offset_allocator::Allocator);

impl Subject for OffsetAllocator {
    const NAME: &'static str = "offset-allocator";
    type Id = offset_allocator::Allocation;

    fn new() -> Self {
        Self(offset_allocator::Allocator::with_max_allocs(IDS, IDS + 2))
    }

    #[inline(always)]
    fn alloc(&mut self, _min: u32, _max: u32) -> Option<Self::Id> {
        self.0.allocate(1)
    }

    #[inline(always)]
    fn free(&mut self, id: Self::Id) {
        self.0.free(id);
    }
}

/// A counter and an ordered set of what came back.
pub struct VmAllocator(vm_allocator::IdAllocator);

impl Subject for VmAllocator {
    const NAME: &'static str = "vm-allocator";
    type Id = u32;

    fn new() -> Self {
        Self(vm_allocator::IdAllocator::new(0, IDS - 1).expect("a range"))
    }

    #[inline(always)]
    fn alloc(&mut self, _min: u32, _max: u32) -> Option<u32> {
        self.0.allocate_id().ok()
    }

    #[inline(always)]
    fn free(&mut self, id: u32) {
        let _ = self.0.free_id(id);
    }
}

/// A bitmap with a hint.
pub struct IdAlloc(id_alloc::IdAlloc);

impl Subject for IdAlloc {
    const NAME: &'static str = "id-alloc";
    type Id = usize;

    fn new() -> Self {
        Self(id_alloc::IdAlloc::with_capacity(IDS as usize))
    }

    #[inline(always)]
    fn alloc(&mut self, _min: u32, _max: u32) -> Option<usize> {
        self.0.alloc()
    }

    #[inline(always)]
    fn free(&mut self, id: usize) {
        self.0.free(id);
    }

    fn bytes_per_id(&self) -> Option<f64> {
        per_id(self.0.as_bytes().len())
    }
}

/// A plain bitmap, searched for its first zero.
pub struct Bitvec(bitvec::vec::BitVec<u64>);

impl Subject for Bitvec {
    const NAME: &'static str = "bitvec";
    const RANGES: bool = true;
    type Id = usize;

    fn new() -> Self {
        Self(bitvec::vec::BitVec::repeat(false, IDS as usize))
    }

    #[inline(always)]
    fn alloc(&mut self, min: u32, max: u32) -> Option<usize> {
        let id = min as usize + self.0[min as usize..=max as usize].first_zero()?;
        self.0.set(id, true);
        Some(id)
    }

    #[inline(always)]
    fn free(&mut self, id: usize) {
        self.0.set(id, false);
    }

    fn fill(&mut self, count: u32) -> Vec<usize> {
        self.0[..count as usize].fill(true);
        (0..count as usize).collect()
    }

    fn bytes_per_id(&self) -> Option<f64> {
        per_id(self.0.as_raw_slice().len() * 8)
    }
}

/// A compressed bitmap of what is free.
pub struct Roaring(roaring::RoaringBitmap);

impl Subject for Roaring {
    const NAME: &'static str = "roaring";
    const RANGES: bool = true;
    type Id = u32;

    fn new() -> Self {
        let mut free = roaring::RoaringBitmap::new();
        free.insert_range(0..IDS);
        Self(free)
    }

    #[inline(always)]
    fn alloc(&mut self, min: u32, max: u32) -> Option<u32> {
        let id = if min == 0 { self.0.min()? } else { self.0.range(min..=max).next()? };
        self.0.remove(id);
        Some(id).filter(|&id| id <= max)
    }

    #[inline(always)]
    fn free(&mut self, id: u32) {
        self.0.insert(id);
    }
}

/// A vector with a list of holes. It chooses the numbers, and never ends.
pub struct Slab(slab::Slab<u64>);

impl Subject for Slab {
    const NAME: &'static str = "slab";
    const ENDS: bool = false;
    const FINDS: bool = true;
    type Id = usize;

    fn new() -> Self {
        Self(slab::Slab::with_capacity(IDS as usize))
    }

    #[inline(always)]
    fn alloc(&mut self, _min: u32, _max: u32) -> Option<usize> {
        Some(self.0.insert(7))
    }

    #[inline(always)]
    fn free(&mut self, id: usize) {
        self.0.remove(id);
    }

    #[inline(always)]
    fn find(&self, id: usize) -> u64 {
        self.0.get(id).copied().unwrap_or(u64::MAX)
    }
}

/// The same with generations.
pub struct Slotmap(slotmap::SlotMap<slotmap::DefaultKey, u64>);

impl Subject for Slotmap {
    const NAME: &'static str = "slotmap";
    const ENDS: bool = false;
    const FINDS: bool = true;
    type Id = slotmap::DefaultKey;

    fn new() -> Self {
        Self(slotmap::SlotMap::with_capacity(IDS as usize))
    }

    #[inline(always)]
    fn alloc(&mut self, _min: u32, _max: u32) -> Option<Self::Id> {
        Some(self.0.insert(7)).filter(|key| !key.is_null())
    }

    #[inline(always)]
    fn free(&mut self, id: Self::Id) {
        self.0.remove(id);
    }

    #[inline(always)]
    fn find(&self, id: Self::Id) -> u64 {
        self.0.get(id).copied().unwrap_or(u64::MAX)
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! The find page: a client's own ids in memory that it can only read, so that a look-up takes no call.
//!
//! One writer, any number of readers, and nobody waits. An id has a place among the four of its bucket, one cache
//! line; an id that finds its bucket full is not in the page, and a look-up that misses asks the server. With the ids
//! of a client side by side, as the server hands them out, a page of 4 KiB holds 256.
//!
//! Layout, in words of 8 bytes: place n is the words 2n (key) and 2n + 1 (private data); bucket b, the places 4b…4b+3,
//! is that of the PASIDs which are b modulo the number of buckets, a power of two. A key is the handle's word, so a place
//! is of one life of an id and of the server; 0, which is no id's, is a free place.
//!
//! # Why a reader never sees another id's data
//! A place that is taken again has been free in between, and no key comes twice (but for a generation that wraps within
//! one look-up). The writer frees it, fences (release), writes the data, and then the key (release). A reader that read
//! data of a later key therefore has, behind its own fence (acquire), the place's freeing before its second look at the
//! key, and does not find the first one there any more. `tests/loom` tries every interleaving and reordering of this.

use crate::atomic::{AtomicU64, Ordering, fence};
use crate::{Field, Handle};

const WAYS: usize = 4;
const PLACE_WORDS: usize = 2;
const FREE: u64 = 0;

/// A place: its key and its data.
type Place = [AtomicU64; PLACE_WORDS];
type Bucket = [Place; WAYS];

/// The buckets of a page: a power of two, or none where the memory holds none.
#[derive(Clone, Copy, Debug)]
struct Buckets<'a> {
    all: &'a [Bucket],
    /// One less than there are: what is left of a PASID under it is its bucket.
    mask: usize,
}

impl<'a> Buckets<'a> {
    const NONE: Self = Self { all: &[], mask: 0 };

    fn new(memory: &'a [AtomicU64]) -> Self {
        let all = memory.as_chunks::<PLACE_WORDS>().0.as_chunks::<WAYS>().0;
        all.len()
            .checked_ilog2()
            .map_or(Self::NONE, |bits| Self { all: &all[..1 << bits], mask: (1 << bits) - 1 })
    }

    /// The place of a PASID that has this key.
    #[inline(always)]
    fn place(&self, pasid: u32, key: u64) -> Option<&'a Place> {
        let bucket = self.all.get(pasid as usize & self.mask)?;
        bucket.iter().find(|[there, _]| there.load(Ordering::Acquire) == key)
    }
}

/// The server's end of a find page.
#[derive(Debug)]
pub struct FindWriter<'a> {
    buckets: Buckets<'a>,
}

impl<'a> FindWriter<'a> {
    /// A page in `memory`, which only this writer changes; it is empty then.
    #[must_use]
    pub fn new(memory: &'a [AtomicU64]) -> Self {
        let mut page = Self { buckets: Buckets::new(memory) };
        page.clear();
        page
    }

    /// That of a client that has no page: nothing is ever in it.
    #[must_use]
    pub const fn nowhere() -> Self {
        Self { buckets: Buckets::NONE }
    }

    /// Takes every id out.
    pub fn clear(&mut self) {
        self.buckets.all.as_flattened().iter().for_each(|[key, _]| key.store(FREE, Ordering::Release));
    }

    /// Puts an id in, if its bucket has room.
    #[inline(always)]
    pub fn insert(&mut self, handle: Handle, data: u64) {
        if let Some([key, word]) = self.buckets.place(handle.pasid, FREE) {
            // A reader that sees the new data below also sees that the key before it was gone.
            fence(Ordering::Release);
            word.store(data, Ordering::Relaxed);
            key.store(handle.to_word(), Ordering::Release);
        }
    }

    /// Replaces an id's data.
    pub fn set_data(&mut self, handle: Handle, data: u64) {
        if let Some([_, word]) = self.buckets.place(handle.pasid, handle.to_word()) {
            word.store(data, Ordering::Release);
        }
    }

    /// Takes an id out: no look-up that begins after this finds it.
    #[inline(always)]
    pub fn remove(&mut self, handle: Handle) {
        if let Some([key, _]) = self.buckets.place(handle.pasid, handle.to_word()) {
            key.store(FREE, Ordering::Release);
        }
    }
}

/// A client's end of its find page.
#[derive(Clone, Copy, Debug)]
pub struct FindReader<'a> {
    buckets: Buckets<'a>,
}

impl<'a> FindReader<'a> {
    /// A reader of the page in `memory`.
    #[must_use]
    pub fn new(memory: &'a [AtomicU64]) -> Self {
        Self { buckets: Buckets::new(memory) }
    }

    /// The private data of a live id of this client's; `None` where it is not live, or not in the page.
    #[inline]
    #[must_use]
    pub fn find(&self, handle: Handle) -> Option<u64> {
        let wanted = handle.to_word();
        let [key, data] = self.buckets.place(handle.pasid, wanted)?;
        let value = data.load(Ordering::Relaxed);
        // The data was read before the key is read again.
        fence(Ordering::Acquire);
        (key.load(Ordering::Relaxed) == wanted && wanted != FREE).then_some(value)
    }
}

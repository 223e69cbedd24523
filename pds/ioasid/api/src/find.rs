// SPDX-License-Identifier: BSD-2-Clause
//! The find page: a client's own ids in memory that it can only read, so that a look-up takes no call.
//!
//! One writer, any number of readers, and nobody waits. An id has a place among the four of its bucket, one cache
//! line; an id that finds its bucket full is not in the page, and a look-up that misses asks the server. With the ids
//! of a client side by side, as the server hands them out, a page of 4 KiB holds 256.
//!
//! Layout, in words of 8 bytes: place n is the words 2n (key) and 2n + 1 (private data); bucket b, the places 4b…4b+3,
//! is that of the PASIDs which are b modulo the number of buckets, a power of two. A key is bit 63, the generation in
//! 35:20 and the PASID in 19:0; 0 is a free place.

use core::sync::atomic::{AtomicU64, Ordering, fence};

use crate::Handle;

const WAYS: usize = 4;
const PLACE_WORDS: usize = 2;
const PRESENT: u64 = 1 << 63;
const PASID: u64 = 0xf_ffff;

fn key(handle: Handle) -> u64 {
    PRESENT | u64::from(handle.generation) << 20 | u64::from(handle.pasid) & PASID
}

/// A place: its key and its data.
type Place = [AtomicU64; PLACE_WORDS];
type Bucket = [Place; WAYS];

/// The buckets of a page: a power of two, or none where the memory holds none.
fn buckets(memory: &[AtomicU64]) -> &[Bucket] {
    let buckets = memory.as_chunks::<PLACE_WORDS>().0.as_chunks::<WAYS>().0;
    let count = buckets.len().checked_ilog2().map_or(0, |bits| 1 << bits);
    &buckets[..count]
}

/// The places of a PASID.
#[inline]
fn places(buckets: &[Bucket], pasid: u32) -> &[Place] {
    let index = (pasid as usize) & buckets.len().wrapping_sub(1);
    buckets.get(index).map_or(&[], |bucket| bucket)
}

/// The server's end of a find page.
#[derive(Debug)]
pub struct FindWriter<'a> {
    buckets: &'a [Bucket],
}

impl<'a> FindWriter<'a> {
    /// A page in `memory`, which only this writer changes; it is empty then.
    #[must_use]
    pub fn new(memory: &'a [AtomicU64]) -> Self {
        memory.iter().for_each(|word| word.store(0, Ordering::Relaxed));
        Self { buckets: buckets(memory) }
    }

    /// Takes every id out.
    pub fn clear(&mut self) {
        self.buckets.as_flattened().iter().for_each(|[key, _]| key.store(0, Ordering::Release));
    }

    /// Puts an id in, if its bucket has room.
    pub fn insert(&mut self, handle: Handle, data: u64) {
        let free =
            places(self.buckets, handle.pasid).iter().find(|[key, _]| key.load(Ordering::Relaxed) == 0);
        if let Some([place, word]) = free {
            // A reader that sees the new data below also sees that the key before it was gone.
            fence(Ordering::Release);
            word.store(data, Ordering::Relaxed);
            place.store(key(handle), Ordering::Release);
        }
    }

    /// Replaces an id's data.
    pub fn set_data(&mut self, handle: Handle, data: u64) {
        if let Some([_, word]) = self.place(handle) {
            word.store(data, Ordering::Release);
        }
    }

    /// Takes an id out: no look-up that begins after this finds it.
    pub fn remove(&mut self, handle: Handle) {
        if let Some([key, _]) = self.place(handle) {
            key.store(0, Ordering::Release);
        }
    }

    fn place(&self, handle: Handle) -> Option<&'a Place> {
        places(self.buckets, handle.pasid)
            .iter()
            .find(|[word, _]| word.load(Ordering::Relaxed) == key(handle))
    }
}

/// A client's end of its find page.
#[derive(Clone, Copy, Debug)]
pub struct FindReader<'a> {
    buckets: &'a [Bucket],
}

impl<'a> FindReader<'a> {
    /// A reader of the page in `memory`.
    #[must_use]
    pub fn new(memory: &'a [AtomicU64]) -> Self {
        Self { buckets: buckets(memory) }
    }

    /// The private data of a live id of this client's; `None` where it is not live, or not in the page.
    #[inline]
    #[must_use]
    pub fn find(&self, handle: Handle) -> Option<u64> {
        let wanted = key(handle);
        for [word, data] in places(self.buckets, handle.pasid) {
            if word.load(Ordering::Acquire) == wanted {
                let value = data.load(Ordering::Relaxed);
                // The data was read before the key is read again.
                fence(Ordering::Acquire);
                return (word.load(Ordering::Relaxed) == wanted).then_some(value);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory<const WORDS: usize>() -> [AtomicU64; WORDS] {
        [const { AtomicU64::new(0) }; WORDS]
    }

    fn id(pasid: u32, generation: u16) -> Handle {
        Handle { pasid, generation, epoch: 1 }
    }

    #[test]
    fn an_id_is_found_while_it_lives() {
        let memory = memory::<512>();
        let (mut writer, reader) = (FindWriter::new(&memory), FindReader::new(&memory));
        writer.insert(id(5, 1), 50);
        assert_eq!(reader.find(id(5, 1)), Some(50));
        writer.set_data(id(5, 1), 51);
        assert_eq!(reader.find(id(5, 1)), Some(51));
        writer.remove(id(5, 1));
        assert_eq!(reader.find(id(5, 1)), None);
    }

    #[test]
    fn a_page_that_was_cleared_is_empty_and_takes_ids_again() {
        let memory = memory::<512>();
        let (mut writer, reader) = (FindWriter::new(&memory), FindReader::new(&memory));
        (1..=256).for_each(|pasid| writer.insert(id(pasid, 0), 1));
        writer.clear();
        assert!((1..=256).all(|pasid| reader.find(id(pasid, 0)).is_none()));
        writer.insert(id(5, 1), 2);
        assert_eq!(reader.find(id(5, 1)), Some(2));
    }

    #[test]
    fn s66_a_stale_generation_is_not_found() {
        let memory = memory::<512>();
        let (mut writer, reader) = (FindWriter::new(&memory), FindReader::new(&memory));
        writer.insert(id(5, 2), 50);
        assert_eq!(reader.find(id(5, 1)), None);
        assert_eq!(reader.find(id(6, 2)), None);
    }

    #[test]
    fn a_page_of_4_kib_holds_256_ids_side_by_side() {
        let memory = memory::<512>();
        let (mut writer, reader) = (FindWriter::new(&memory), FindReader::new(&memory));
        (1000..1256).for_each(|pasid| writer.insert(id(pasid, 0), u64::from(pasid)));
        assert!((1000..1256).all(|pasid| reader.find(id(pasid, 0)) == Some(u64::from(pasid))));
    }

    #[test]
    fn an_id_without_room_is_not_in_the_page_and_disturbs_nobody() {
        let memory = memory::<8>();
        let (mut writer, reader) = (FindWriter::new(&memory), FindReader::new(&memory));
        (1..=5).for_each(|pasid| writer.insert(id(pasid, 0), u64::from(pasid)));
        assert_eq!(reader.find(id(4, 0)), Some(4));
        assert_eq!(reader.find(id(5, 0)), None);
        writer.remove(id(5, 0));
        writer.set_data(id(5, 0), 9);
        writer.remove(id(1, 0));
        writer.insert(id(6, 0), 6);
        assert_eq!(reader.find(id(6, 0)), Some(6));
    }

    #[test]
    fn s62_memory_too_small_for_a_bucket_is_an_empty_page() {
        let memory = memory::<7>();
        FindWriter::new(&memory).insert(id(1, 0), 1);
        assert_eq!(FindReader::new(&memory).find(id(1, 0)), None);
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! A registry to try statements on: its memory, a few sets, and words for what the statements speak of.
//!
//! The statements are in docs/semantics.md; `tests/` has one test of each number.

use ioasid_core::{
    Allocation, Config, Error, Handle, Memory, Pasid, PasidRange, Registry, SetConfig, SetId, Slot,
};

/// Memory for a registry, on the heap.
#[derive(Debug)]
pub struct Room {
    slots: Vec<Slot>,
    words: Vec<u64>,
}

impl Room {
    /// Room for this many slots: a multiple of 64.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        Self { slots: vec![Slot::FREE; slots], words: vec![0; Memory::words_for(slots)] }
    }

    /// The memory, for a registry.
    pub fn memory(&mut self) -> Memory<'_> {
        Memory { slots: &mut self.slots, words: &mut self.words }
    }

    /// A registry in it with the ids 1…`max`.
    ///
    /// # Panics
    /// Where the room is none that a registry can live in.
    pub fn registry(&mut self, max: u32) -> Registry<'_> {
        Registry::new(self.memory(), Config { max_pasid: pasid(max) }).expect("the room fits a registry")
    }
}

/// The PASID of a number.
///
/// # Panics
/// Where the number is none.
#[must_use]
pub fn pasid(number: u32) -> Pasid {
    Pasid::new(number).expect("a PASID has 20 bits")
}

/// An id of a set's in [min, max].
///
/// # Errors
/// What the registry refuses with.
///
/// # Panics
/// Where the allocation is not completed at once.
pub fn alloc(registry: &mut Registry<'_>, set: SetId, min: u32, max: u32) -> Result<Handle, Error> {
    match registry.alloc(set, PasidRange::new(min, max)?, 0)? {
        Allocation::Ready(handle) => Ok(handle),
    }
}

/// Frees an id and confirms its teardown.
///
/// # Errors
/// What the registry refuses with.
pub fn free_and_reclaim(registry: &mut Registry<'_>, set: SetId, handle: Handle) -> Result<(), Error> {
    registry.free(set, handle)?;
    registry.reclaim(handle)
}

/// A share with nothing guaranteed.
#[must_use]
pub fn up_to(limit: u32) -> SetConfig {
    SetConfig { reservation: 0, limit }
}

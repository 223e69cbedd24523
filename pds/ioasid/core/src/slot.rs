// SPDX-License-Identifier: BSD-2-Clause
//! What is kept of one id: 16 bytes, the private data and one word that says everything else.
//!
//! The word holds, from bit 0: generation (16), owner (16), life (8: [`State`] and the allocator's tag), how many
//! ids of its block belong to the set that this slot counts for (8), references (16). So one comparison of the
//! low 40 bits tells whether a handle is good: an id that is stale, foreign, being torn down or orphaned misses it
//! alike, and only then does anybody ask why.
//!
//! The count has nothing to do with the slot's own id. Slot n of each block counts, for the set with index n, the
//! ids of that block that the set holds. It costs no memory, and lets a set find its ids without looking at
//! anybody else's blocks.

use crate::{Generation, Handle, Pasid, SetId};

/// Where an id stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum State {
    /// It can be handed out.
    Free = 0,
    /// It is live.
    Allocated = 1,
    /// It was freed and others still hold references: not found any more, and not torn down yet.
    Pending = 2,
    /// It was freed and is announced: those who use it are given time to stop.
    Stopping = 3,
    /// Its teardown is under way.
    Teardown = 4,
    /// Its teardown could not be confirmed. It stays here until somebody who knows better reclaims it.
    Quarantined = 5,
    /// Its allocator went away while it was live.
    Orphaned = 6,
}

impl State {
    const ALL: [Self; 7] = [
        Self::Free,
        Self::Allocated,
        Self::Pending,
        Self::Stopping,
        Self::Teardown,
        Self::Quarantined,
        Self::Orphaned,
    ];
}

/// The life of an id: its state, and which group of allocators it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life(u8);

impl Life {
    pub(crate) const fn new(state: State, tag: u8) -> Self {
        Self(state as u8 | tag << 3)
    }

    pub(crate) fn state(self) -> State {
        State::ALL[(self.0 & 7) as usize % State::ALL.len()]
    }

    pub(crate) const fn tag(self) -> u8 {
        self.0 >> 3
    }
}

/// One id's record. The registry is given a slice of them; what was in it before does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Slot {
    pub(crate) data: u64,
    word: u64,
}

const GENERATION: u64 = 0xffff;
const OWNER_SHIFT: u32 = 16;
const LIFE_SHIFT: u32 = 32;
const LIFE: u64 = 0xff << LIFE_SHIFT;
const IDENTITY_BITS: u32 = 40;
const COUNT_SHIFT: u32 = 40;
const COUNT: u64 = 0xff << COUNT_SHIFT;
const REFERENCE: u64 = 1 << 48;

/// What a slot's low 40 bits are while a handle is good.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity(u64);

impl Identity {
    #[inline]
    pub(crate) fn new(set: SetId, generation: Generation, life: Life) -> Self {
        Self(
            u64::from(generation.raw())
                | u64::from(set.raw()) << OWNER_SHIFT
                | u64::from(life.0) << LIFE_SHIFT,
        )
    }
}

impl Slot {
    /// An id that was never handed out. All bits are zero.
    pub const FREE: Self = Self { data: 0, word: 0 };

    #[inline]
    pub(crate) fn is(&self, identity: Identity) -> bool {
        (self.word ^ identity.0) << (64 - IDENTITY_BITS) == 0
    }

    #[inline]
    pub(crate) fn generation(&self) -> Generation {
        Generation::from_raw((self.word & GENERATION) as u16)
    }

    #[inline]
    pub(crate) fn handle(&self, pasid: Pasid) -> Handle {
        Handle { pasid, generation: self.generation() }
    }

    #[inline]
    pub(crate) fn owner(&self) -> SetId {
        SetId::from_raw((self.word >> OWNER_SHIFT & 0xffff) as u16)
    }

    #[inline]
    pub(crate) fn life(&self) -> Life {
        Life((self.word >> LIFE_SHIFT & 0xff) as u8)
    }

    pub(crate) fn references(&self) -> u16 {
        (self.word / REFERENCE) as u16
    }

    pub(crate) fn count(&self) -> u8 {
        (self.word >> COUNT_SHIFT & 0xff) as u8
    }

    /// Free → allocated, with one reference.
    #[inline]
    pub(crate) fn occupy(&mut self, set: SetId, life: Life, data: u64) {
        self.data = data;
        self.word |= Identity::new(set, Generation::default(), life).0 | REFERENCE;
    }

    /// → free, in the next generation.
    #[inline]
    pub(crate) fn vacate(&mut self) {
        self.data = 0;
        self.word = (self.word & COUNT) | ((self.word + 1) & GENERATION);
    }

    #[inline]
    pub(crate) fn set_state(&mut self, state: State) {
        let tag = self.life().tag();
        self.word = (self.word & !LIFE) | u64::from(Life::new(state, tag).0) << LIFE_SHIFT;
    }

    pub(crate) fn disown(&mut self) {
        self.word &= !(0xffff << OWNER_SHIFT);
    }

    /// Takes a reference, unless all that can be counted are taken.
    pub(crate) fn get(&mut self) -> bool {
        match self.word.checked_add(REFERENCE) {
            Some(word) => self.word = word,
            None => return false,
        }
        true
    }

    /// Drops a reference and says how many are left.
    #[inline]
    pub(crate) fn put(&mut self) -> u16 {
        self.word = self.word.saturating_sub(REFERENCE);
        self.references()
    }

    pub(crate) fn drop_references(&mut self) {
        self.word &= REFERENCE - 1;
    }

    /// Counts one more id for the set of this slot, and says how many there were.
    #[inline]
    pub(crate) fn count_up(&mut self) -> u8 {
        let before = self.count();
        self.word += 1 << COUNT_SHIFT;
        before
    }

    /// Counts one id less, and says how many are left.
    #[inline]
    pub(crate) fn count_down(&mut self) -> u8 {
        self.word -= 1 << COUNT_SHIFT;
        self.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_has_sixteen_bytes_and_zero_is_free() {
        assert_eq!(size_of::<Slot>(), 16);
        assert_eq!(Slot::FREE.life(), Life::new(State::Free, 0));
        assert_eq!(Slot::FREE.life().state(), State::Free);
    }

    #[test]
    fn the_fields_do_not_touch_each_other() {
        let set = SetId::from_raw(0xffff);
        let mut slot = Slot::FREE;
        assert_eq!(slot.count_up(), 0);
        assert_eq!(slot.count_up(), 1);
        slot.occupy(set, Life::new(State::Allocated, 31), u64::MAX);
        assert!(slot.get());
        assert_eq!((slot.references(), slot.count(), slot.owner()), (2, 2, set));
        assert_eq!(slot.generation(), Generation::from_raw(0));
        assert_eq!(slot.put(), 1);
        slot.set_state(State::Teardown);
        assert_eq!((slot.life().state(), slot.life().tag()), (State::Teardown, 31));
        assert_eq!(slot.count_down(), 1);
        slot.vacate();
        assert_eq!((slot.life(), slot.references(), slot.count(), slot.data), (Slot::FREE.life(), 0, 1, 0));
        assert_eq!(slot.generation(), Generation::from_raw(1));
        assert_eq!(slot.owner(), SetId::from_raw(0));
    }

    #[test]
    fn a_generation_wraps_without_touching_the_count() {
        let mut slot = Slot::FREE;
        slot.count_up();
        (0..0x1_0000).for_each(|_| slot.vacate());
        assert_eq!((slot.generation(), slot.count()), (Generation::from_raw(0), 1));
    }

    #[test]
    fn references_refuse_at_their_top() {
        let mut slot = Slot::FREE;
        slot.occupy(SetId::from_raw(1), Life::new(State::Allocated, 0), 0);
        assert_eq!((0..0xffff).filter(|_| slot.get()).count(), 0xfffe);
        assert_eq!(slot.references(), 0xffff);
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! What is kept of one id, in 16 bytes.
//!
//! A handle is good where the slot's identity (generation and owner) and life (state and the allocator's tag) are
//! what they are while it is live. An id that is stale, foreign, being torn down or orphaned misses these two
//! comparisons alike, and only then does anybody ask why.
//!
//! The count has nothing to do with the slot's own id. Slot n of each block of 64 counts, for the set with index n, the
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Life(u8);

impl Life {
    pub(crate) const FREE: Self = Self(0);

    pub(crate) const fn new(state: State, tag: u8) -> Self {
        Self(state as u8 | tag << 3)
    }

    pub(crate) fn state(self) -> State {
        State::ALL[(self.0 & 7) as usize % State::ALL.len()]
    }

    pub(crate) const fn tag(self) -> u8 {
        self.0 >> 3
    }

    pub(crate) const fn with(self, state: State) -> Self {
        Self::new(state, self.tag())
    }
}

/// A generation and an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity(u32);

impl Identity {
    #[inline(always)]
    pub(crate) const fn new(set: SetId, generation: Generation) -> Self {
        Self((set.raw() as u32) << 16 | generation.raw() as u32)
    }

    pub(crate) const fn generation(self) -> Generation {
        Generation::from_raw((self.0 & 0xffff) as u16)
    }

    pub(crate) const fn owner(self) -> SetId {
        SetId::from_raw((self.0 >> 16) as u16)
    }

    /// The next generation, and nobody's.
    const fn next(self) -> Self {
        Self((self.0 + 1) & 0xffff)
    }
}

/// One id's record. The registry is given a slice of them; what was in it before does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Slot {
    pub(crate) data: u64,
    pub(crate) identity: Identity,
    pub(crate) life: Life,
    count: u8,
    pub(crate) references: u16,
}

impl Slot {
    /// An id that was never handed out. All bits are zero.
    pub const FREE: Self = Self { data: 0, identity: Identity(0), life: Life::FREE, count: 0, references: 0 };

    #[inline(always)]
    pub(crate) fn handle(&self, pasid: Pasid) -> Handle {
        Handle { pasid, generation: self.identity.generation() }
    }

    #[inline(always)]
    pub(crate) fn owner(&self) -> SetId {
        self.identity.owner()
    }

    pub(crate) fn state(&self) -> State {
        self.life.state()
    }

    pub(crate) fn count(&self) -> u8 {
        self.count
    }

    /// Free → allocated, with one reference. A free slot is nobody's.
    #[inline(always)]
    pub(crate) fn occupy(&mut self, set: SetId, life: Life, data: u64) {
        self.data = data;
        self.identity.0 |= Identity::new(set, Generation::from_raw(0)).0;
        self.life = life;
        self.references = 1;
    }

    /// → free, in the next generation.
    #[inline(always)]
    pub(crate) fn vacate(&mut self) {
        self.identity = self.identity.next();
        self.life = Life::FREE;
    }

    pub(crate) fn set_state(&mut self, state: State) {
        self.life = self.life.with(state);
    }

    pub(crate) fn disown(&mut self) {
        self.identity = Identity::new(SetId::NONE, self.identity.generation());
    }

    /// Takes a reference, unless all that can be counted are taken.
    pub(crate) fn get(&mut self) -> bool {
        match self.references.checked_add(1) {
            Some(references) => self.references = references,
            None => return false,
        }
        true
    }

    /// Counts one more id for the set of this slot, and says whether it is the first.
    #[inline(always)]
    pub(crate) fn count_up(&mut self) -> bool {
        self.count += 1;
        self.count == 1
    }

    /// Counts one id less, and says whether it was the last.
    #[inline(always)]
    pub(crate) fn count_down(&mut self) -> bool {
        self.count -= 1;
        self.count == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_has_sixteen_bytes_and_zero_is_free() {
        assert_eq!(size_of::<Slot>(), 16);
        assert_eq!((Slot::FREE.life, Slot::FREE.state()), (Life::new(State::Free, 0), State::Free));
    }

    #[test]
    fn a_life_keeps_state_and_tag_apart() {
        for state in State::ALL {
            for tag in 0..32 {
                let life = Life::new(state, tag);
                assert_eq!((life.state(), life.tag()), (state, tag));
                assert_eq!(life.with(State::Teardown), Life::new(State::Teardown, tag));
            }
        }
    }

    #[test]
    fn the_next_generation_is_nobodys_and_keeps_the_count() {
        let mut slot = Slot::FREE;
        assert!(slot.count_up());
        assert!(!slot.count_up());
        slot.occupy(SetId::from_raw(0xffff), Life::new(State::Allocated, 31), u64::MAX);
        assert_eq!((slot.owner(), slot.references, slot.count()), (SetId::from_raw(0xffff), 1, 2));
        slot.vacate();
        assert_eq!((slot.owner(), slot.life, slot.count()), (SetId::NONE, Life::FREE, 2));
        assert_eq!(slot.identity.generation(), Generation::from_raw(1));
        assert!(!slot.count_down());
        assert!(slot.count_down());
    }

    #[test]
    fn a_generation_wraps() {
        let mut slot = Slot::FREE;
        (0..0xffff).for_each(|_| slot.vacate());
        assert_eq!(slot.identity.generation(), Generation::from_raw(0xffff));
        slot.vacate();
        assert_eq!((slot.identity.generation(), slot.owner()), (Generation::from_raw(0), SetId::NONE));
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! What is kept of one id, in 16 bytes.
//!
//! A handle is good where the slot's generation, owner and life (state and the allocator's tag) are what they are while
//! the id is live. An id that is stale, foreign, being torn down or orphaned misses these comparisons alike, and only
//! then does anybody ask why.
//!
//! The count has nothing to do with the slot's own id. Slot n of each block of 64 counts, for the set with index n, the
//! ids of that block that the set holds. It costs no memory, and lets a set find its ids without looking at
//! anybody else's blocks.

use crate::capacity::BLOCK;
use crate::{Generation, Handle, Pasid, SetId};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub(crate) struct Life(u8);

impl Life {
    pub(crate) const FREE: Self = Self(0);
    /// That of no id.
    pub(crate) const NONE: Self = Self(0xff);
    /// That of a live id of the default allocator's.
    pub(crate) const LIVE: Self = Self::new(State::Allocated, 0);
    /// That of an id of the default allocator's which is being torn down.
    pub(crate) const TEARDOWN: Self = Self::new(State::Teardown, 0);

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

/// What a slot says while a handle is good.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    owner: SetId,
    generation: Generation,
    life: Life,
}

impl Identity {
    #[inline(always)]
    pub(crate) const fn new(owner: SetId, generation: Generation, life: Life) -> Self {
        Self { owner, generation, life }
    }
}

/// The slots of a block.
pub(crate) type Block = [Slot; BLOCK];

/// The most references that can be held.
const MOST_REFERENCES: u16 = u16::MAX;

/// One id's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Slot {
    pub(crate) data: u64,
    generation: u16,
    owner: u16,
    life: Life,
    /// One less than it counts: the first brings it to zero, and the last below.
    count: u8,
    /// References beside the first.
    more: u16,
}

const fn name(owner: u16, generation: u16) -> u32 {
    (owner as u32) << 16 | generation as u32
}

impl Slot {
    /// An id that was never handed out.
    pub(crate) const FREE: Self =
        Self { data: 0, generation: 0, owner: 0, life: Life::FREE, count: 0xff, more: 0 };

    /// Whether it is this, however many references are held.
    #[inline(always)]
    pub(crate) fn is(&self, identity: Identity) -> bool {
        // Both at once where they are put together ahead of many look-ups.
        name(self.owner, self.generation) == name(identity.owner.raw(), identity.generation.raw())
            && self.life == identity.life
    }

    /// Whether it is this, with one reference.
    #[inline(always)]
    pub(crate) fn is_last(&self, identity: Identity) -> bool {
        // One after the other takes less than to put them together.
        self.generation() == identity.generation
            && self.owner() == identity.owner
            && self.life == identity.life
            && self.more == 0
    }

    /// Whether it is an id of the default allocator's, of this generation, that is being torn down.
    #[inline(always)]
    pub(crate) fn is_torn_down(&self, generation: Generation) -> bool {
        self.life == Life::TEARDOWN && self.generation() == generation
    }

    #[inline(always)]
    pub(crate) fn generation(&self) -> Generation {
        Generation::from_raw(self.generation)
    }

    #[inline(always)]
    pub(crate) fn owner(&self) -> SetId {
        SetId::from_raw(self.owner)
    }

    #[inline(always)]
    pub(crate) fn life(&self) -> Life {
        self.life
    }

    /// How many references are held: none once the id is given up.
    pub(crate) fn references(&self) -> u16 {
        match self.state() {
            State::Allocated | State::Pending => self.more + 1,
            _ => self.more,
        }
    }

    pub(crate) fn count(&self) -> u8 {
        self.count.wrapping_add(1)
    }

    #[inline(always)]
    pub(crate) fn handle(&self, pasid: Pasid) -> Handle {
        Handle { pasid, generation: self.generation() }
    }

    pub(crate) fn state(&self) -> State {
        self.life.state()
    }

    /// Free → allocated, with one reference.
    #[inline(always)]
    pub(crate) fn occupy(&mut self, set: SetId, life: Life, data: u64) {
        self.data = data;
        self.owner = set.raw();
        self.life = life;
    }

    /// → free, in another generation, for an id that is given up or has one reference.
    #[inline(always)]
    pub(crate) fn vacate(&mut self, generation: Generation) {
        self.generation = generation.raw();
        self.owner = 0;
        self.life = Life::FREE;
    }

    /// → being torn down, for an id of the default allocator's with one reference.
    #[inline(always)]
    pub(crate) fn tear_down(&mut self) {
        self.life = Life::TEARDOWN;
    }

    pub(crate) fn set_state(&mut self, state: State) {
        self.life = self.life.with(state);
    }

    pub(crate) fn disown(&mut self) {
        self.owner = 0;
    }

    /// Takes a reference, unless all that can be counted are taken.
    pub(crate) fn get(&mut self) -> bool {
        let room = self.more < MOST_REFERENCES - 1;
        self.more += u16::from(room);
        room
    }

    /// Drops a reference and says whether there was one beside it.
    pub(crate) fn put(&mut self) -> bool {
        let others = self.more > 0;
        self.more -= u16::from(others);
        others
    }

    /// Leaves one reference, if the id is held at all.
    pub(crate) fn drop_references(&mut self) {
        self.more = 0;
    }

    /// Counts one more id for the set of this slot, and says whether it is the first.
    #[inline(always)]
    pub(crate) fn count_up(&mut self) -> bool {
        self.count = self.count.wrapping_add(1);
        self.count == 0
    }

    /// Counts one id less, and says whether it was the last.
    #[inline(always)]
    pub(crate) fn count_down(&mut self) -> bool {
        self.count = self.count.wrapping_sub(1);
        self.count == 0xff
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_has_sixteen_bytes_and_nobody_has_it() {
        assert_eq!(size_of::<Slot>(), 16);
        assert_eq!((Slot::FREE.state(), Slot::FREE.owner()), (State::Free, SetId::NONE));
        assert_eq!((Slot::FREE.references(), Slot::FREE.count()), (0, 0));
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
    fn the_fields_do_not_touch_each_other() {
        let set = SetId::from_raw(0xffff);
        let live = Life::new(State::Allocated, 31);
        let mut slot = Slot::FREE;
        assert!(slot.count_up());
        assert!(!slot.count_up());
        slot.occupy(set, live, u64::MAX);
        assert_eq!((slot.owner(), slot.life(), slot.references(), slot.count()), (set, live, 1, 2));
        assert!(slot.get());
        slot.set_state(State::Pending);
        assert_eq!((slot.references(), slot.count(), slot.life().tag()), (2, 2, 31));
        assert!(slot.put() && !slot.put());
        assert!(slot.get());
        slot.set_state(State::Quarantined);
        slot.drop_references();
        slot.disown();
        assert_eq!(
            (slot.owner(), slot.life(), slot.references()),
            (SetId::NONE, live.with(State::Quarantined), 0)
        );
        slot.vacate(Generation::from_raw(1));
        assert_eq!((slot.owner(), slot.life(), slot.count()), (SetId::NONE, Life::FREE, 2));
        assert_eq!(slot.generation(), Generation::from_raw(1));
        assert!(!slot.count_down());
        assert!(slot.count_down());
    }

    #[test]
    fn a_handle_is_good_for_one_generation_owner_and_life() {
        let (set, live) = (SetId::from_raw(0x1234), Life::new(State::Allocated, 3));
        let generation = Generation::from_raw;
        let mut slot = Slot::FREE;
        slot.vacate(generation(1));
        slot.occupy(set, live, 0);
        let good = Identity::new(set, generation(1), live);
        assert!(slot.is(good) && slot.is_last(good));
        assert!(slot.get() && slot.is(good) && !slot.is_last(good));
        assert!(!slot.is(Identity::new(set, generation(0), live)));
        assert!(!slot.is(Identity::new(SetId::from_raw(0x1235), generation(1), live)));
        assert!(!slot.is(Identity::new(set, generation(1), live.with(State::Pending))));
        assert!(!slot.is(Identity::new(set, generation(1), Life::new(State::Allocated, 2))));
    }

    #[test]
    fn a_count_next_to_it_is_no_concern_of_an_id() {
        let (set, live) = (SetId::from_raw(1), Life::new(State::Allocated, 0));
        let mut slot = Slot::FREE;
        slot.occupy(set, live, 0);
        slot.count_up();
        let good = Identity::new(set, Generation::from_raw(0), live);
        assert!(slot.is(good) && slot.is_last(good));
        slot.tear_down();
        assert!(slot.is_torn_down(Generation::from_raw(0)) && !slot.is_torn_down(Generation::from_raw(1)));
        assert_eq!((slot.references(), slot.count(), slot.owner()), (0, 1, set));
    }

    #[test]
    fn references_refuse_at_their_top() {
        let mut slot = Slot::FREE;
        slot.occupy(SetId::from_raw(1), Life::new(State::Allocated, 0), 0);
        assert_eq!((0..0xffff).filter(|_| slot.get()).count(), 0xfffe);
        assert_eq!((slot.references(), slot.count()), (0xffff, 0));
    }
}

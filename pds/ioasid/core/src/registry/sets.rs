// SPDX-License-Identifier: BSD-2-Clause
//! Sets: made, adjusted, walked, and taken apart in slices.

use super::{Drain, Freed, Inspection, Progress, Registry};
use crate::allocator::Provider;
use crate::capacity::BLOCK;
use crate::event::Events;
use crate::set::{Phase, Set};
use crate::{Error, Handle, Pasid, SetConfig, SetId, SetStats, State};

/// How many blocks a slice of a set's end looks at for each handle that it may fill, so that a slice is bounded even
/// where all ids that it meets are on their way out already.
const BLOCKS_PER_HANDLE: usize = 2;

/// How many slots, for the same reason.
pub(super) const VISITS_PER_HANDLE: usize = BLOCKS_PER_HANDLE * BLOCK;

impl<P: Provider, E: Events> Registry<'_, P, E> {
    /// Makes a set. Privileged.
    ///
    /// # Errors
    /// [`Error::InvalidRange`] where the limit is below the reservation; [`Error::NoSpace`] where the
    /// reservation is more than nobody has been guaranteed or uses; [`Error::RegistryFull`].
    pub fn create_set(&mut self, share: SetConfig) -> Result<SetId, Error> {
        let (index, vacant) =
            (0..).zip(&self.sets).find(|(_, set)| set.phase == Phase::Vacant).ok_or(Error::RegistryFull)?;
        let id = vacant.id.successor(index);
        self.commit(id.index(), share)?;
        self.sets[id.index()] = Set { id, phase: Phase::Open, share, ..Set::VACANT };
        self.index[id.index()].spids.fill(0);
        self.settle();
        Ok(id)
    }

    /// Gives a set another share. Privileged.
    ///
    /// # Errors
    /// [`Error::InUse`] where the limit is below what the set uses; otherwise as
    /// [`create_set`](Self::create_set).
    pub fn adjust_set(&mut self, set: SetId, share: SetConfig) -> Result<(), Error> {
        if share.limit < self.open_set(set)?.used {
            return Err(Error::InUse);
        }
        self.commit(set.index(), share)
    }

    pub(super) fn open_set(&self, set: SetId) -> Result<&Set, Error> {
        let record = &self.sets[set.index()];
        if record.id == set && record.phase == Phase::Open { Ok(record) } else { Err(Error::NoSuchSet) }
    }

    /// What a set may have and uses. A client is told its own.
    ///
    /// # Errors
    /// [`Error::NoSuchSet`].
    pub fn stats(&self, set: SetId) -> Result<SetStats, Error> {
        let record = &self.sets[set.index()];
        if record.id == set && record.phase != Phase::Vacant {
            Ok(record.stats())
        } else {
            Err(Error::NoSuchSet)
        }
    }

    /// The sets that there are. Privileged.
    pub fn sets(&self) -> impl Iterator<Item = SetId> {
        self.sets.iter().filter(|set| set.phase != Phase::Vacant).map(|set| set.id)
    }

    /// The first id that is charged to a set, whatever its state, from a number on; none where the set is gone. All of a
    /// set's are walked in O(its ids).
    #[must_use]
    pub fn next_id(&self, set: SetId, from: Pasid) -> Option<Inspection> {
        self.stats(set).ok()?;
        self.next_owned(set, from).and_then(|pasid| self.inspect(pasid))
    }

    /// The first id that is charged to a set, from a number on.
    pub(super) fn next_owned(&self, set: SetId, from: Pasid) -> Option<Pasid> {
        let mut at = from;
        loop {
            let number = self.index[set.index()].blocks.first_from(at.block())?;
            let start = if number == at.block() { at.place() } else { 0 };
            let block = self.space.block(number)?;
            if let Some(found) = block.iter().skip(start).position(|slot| slot.owner() == set) {
                let place = u32::try_from(start + found).ok()?;
                return Pasid::new(number << 6 | place);
            }
            at = Pasid::new((number + 1) << 6)?;
        }
    }

    /// Begins the end of a set: its guarantee goes back at once, and it is given no more ids. Its ids are
    /// collected with [`drain_set`](Self::drain_set). Privileged, and what becomes of a set whose client is gone.
    ///
    /// # Errors
    /// [`Error::NoSuchSet`].
    pub fn free_set(&mut self, set: SetId) -> Result<(), Error> {
        self.open_set(set)?;
        self.cancel(set);
        let record = &mut self.sets[set.index()];
        self.totals.spare += record.committed() - record.granted;
        record.phase = Phase::Draining;
        record.quick.max = Pasid::RESERVED;
        record.cursor = 0;
        record.share = SetConfig::default();
        Ok(())
    }

    /// A slice of a set's end: fills `out` with ids that are to be torn down now, and then reclaimed or quarantined.
    /// References do not matter any more; ids that somebody has to let go of come out of [`poll`](Self::poll). Its
    /// work is bounded by the length of `out`; call it until it says [`Progress::Gone`].
    ///
    /// # Errors
    /// [`Error::NoSuchSet`] where the set is not being freed, or is gone.
    pub fn drain_set(&mut self, set: SetId, out: &mut [Handle]) -> Result<Drain, Error> {
        let record = &self.sets[set.index()];
        if record.id != set || record.phase != Phase::Draining {
            return Err(Error::NoSuchSet);
        }
        let mut filled = 0;
        let mut at = Pasid::new(record.cursor).and_then(|from| self.next_owned(set, from));
        for _ in 0..BLOCKS_PER_HANDLE * out.len().max(1) {
            let Some(first) = at.filter(|_| filled < out.len()) else { break };
            let rest = self.drain_block(set, first, out, &mut filled);
            at = rest.and_then(|from| self.next_owned(set, from));
        }
        let record = &mut self.sets[set.index()];
        record.cursor = at.map_or(u32::MAX, Pasid::get);
        if record.used == 0 {
            record.phase = Phase::Vacant;
            self.totals.spare += core::mem::take(&mut record.granted);
            self.say_goodbye(set);
            return Ok(Drain { filled, progress: Progress::Gone });
        }
        let progress = if at.is_some() { Progress::More } else { Progress::Waiting };
        Ok(Drain { filled, progress })
    }

    /// The same for what a set has in one block from an id on, where `filled` of `out` are. Says from where to go on.
    fn drain_block(
        &mut self,
        set: SetId,
        first: Pasid,
        out: &mut [Handle],
        filled: &mut usize,
    ) -> Option<Pasid> {
        let live = self.sets[set.index()].quick.live;
        let mut at = first;
        loop {
            let mut slots = self.space.block_mut(first)?[at.place()..].iter_mut().zip(at.get()..);
            // Those that are merely live go by themselves, up to one that has to be looked at.
            let other = loop {
                let Some((slot, number)) = slots.next() else { return first.last_of_block().next() };
                if slot.owner() != set {
                    continue;
                }
                let pasid = Pasid::truncated(number);
                let Some(place) = out.get_mut(*filled) else { return Some(pasid) };
                *place = slot.handle(pasid);
                if slot.life() != live {
                    break pasid;
                }
                slot.drop_references();
                slot.tear_down();
                *filled += 1;
            };
            *filled += usize::from(self.evict(set, other));
            at = other.next()?;
            if at.block() != first.block() {
                return Some(at);
            }
        }
    }

    /// Sends an id of a set that is going on its way. True if it can be torn down at once.
    fn evict(&mut self, set: SetId, pasid: Pasid) -> bool {
        let Some(slot) = self.space.slot(pasid) else { return false };
        let handle = slot.handle(pasid);
        match slot.state() {
            State::Allocated | State::Pending => return self.give_up(set, handle) == Freed::Teardown,
            State::Quarantined => self.lose(set, pasid),
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Memory};

    #[test]
    fn s74_a_walk_looks_at_the_blocks_that_the_index_names_and_at_no_other() {
        let mut words = vec![0; Memory::words_for(4096)];
        let mut registry = Registry::new(Memory { words: &mut words }, Config::default()).unwrap();
        let set = registry.create_set(SetConfig { reservation: 0, limit: 10 }).unwrap();
        [5, 700, 4000].into_iter().for_each(|id| assert!(registry.alloc(set, id..=id, 0).is_ok()));
        let after = |registry: &Registry<'_>, id: u32| {
            let found = registry.next_id(set, Pasid::truncated(id + 1));
            found.map(|found| found.handle.pasid.get())
        };
        assert_eq!([5, 700, 4000].map(|id| after(&registry, id)), [Some(700), Some(4000), None]);
        // What is in a block that is not named is not seen, for it is not looked at.
        registry.leave_block(set, Pasid::truncated(700));
        assert_eq!(after(&registry, 5), Some(4000));
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! Looking at everything: the consistency check and the fingerprint.

use super::{Registry, Totals};
use crate::allocator::Provider;
use crate::capacity::{GROUPS, SETS};
use crate::event::Events;
use crate::set::{Phase, Quick, Set};
use crate::slot::Life;
use crate::{Pasid, SetId, State};
use core::hash::{Hash, Hasher};

/// What the consistency check found amiss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Inconsistency {
    /// The levels of a map of ids or blocks disagree.
    #[error("the levels of a map disagree")]
    Map,
    /// An id's slot and the map of free ids disagree.
    #[error("id {0} is free and not free")]
    Free(Pasid),
    /// An id belongs to no set that there is.
    #[error("id {0} belongs to no set")]
    Owner(Pasid),
    /// An id has references that its state does not allow.
    #[error("id {0} has {1} references")]
    References(Pasid, u16),
    /// A set is charged with other than its ids, or more than its limit.
    #[error("set {0} is charged {1} ids and has {2}")]
    Charge(usize, u32, u32),
    /// A set's ids are not where it looks for them.
    #[error("set {0} does not find its ids in block {1}")]
    Block(usize, u32),
    /// The ids of a set that wait for acknowledgements are not those that stand in its queues.
    #[error("the queues of set {0} are not whole")]
    Queue(usize),
    /// The table of allocators is not in order, or a group's account does not add up.
    #[error("the allocators' account does not add up")]
    Allocators,
    /// The account of the whole does not add up.
    #[error("the totals do not add up")]
    Totals,
}

impl<P: Provider, E: Events> Registry<'_, P, E> {
    /// Walks everything and says whether it fits together. Privileged; its time grows with the capacity.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn check(&self) -> Result<(), Inconsistency> {
        if !self.space.free.is_consistent() || !self.index.iter().all(|index| index.blocks.is_consistent()) {
            return Err(Inconsistency::Map);
        }
        let mut owned = [0; SETS];
        let mut stopping = [0; SETS];
        let mut groups = [(0, 0); GROUPS];
        let (mut lost, mut quarantined, mut orphaned) = (0, 0, 0);
        for (pasid, slot) in self.space.iter() {
            let state = slot.state();
            let usable = pasid != Pasid::RESERVED && pasid <= self.config.max_pasid;
            if self.space.free.contains(pasid) != (usable && state == State::Free) {
                return Err(Inconsistency::Free(pasid));
            }
            if !matches!(state, State::Allocated | State::Pending) && slot.references() > 0 {
                return Err(Inconsistency::References(pasid, slot.references()));
            }
            quarantined += u32::from(state == State::Quarantined);
            orphaned += u32::from(self.state(slot) == State::Orphaned);
            let (held, live) = &mut groups[usize::from(slot.life().tag())];
            *held += u32::from(state != State::Free);
            *live += u32::from(matches!(state, State::Allocated | State::Pending));
            let owner = slot.owner();
            if state == State::Free || (state == State::Quarantined && owner == SetId::NONE) {
                if owner != SetId::NONE {
                    return Err(Inconsistency::Owner(pasid));
                }
                lost += u32::from(state == State::Quarantined);
                continue;
            }
            if self.sets[owner.index()].id != owner || self.sets[owner.index()].phase == Phase::Vacant {
                return Err(Inconsistency::Owner(pasid));
            }
            owned[owner.index()] += 1;
            stopping[owner.index()] += u32::from(state == State::Stopping);
        }
        self.check_sets(owned)?;
        self.check_blocks()?;
        if let Some(index) = (0..SETS).find(|&index| self.queued(index) != Some(stopping[index])) {
            return Err(Inconsistency::Queue(index));
        }
        let waiting = |(set, stopping): (&Set, &u32)| stopping + u32::from(set.request.is_some());
        if !self.sets.iter().zip(&stopping).map(waiting).eq(self.waiting) {
            return Err(Inconsistency::Totals);
        }
        let accounts = (0..).zip(groups).skip(1).all(|(tag, group)| self.allocators.account(tag) == group);
        if !accounts || !self.allocators.is_consistent() || self.live.tag() != self.allocators.active_tag() {
            return Err(Inconsistency::Allocators);
        }
        let committed = self.sets.iter().map(Set::committed).sum::<u32>() + lost;
        let spare = self.totals.capacity.checked_sub(committed).ok_or(Inconsistency::Totals)?;
        if self.totals != (Totals { spare, quarantined, lost, orphaned, ..self.totals }) {
            return Err(Inconsistency::Totals);
        }
        let subscribed = |index: usize| {
            let mut sets = self.subscribers.iter().flatten().map(|one| one.set());
            sets.any(|set| set.is_none_or(|set| set.index() == index))
        };
        for (index, quick) in self.sets.iter().map(|set| set.quick).enumerate() {
            let alone = self.live == Life::LIVE && !subscribed(index);
            let open = alone && self.sets[index].phase == Phase::Open;
            let max = if open { self.config.max_pasid } else { Pasid::RESERVED };
            let live = if alone { Life::LIVE } else { Life::NONE };
            if quick != (Quick { max, live }) {
                return Err(Inconsistency::Allocators);
            }
        }
        Ok(())
    }

    fn check_sets(&self, owned: [u32; SETS]) -> Result<(), Inconsistency> {
        for (index, (set, owned)) in self.sets.iter().zip(owned).enumerate() {
            let charged = owned + u32::from(set.request.is_some());
            let granted = set.granted >= charged && set.granted <= set.peak;
            if set.used != charged || !granted || (set.phase == Phase::Open && set.granted > set.share.limit)
            {
                return Err(Inconsistency::Charge(index, set.used, charged));
            }
        }
        Ok(())
    }

    /// Whether each set finds its ids: in each block as many as the block counts for it.
    fn check_blocks(&self) -> Result<(), Inconsistency> {
        for number in 0.. {
            let Some(block) = self.space.block(number) else { break };
            let mut here = [0; SETS];
            for slot in block.iter().filter(|slot| slot.owner() != SetId::NONE) {
                here[slot.owner().index()] += 1;
            }
            for (index, (here, slot)) in here.into_iter().zip(block).enumerate() {
                if slot.count() != here || self.index[index].blocks.contains(number) != (here > 0) {
                    return Err(Inconsistency::Block(index, number));
                }
            }
        }
        Ok(())
    }

    /// A hash of the whole state, except for what counts faults and warnings: where two differ, the states do. A
    /// refused call leaves it as it was.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = Fnv::new();
        for (pasid, slot) in self.space.iter() {
            (slot, self.space.free.contains(pasid)).hash(&mut hasher);
        }
        let totals = Totals { provider_faults: 0, leaked: 0, warnings: 0, ..self.totals };
        (self.sets, totals, &self.allocators, self.subscribers).hash(&mut hasher);
        for (set, index) in self.index.iter().enumerate() {
            let attached = index.spids.iter().enumerate().filter(|(_, entry)| **entry != 0);
            attached.for_each(|(spid, entry)| (set, spid, entry).hash(&mut hasher));
        }
        hasher.finish()
    }
}

/// FNV-1a, 64 bits.
struct Fnv(u64);

impl Fnv {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests;

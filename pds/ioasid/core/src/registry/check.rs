// SPDX-License-Identifier: BSD-2-Clause
//! Looking at everything: the consistency check and the fingerprint.

use super::Registry;
use crate::capacity::SETS;
use crate::set::{Phase, Set};
use crate::{Pasid, SetId, State, block_map};
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
    /// An id has references that its state does not allow, or none where it needs some.
    #[error("id {0} has {1} references")]
    References(Pasid, u16),
    /// A set is charged with other than its ids, or more than its limit.
    #[error("set {0} is charged {1} ids and has {2}")]
    Charge(usize, u32, u32),
    /// A set's ids are not where it looks for them.
    #[error("set {0} does not find its ids in block {1}")]
    Block(usize, u32),
    /// The account of the whole does not add up.
    #[error("the totals do not add up")]
    Totals,
}

impl Registry<'_> {
    /// Walks everything and says whether it fits together. Privileged; its time grows with the capacity.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn check(&self) -> Result<(), Inconsistency> {
        if !self.space.is_consistent() || !self.blocks.iter().all(block_map::is_consistent) {
            return Err(Inconsistency::Map);
        }
        let mut owned = [0; SETS];
        let mut lost = 0;
        let mut quarantined = 0;
        for (pasid, slot) in self.space.iter() {
            let state = slot.life().state();
            let usable = pasid != Pasid::RESERVED && pasid <= self.config.max_pasid;
            if self.space.is_free(pasid) != (usable && state == State::Free) {
                return Err(Inconsistency::Free(pasid));
            }
            if matches!(state, State::Allocated | State::Pending) != (slot.references() > 0) {
                return Err(Inconsistency::References(pasid, slot.references()));
            }
            quarantined += u32::from(state == State::Quarantined);
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
        }
        self.check_sets(owned)?;
        let committed = self.sets.iter().map(Set::committed).sum::<u32>() + lost;
        let totals = self.totals;
        if committed != totals.committed
            || committed > totals.capacity
            || lost != totals.lost
            || quarantined != totals.quarantined
        {
            return Err(Inconsistency::Totals);
        }
        Ok(())
    }

    fn check_sets(&self, owned: [u32; SETS]) -> Result<(), Inconsistency> {
        for (index, (set, owned)) in self.sets.iter().zip(owned).enumerate() {
            if set.used != owned || (set.phase == Phase::Open && owned > set.share.limit) || set.peak < owned
            {
                return Err(Inconsistency::Charge(index, set.used, owned));
            }
            for number in 0.. {
                let Some(block) = self.space.block(number) else { break };
                let here = block
                    .iter()
                    .filter(|slot| slot.owner() != SetId::NONE && slot.owner().index() == index)
                    .count();
                let known = block_map::contains(&self.blocks[index], number);
                if usize::from(block[index].count()) != here || known != (here > 0) {
                    return Err(Inconsistency::Block(index, number));
                }
            }
        }
        Ok(())
    }

    /// A hash of the whole state: two that differ are of different states. What a refused call leaves is told by
    /// it.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
        for (pasid, slot) in self.space.iter() {
            (slot, self.space.is_free(pasid)).hash(&mut hasher);
        }
        (self.sets, self.totals).hash(&mut hasher);
        hasher.finish()
    }
}

/// FNV-1a, 64 bits.
struct Fnv(u64);

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

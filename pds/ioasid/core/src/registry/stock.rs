// SPDX-License-Identifier: BSD-2-Clause
//! The common stock of ids, and what sets were granted out of it.
//!
//! A set that gives ids up keeps what it was granted, and uses it again without a look at the stock. Where the stock does
//! not suffice, what sets were granted and do not use is gathered first: what others may have is as if each id went back
//! at once. Where all limits together leave room, the stock always suffices, and nobody's gathering is seen in
//! others' time.

use super::Registry;
use crate::allocator::Provider;
use crate::event::Events;
use crate::set::Set;
use crate::{Error, SetConfig, SetId};

impl<P: Provider, E: Events> Registry<'_, P, E> {
    /// How many ids no set uses or is guaranteed.
    pub(super) fn spare(&self) -> u32 {
        self.totals.spare + self.sets.iter().map(|set| set.committed() - set.due()).sum::<u32>()
    }

    /// How many more ids a set may have: none where it is not open.
    pub(super) fn room(&self, set: SetId) -> u32 {
        let Set { share, used, .. } = self.sets[set.index()];
        share.limit.saturating_sub(used).min(share.reservation.saturating_sub(used) + self.spare())
    }

    /// Whether one more id of a set's comes out of the stock, if the set may have one more at all.
    fn needs_stock(&self, set: SetId) -> Result<bool, Error> {
        let record = self.open_set(set)?;
        if record.used >= record.share.limit {
            return Err(Error::QuotaExceeded);
        }
        Ok(record.used >= record.share.reservation)
    }

    /// Whether a set may have one more id.
    pub(super) fn may_have_more(&self, set: SetId) -> Result<(), Error> {
        if self.needs_stock(set)? && self.spare() == 0 { Err(Error::NoSpace) } else { Ok(()) }
    }

    /// Why a set is not given an id where none was found.
    #[cold]
    #[inline(never)]
    pub(super) fn not_found(&self, set: SetId) -> Error {
        self.needs_stock(set).err().unwrap_or(Error::NoSpace)
    }

    /// Charges a set that uses all that it was granted for one more id, if it may have one.
    #[cold]
    #[inline(never)]
    pub(super) fn charge_more(&mut self, set: SetId) -> Result<(), Error> {
        if self.needs_stock(set)? && !self.is_in_stock(1) {
            return Err(Error::NoSpace);
        }
        self.charge(set, 1);
        Ok(())
    }

    /// Charges a set for ids that it may have.
    #[inline]
    pub(super) fn charge(&mut self, set: SetId, count: u32) {
        let record = &mut self.sets[set.index()];
        record.used += count;
        if record.used > record.granted {
            self.grant(set);
        }
    }

    /// Grants a set what it uses.
    #[cold]
    fn grant(&mut self, set: SetId) {
        let Set { share, used, granted, .. } = self.sets[set.index()];
        let more = used.max(share.reservation) - granted.max(share.reservation);
        self.take(more);
        let record = &mut self.sets[set.index()];
        record.granted = used;
        record.peak = record.peak.max(used);
    }

    /// Gives back the charge for an id.
    #[inline(always)]
    pub(super) fn discharge(&mut self, set: SetId) {
        self.sets[set.index()].used -= 1;
    }

    /// Takes ids out of the stock, where there are as many to be had.
    fn take(&mut self, count: u32) {
        if self.is_in_stock(count) {
            self.totals.spare -= count;
        }
    }

    /// Whether so many are in the stock, once what is needed of others' is gathered.
    fn is_in_stock(&mut self, count: u32) -> bool {
        if self.totals.spare < count {
            self.gather(count);
        }
        self.totals.spare >= count
    }

    /// Takes what sets were granted and do not use back into the stock, until there are so many.
    #[cold]
    #[inline(never)]
    fn gather(&mut self, count: u32) {
        for set in &mut self.sets {
            if set.granted > set.used && set.granted > set.share.reservation {
                self.totals.spare += set.granted - set.due();
                set.granted = set.used;
                if self.totals.spare >= count {
                    break;
                }
            }
        }
    }

    /// Gives a set another share, if there is enough of everything.
    pub(super) fn commit(&mut self, index: usize, share: SetConfig) -> Result<(), Error> {
        if share.limit < share.reservation {
            return Err(Error::InvalidRange);
        }
        let set = &self.sets[index];
        if set.used.max(share.reservation) > self.spare() + set.due() {
            return Err(Error::NoSpace);
        }
        let set = &mut self.sets[index];
        self.totals.spare += set.committed();
        (set.granted, set.share) = (set.used, share);
        let due = set.committed();
        self.take(due);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Allocation, Config, Freed, Memory, Pasid};

    /// A registry of 20 ids, and a set for each of these guarantees that has used as many ids and uses so many.
    fn registry<'m, const N: usize>(
        words: &'m mut Vec<u64>,
        sets: [(u32, u32, u32); N],
    ) -> (Registry<'m>, [SetId; N]) {
        words.resize(Memory::words_for(21), 0);
        let config = Config { max_pasid: Pasid::truncated(20), ..Config::default() };
        let mut registry = Registry::new(Memory { words }, config).unwrap();
        let names = sets.map(|(reservation, granted, used)| {
            let set = registry.create_set(SetConfig { reservation, limit: 20 }).unwrap();
            let ids: Vec<_> = (0..granted).map(|_| registry.alloc(set, 1..=20, 0).unwrap()).collect();
            for id in &ids[used as usize..] {
                let &Allocation::Ready(handle) = id else { unreachable!("there is no provider") };
                assert_eq!(registry.free_unbound(set, handle), Ok(Freed::Free));
            }
            set
        });
        (registry, names)
    }

    fn granted(registry: &Registry<'_>) -> Vec<u32> {
        registry.sets.iter().map(|set| set.granted).take_while(|&granted| granted > 0).collect()
    }

    #[test]
    fn no_more_is_gathered_than_the_stock_lacks() {
        let mut words = Vec::new();
        // Of 20 ids, 17 are granted or guaranteed.
        let (mut registry, [taker, ..]) =
            registry(&mut words, [(0, 2, 2), (0, 6, 1), (4, 4, 0), (3, 2, 2), (0, 2, 1)]);
        for (expected, spare) in [
            ([3, 6, 4, 2, 2], 8),
            ([4, 6, 4, 2, 2], 7),
            ([5, 6, 4, 2, 2], 6),
            // The stock is empty. The second set has five to give, and is asked alone.
            ([6, 1, 4, 2, 2], 5),
            ([7, 1, 4, 2, 2], 4),
            ([8, 1, 4, 2, 2], 3),
            ([9, 1, 4, 2, 2], 2),
            ([10, 1, 4, 2, 2], 1),
            // What is guaranteed stays with those who do not use it.
            ([11, 1, 4, 2, 1], 0),
        ] {
            registry.alloc(taker, 1..=20, 0).unwrap();
            assert_eq!((granted(&registry), registry.spare()), (expected.to_vec(), spare));
            assert_eq!(registry.check(), Ok(()));
        }
        let before = registry.fingerprint();
        assert_eq!(registry.alloc(taker, 1..=20, 0), Err(Error::NoSpace));
        assert_eq!(registry.fingerprint(), before);
    }

    #[test]
    fn a_share_is_taken_out_of_what_others_do_not_use() {
        let mut words = Vec::new();
        let (mut registry, [set, ..]) = registry(&mut words, [(2, 8, 3), (0, 6, 1), (0, 6, 6)]);
        // 10 are used, and nobody else is guaranteed any.
        let share = |reservation| SetConfig { reservation, limit: 20 };
        let before = registry.fingerprint();
        assert_eq!(registry.commit(0, share(14)), Err(Error::NoSpace));
        assert_eq!(registry.fingerprint(), before);
        assert_eq!(registry.commit(0, share(8)), Ok(()));
        assert_eq!((granted(&registry), registry.spare(), registry.room(set)), (vec![3, 6, 6], 5, 10));
        assert_eq!(registry.commit(0, share(13)), Ok(()));
        assert_eq!((granted(&registry), registry.spare(), registry.room(set)), (vec![3, 1, 6], 0, 10));
        assert_eq!(registry.check(), Ok(()));
    }
}

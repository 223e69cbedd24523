// SPDX-License-Identifier: BSD-2-Clause
//! Many ids at once: what they have in common is looked at once.

use super::Registry;
use crate::allocator::Provider;
use crate::event::Events;
use crate::slot::Life;
use crate::{Handle, Pasid, PasidRange, SetId};
use core::ops::RangeInclusive;

impl<P: Provider, E: Events> Registry<'_, P, E> {
    /// Up to `most` ids in a range that are within a window, the lowest first, as [`alloc`](Self::alloc) gives them one
    /// by one: `each` is told of every one. The short way: where they are fewer, that knows why there are no more,
    /// or finds some.
    #[inline(always)]
    pub fn alloc_many(
        &mut self,
        set: SetId,
        window: PasidRange,
        range: RangeInclusive<u32>,
        data: u64,
        most: u32,
        mut each: impl FnMut(Handle),
    ) -> u32 {
        let index = set.index();
        let record = &self.sets[index];
        let (min, max) = range.into_inner();
        let Some(highest) = record.quick.max.at_most(max).filter(|_| record.id == set) else { return 0 };
        let (min, max) = (window.min().get().max(min), window.max().min(highest));
        let at_hand = record.granted - record.used;
        let most = if most > at_hand { most.min(self.room(set)) } else { most };
        let mut given = 0;
        while given < most
            && let Some((number, mut bits)) = self.space.free.take_some(min, max, most - given)
            && let Some(block) = self.space.blocks.get_mut(number as usize)
        {
            given += bits.count_ones();
            while bits != 0 {
                let pasid = Pasid::truncated(number << 6 | bits.trailing_zeros());
                bits &= bits - 1;
                let slot = &mut block[pasid.place()];
                slot.occupy(set, Life::LIVE, data);
                let handle = slot.handle(pasid);
                if block[index].count_up() {
                    self.index[index].blocks.insert(number);
                }
                each(handle);
            }
        }
        self.charge(set, given);
        given
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Role, Subscription};
    use crate::{Allocation, Config, Memory, SetConfig};
    use proptest::prelude::*;

    /// A registry of 300 ids with two sets, and some of them taken.
    fn registry<'m>(
        words: &'m mut Vec<u64>,
        share: SetConfig,
        taken: &[(bool, u32)],
    ) -> (Registry<'m>, SetId) {
        words.resize(Memory::words_for(301), 0);
        let config = Config { max_pasid: Pasid::truncated(300), ..Config::default() };
        let mut registry = Registry::new(Memory { words }, config).unwrap();
        let other = registry.create_set(SetConfig { reservation: 20, limit: 200 }).unwrap();
        let set = registry.create_set(share).unwrap();
        for &(own, number) in taken {
            let _ = registry.alloc(if own { set } else { other }, number..=number, 0);
        }
        (registry, set)
    }

    proptest! {
        #[test]
        fn many_at_once_are_those_that_there_are_one_by_one(
            reservation in 0..100u32,
            limit in 0..200u32,
            taken in prop::collection::vec((any::<bool>(), 1..300u32), 0..200),
            window in (1..200u32, 0..300u32),
            (min, max) in (0..250u32, 0..320u32),
            most in 0..150u32,
        ) {
            let share = SetConfig { reservation, limit: limit.max(reservation) };
            let window = PasidRange::new(window.0, (window.0 + window.1).min(300)).unwrap();
            let [mut first, mut second, mut third] = [const { Vec::new() }; 3];
            let (mut at_once, set) = registry(&mut first, share, &taken);
            let (mut singly, _) = registry(&mut second, share, &taken);
            let (mut shortly, _) = registry(&mut third, share, &taken);

            let mut many = Vec::new();
            let given = at_once.alloc_many(set, window, min..=max, 7, most, |handle| many.push(handle));
            let range = min.max(window.min().get())..=max.min(window.max().get());
            let one = |_| match (max <= 300).then(|| singly.alloc(set, range.clone(), 7))? {
                Ok(Allocation::Ready(handle)) => Some(handle),
                _ => None,
            };
            let each: Vec<_> = (0..most).map_while(one).collect();
            prop_assert_eq!((given as usize, &many), (many.len(), &each));
            prop_assert_eq!(at_once.check(), Ok(()));
            prop_assert_eq!(at_once.fingerprint(), singly.fingerprint());

            let short = |_| shortly.alloc_at_once(set, window, min..=max, 7);
            prop_assert_eq!((0..most).map_while(short).collect::<Vec<_>>(), each);
            prop_assert_eq!(shortly.fingerprint(), singly.fingerprint());
        }
    }

    #[test]
    fn where_somebody_else_has_a_say_there_are_none_at_once() {
        let mut words = Vec::new();
        let (mut registry, set) = registry(&mut words, SetConfig { reservation: 1, limit: 9 }, &[]);
        let all = |registry: &mut Registry<'_>, set| {
            let many = registry.alloc_many(set, PasidRange::ALL, 1..=300, 0, 3, |_| {});
            (many, registry.alloc_at_once(set, PasidRange::ALL, 1..=300, 0).is_some())
        };
        assert_eq!((all(&mut registry, set), all(&mut registry, SetId::NONE)), ((3, true), (0, false)));
        registry.subscribe(Subscription { set: None, role: Role::Observer, acknowledges: false }).unwrap();
        assert_eq!(all(&mut registry, set), (0, false));
    }
}

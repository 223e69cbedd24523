// SPDX-License-Identifier: BSD-2-Clause
//! A check that cannot fail is none: each thing is broken by itself, and has to be found.

use super::*;
use crate::event::{Role, Subscription};
use crate::slot::Slot;
use crate::{Allocation, Config, Error, Freed, Handle, Memory, SetConfig};
use zerocopy::IntoBytes;

const MAX: u32 = 150;
const SHARE: SetConfig = SetConfig { reservation: 2, limit: 10 };

fn pasid(number: u32) -> Pasid {
    Pasid::truncated(number)
}

fn alloc(registry: &mut Registry<'_>, set: SetId, number: u32) -> Handle {
    match registry.alloc(set, number..=number, 0).unwrap() {
        Allocation::Ready(handle) => handle,
        Allocation::Pending(_) => unreachable!("there is no provider"),
    }
}

/// What the check says of a registry after `break_it`: two sets, of which the first has the ids 5 and 70, live, and 6,
/// which is being torn down; 7 is in quarantine.
fn after(break_it: impl FnOnce(&mut Registry<'_>)) -> Result<(), Inconsistency> {
    let mut words = vec![0; Memory::words_for(192)];
    let config = Config { max_pasid: pasid(MAX), ..Config::default() };
    let mut registry = Registry::new(Memory { words: &mut words }, config).unwrap();
    let [set, _other] = [(); 2].map(|()| registry.create_set(SHARE).unwrap());
    let [_, six, seven, _] = [5, 6, 7, 70].map(|number| alloc(&mut registry, set, number));
    for handle in [six, seven] {
        assert_eq!(registry.free(set, handle), Ok(Freed::Teardown));
    }
    registry.quarantine(seven).unwrap();
    assert_eq!(registry.check(), Ok(()));
    break_it(&mut registry);
    registry.check()
}

fn slot<'r>(registry: &'r mut Registry<'_>, number: u32) -> &'r mut Slot {
    registry.space.slot_mut(pasid(number)).unwrap()
}

#[test]
fn a_bit_of_a_map_without_its_summary_is_found() {
    let bit = |registry: &mut Registry<'_>| registry.index[3].blocks.as_mut_bytes()[0] ^= 1;
    assert_eq!(after(bit), Err(Inconsistency::Map));
    let last = size_of::<u64>() * 16_384;
    let block = |registry: &mut Registry<'_>| registry.space.free.as_mut_bytes()[last] ^= 1;
    assert_eq!(after(block), Err(Inconsistency::Map));
}

#[test]
fn an_id_that_is_free_and_not_free_is_found() {
    for number in [8, 150] {
        let taken = after(|registry| registry.space.free.remove(pasid(number)));
        assert_eq!(taken, Err(Inconsistency::Free(pasid(number))));
    }
    for number in [0, 5, 6, 7, 151] {
        let given = after(|registry| registry.space.free.insert(pasid(number)));
        assert_eq!(given, Err(Inconsistency::Free(pasid(number))));
    }
}

#[test]
fn references_that_do_not_fit_the_state_are_found() {
    for number in [6, 7, 8] {
        let kept = after(|registry| assert!(slot(registry, number).get()));
        assert_eq!(kept, Err(Inconsistency::References(pasid(number), 1)));
    }
}

#[test]
fn an_owner_that_there_is_not_is_found() {
    let nobodys = after(|registry| slot(registry, 5).disown());
    assert_eq!(nobodys, Err(Inconsistency::Owner(pasid(5))));
    let owned = after(|registry| {
        let set = registry.sets[0].id;
        slot(registry, 8).occupy(set, Life::FREE, 0);
    });
    assert_eq!(owned, Err(Inconsistency::Owner(pasid(8))));
    let gone = after(|registry| registry.sets[0].phase = Phase::Vacant);
    assert_eq!(gone, Err(Inconsistency::Owner(pasid(5))));
    let reborn = after(|registry| registry.sets[0].id = registry.sets[0].id.successor(0));
    assert_eq!(reborn, Err(Inconsistency::Owner(pasid(5))));
}

#[test]
fn a_set_that_is_charged_other_than_its_ids_is_found() {
    let more = after(|registry| registry.sets[0].used += 1);
    assert_eq!(more, Err(Inconsistency::Charge(0, 5, 4)));
    let over = after(|registry| registry.sets[0].share.limit = 3);
    assert_eq!(over, Err(Inconsistency::Charge(0, 4, 4)));
    let none = after(|registry| registry.sets[1].used = 1);
    assert_eq!(none, Err(Inconsistency::Charge(1, 1, 0)));
}

#[test]
fn a_set_that_uses_what_it_was_not_granted_or_was_granted_what_it_may_not_use_is_found() {
    let less = after(|registry| registry.sets[0].granted = 3);
    assert_eq!(less, Err(Inconsistency::Charge(0, 4, 4)));
    let never_used = after(|registry| registry.sets[0].granted = 5);
    assert_eq!(never_used, Err(Inconsistency::Charge(0, 4, 4)));
    let over = after(|registry| {
        let set = &mut registry.sets[0];
        (set.granted, set.peak, set.share.limit) = (5, 5, 4);
    });
    assert_eq!(over, Err(Inconsistency::Charge(0, 4, 4)));
    let in_order = after(|registry| {
        let set = &mut registry.sets[0];
        (set.granted, set.peak, set.share.limit) = (5, 6, 5);
        registry.totals.spare -= 1;
    });
    assert_eq!(in_order, Ok(()));
}

#[test]
fn a_set_that_goes_may_have_more_than_its_limit_which_is_none() {
    assert_eq!(after(|registry| registry.free_set(registry.sets[0].id).unwrap()), Ok(()));
}

#[test]
fn a_set_at_its_limit_is_in_order() {
    let full = after(|registry| {
        let set = registry.sets[0].id;
        (10..16).for_each(|number| assert_eq!(alloc(registry, set, number).pasid, pasid(number)));
        assert_eq!(registry.alloc(set, 1..=0xf_ffff, 0), Err(Error::InvalidRange));
        assert_eq!(registry.alloc(set, 1..=MAX, 0), Err(Error::QuotaExceeded));
    });
    assert_eq!(full, Ok(()));
}

#[test]
fn a_block_that_a_set_does_not_know_or_count_is_found() {
    let counted = |registry: &mut Registry<'_>| {
        registry.space.block_mut(pasid(70)).unwrap()[0].count_up();
    };
    assert_eq!(after(counted), Err(Inconsistency::Block(0, 1)));
    let strange = |registry: &mut Registry<'_>| {
        registry.space.block_mut(pasid(70)).unwrap()[1].count_up();
    };
    assert_eq!(after(strange), Err(Inconsistency::Block(1, 1)));
    assert_eq!(after(|registry| registry.index[0].blocks.remove(1)), Err(Inconsistency::Block(0, 1)));
    assert_eq!(after(|registry| registry.index[0].blocks.insert(2)), Err(Inconsistency::Block(0, 2)));
}

/// Makes somebody subscribe whom each free has to wait for, and frees an id of each of two sets: 5 and 80.
fn wait(registry: &mut Registry<'_>) {
    let ears = Subscription { set: None, role: Role::Cpu, acknowledges: true };
    registry.subscribe(ears).unwrap();
    let other = registry.sets[1].id;
    alloc(registry, other, 80);
    for (set, number) in [(registry.sets[0].id, 5), (other, 80)] {
        let handle = slot(registry, number).handle(pasid(number));
        assert_eq!(registry.free(set, handle), Ok(Freed::Pending));
    }
    assert_eq!(registry.check(), Ok(()));
}

#[test]
fn a_queue_that_is_not_whole_is_found() {
    let empty = |registry: &mut Registry<'_>| {
        wait(registry);
        registry.sets[0].stopping[0].ends = None;
    };
    assert_eq!(after(empty), Err(Inconsistency::Queue(0)));
    // As many as are waiting, but others.
    let others = |registry: &mut Registry<'_>| {
        wait(registry);
        slot(registry, 5).set_state(State::Teardown);
        slot(registry, 6).set_state(State::Stopping);
    };
    assert_eq!(after(others), Err(Inconsistency::Queue(0)));
    let exchanged = |registry: &mut Registry<'_>| {
        wait(registry);
        let ends = registry.sets[0].stopping[0];
        registry.sets[0].stopping[0] = registry.sets[1].stopping[0];
        registry.sets[1].stopping[0] = ends;
    };
    assert_eq!(after(exchanged), Err(Inconsistency::Queue(0)));
    // One that leads back to itself.
    let endless = |registry: &mut Registry<'_>| {
        wait(registry);
        registry.sets[0].stopping[0].ends = Some((pasid(5), pasid(6)));
        slot(registry, 5).data |= 5;
    };
    assert_eq!(after(endless), Err(Inconsistency::Queue(0)));
}

#[test]
fn totals_that_do_not_add_up_are_found() {
    let breaks: [fn(&mut Registry<'_>); 6] = [
        |registry| registry.waiting[1] += 1,
        |registry| registry.totals.spare -= 1,
        |registry| registry.totals.quarantined += 1,
        |registry| registry.totals.lost += 1,
        |registry| registry.totals.orphaned += 1,
        |registry| registry.totals.capacity = 5,
    ];
    for break_it in breaks {
        assert_eq!(after(break_it), Err(Inconsistency::Totals));
    }
}

#[test]
fn an_account_of_allocators_that_does_not_add_up_is_found() {
    let breaks: [fn(&mut Registry<'_>); 8] = [
        |registry| registry.allocators.born(3),
        |registry| registry.sets[0].quick.max = Pasid::RESERVED,
        |registry| {
            registry.free_set(registry.sets[0].id).unwrap();
            registry.sets[0].quick.max = pasid(MAX);
        },
        |registry| registry.live = Life::new(State::Allocated, 3),
        // The same where the short ways fit it.
        |registry| {
            registry.live = Life::new(State::Allocated, 3);
            registry.sets.iter_mut().for_each(|set| set.quick = Quick::NEVER);
        },
        |registry| registry.sets[1].quick = Quick::NEVER,
        |registry| {
            wait(registry);
            registry.sets[1].quick.live = Life::LIVE;
        },
        |registry| {
            wait(registry);
            registry.sets[0].quick.max = pasid(MAX);
        },
    ];
    for break_it in breaks {
        assert_eq!(after(break_it), Err(Inconsistency::Allocators));
    }
}

#[test]
fn what_waits_is_in_order() {
    assert_eq!(after(wait), Ok(()));
}

#[test]
fn a_lost_id_is_nobodys_and_in_order() {
    let lost = |registry: &mut Registry<'_>| {
        let set = registry.sets[0].id;
        registry.free_set(set).unwrap();
        let mut out = [slot(registry, 5).handle(pasid(5)); 4];
        registry.drain_set(set, &mut out).unwrap();
        assert_eq!((registry.totals().lost, registry.inspect(pasid(7)).unwrap().owner), (1, None));
    };
    assert_eq!(after(lost), Ok(()));
}

#[test]
fn the_fingerprint_is_fnv_1a() {
    for (text, hash) in
        [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
    {
        let mut hasher = Fnv::new();
        hasher.write(text.as_bytes());
        assert_eq!(hasher.finish(), hash);
    }
}

#[test]
fn the_fingerprint_tells_states_apart_and_leaves_out_counters() {
    let print = |change: fn(&mut Registry<'_>)| {
        let mut print = 0;
        let _ = after(|registry| {
            change(registry);
            print = registry.fingerprint();
        });
        print
    };
    let changes: [fn(&mut Registry<'_>); 11] = [
        |_| {},
        |registry| registry.sets[0].granted = 5,
        |registry| slot(registry, 5).data = 1,
        |registry| assert!(slot(registry, 5).get()),
        |registry| registry.space.free.remove(pasid(9)),
        |registry| registry.sets[1].share.limit = 11,
        |registry| registry.totals.spare -= 1,
        |registry| registry.allocators.born(3),
        |registry| registry.index[0].spids[9] = 1,
        |registry| registry.index[0].spids[9] = 2,
        |registry| registry.index[0].spids[8] = 1,
    ];
    let prints = changes.map(print);
    assert!(prints.iter().all(|one| prints.iter().filter(|&other| other == one).count() == 1));
    let counters: [fn(&mut Registry<'_>); 3] = [
        |registry| registry.totals.provider_faults += 1,
        |registry| registry.totals.leaked += 1,
        |registry| registry.totals.warnings += 1,
    ];
    assert!(counters.map(print).iter().all(|&print| print == prints[0]));
}

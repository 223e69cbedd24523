// SPDX-License-Identifier: BSD-2-Clause
//! Sets and quotas (s67–s76).

use ioasid_core::allocator::Answer;
use ioasid_core::event::{Role, Subscription};
use ioasid_core::{Error, Freed, Handle, PasidRange, Progress, SetConfig, capacity};
use semantics::{BOUND, Registered, Script, Stage, alloc, end, exactly, free, pasid, unchanged, up_to};

const NO_HANDLE: fn() -> Handle = || Handle { pasid: pasid(0), generation: Default::default() };

#[test]
fn s67_reservations_never_exceed_the_capacity() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    registry.create_set(SetConfig { reservation: 60, limit: 100 }).unwrap();
    let too_much = |registry: &mut Registered<'_>| registry.create_set(exactly(41));
    assert_eq!(unchanged(&mut registry, too_much), Err(Error::NoSpace));
    let rest = registry.create_set(exactly(40)).unwrap();
    let more = |registry: &mut Registered<'_>| registry.adjust_set(rest, exactly(41));
    assert_eq!(unchanged(&mut registry, more), Err(Error::NoSpace));
    let absurd = |registry: &mut Registered<'_>| registry.create_set(exactly(u32::MAX));
    assert_eq!(unchanged(&mut registry, absurd), Err(Error::NoSpace));
}

#[test]
fn s67_a_limit_below_the_reservation_is_refused() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let share = SetConfig { reservation: 5, limit: 4 };
    assert_eq!(unchanged(&mut registry, |registry| registry.create_set(share)), Err(Error::InvalidRange));
    let set = registry.create_set(exactly(5)).unwrap();
    assert_eq!(
        unchanged(&mut registry, |registry| registry.adjust_set(set, share)),
        Err(Error::InvalidRange)
    );
}

#[test]
fn s68_a_reservation_holds_while_all_others_are_at_their_limit() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let greedy = [registry.create_set(up_to(100)).unwrap(), registry.create_set(up_to(100)).unwrap()];
    let guaranteed = registry.create_set(exactly(30)).unwrap();
    let taken = (0..200).filter(|turn| alloc(&mut registry, greedy[turn % 2], 1, 100).is_ok()).count();
    assert_eq!(taken, 70);
    assert_eq!(alloc(&mut registry, greedy[0], 1, 100), Err(Error::NoSpace));
    assert!((0..30).all(|_| alloc(&mut registry, guaranteed, 1, 100).is_ok()));
    assert_eq!(alloc(&mut registry, guaranteed, 1, 100), Err(Error::QuotaExceeded));
}

#[test]
fn s68_what_a_set_gave_up_is_anybodys() {
    let mut stage = Stage::new(10);
    let mut registry = stage.registry();
    let sets = [(); 3].map(|()| registry.create_set(up_to(10)).unwrap());
    for set in sets {
        let all: Vec<_> = (0..10).map(|_| alloc(&mut registry, set, 1, 10).unwrap()).collect();
        for other in sets.into_iter().filter(|&other| other != set) {
            let more = |registry: &mut Registered<'_>| alloc(registry, other, 1, 10);
            assert_eq!(unchanged(&mut registry, more), Err(Error::NoSpace));
        }
        all.into_iter().for_each(|handle| free(&mut registry, set, handle));
        assert_eq!((registry.totals().spare, registry.stats(set).unwrap().peak), (10, 10));
    }
    // It can be guaranteed, too, and then it is nobody else's.
    let absurd = |registry: &mut Registered<'_>| registry.adjust_set(sets[0], exactly(11));
    assert_eq!(unchanged(&mut registry, absurd), Err(Error::NoSpace));
    assert_eq!(registry.adjust_set(sets[0], exactly(4)), Ok(()));
    let new = registry.create_set(exactly(5)).unwrap();
    assert_eq!(registry.totals().spare, 1);
    assert!(alloc(&mut registry, sets[1], 1, 10).is_ok());
    for set in [sets[1], sets[2]] {
        let more = |registry: &mut Registered<'_>| alloc(registry, set, 1, 10);
        assert_eq!(unchanged(&mut registry, more), Err(Error::NoSpace));
    }
    assert!((0..4).all(|_| alloc(&mut registry, sets[0], 1, 10).is_ok()));
    assert!((0..5).all(|_| alloc(&mut registry, new, 1, 10).is_ok()));
    assert_eq!((registry.totals().spare, registry.check()), (0, Ok(())));
}

#[test]
fn s68_it_holds_against_ids_that_others_have_in_quarantine() {
    let mut stage = Stage::new(10);
    let mut registry = stage.registry();
    let churning = registry.create_set(up_to(10)).unwrap();
    let guaranteed = registry.create_set(exactly(5)).unwrap();
    for _ in 0..5 {
        let handle = alloc(&mut registry, churning, 1, 10).unwrap();
        registry.free(churning, handle).unwrap();
        registry.quarantine(handle).unwrap();
    }
    assert_eq!(alloc(&mut registry, churning, 1, 10), Err(Error::NoSpace));
    // Not even when the set that they are charged to ends.
    assert_eq!(end(&mut registry, churning), 0);
    assert_eq!(registry.totals().lost, 5);
    assert!((0..5).all(|_| alloc(&mut registry, guaranteed, 1, 10).is_ok()));
    assert_eq!(registry.check(), Ok(()));
}

#[test]
fn s69_a_set_without_a_reservation_reserves_nothing() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    registry.create_set(up_to(100)).unwrap();
    assert_eq!(registry.totals().spare, 100);
    assert!(registry.create_set(exactly(100)).is_ok());
}

#[test]
fn s70_freeing_a_set_gives_its_reservation_back_exactly() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    for used in [0, 1, 39, 40] {
        let set = registry.create_set(exactly(40)).unwrap();
        assert!((0..used).all(|_| alloc(&mut registry, set, 1, 100).is_ok()));
        assert_eq!(registry.totals().spare, 60);
        assert_eq!(end(&mut registry, set), used);
        assert_eq!(registry.totals().spare, 100);
        assert_eq!(registry.stats(set), Err(Error::NoSuchSet));
    }
}

#[test]
fn s71_a_failed_alloc_gives_every_charge_back() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(3)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    for _ in 0..100 {
        script.answer(Answer::Given(0));
        assert_eq!(alloc(&mut registry, set, 1, 100), Err(Error::ProviderFault));
    }
    assert!((0..3).all(|_| alloc(&mut registry, set, 1, 100).is_ok()));
    assert_eq!(registry.totals().spare, 97);
}

#[test]
fn s72_shrinking_below_what_is_in_use_is_refused() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    (0..5).for_each(|_| assert!(alloc(&mut registry, set, 1, 100).is_ok()));
    let shrink = |registry: &mut Registered<'_>| registry.adjust_set(set, up_to(4));
    assert_eq!(unchanged(&mut registry, shrink), Err(Error::InUse));
    assert_eq!(registry.adjust_set(set, up_to(5)), Ok(()));
    assert_eq!(alloc(&mut registry, set, 1, 100), Err(Error::QuotaExceeded));
}

#[test]
fn s72_a_limit_that_was_lowered_holds_for_a_set_that_once_had_more() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let ids: Vec<_> = (0..10).map(|_| alloc(&mut registry, set, 1, 100).unwrap()).collect();
    ids.into_iter().for_each(|handle| free(&mut registry, set, handle));
    assert_eq!(registry.adjust_set(set, up_to(5)), Ok(()));
    assert!((0..5).all(|_| alloc(&mut registry, set, 1, 100).is_ok()));
    assert_eq!(alloc(&mut registry, set, 1, 100), Err(Error::QuotaExceeded));
    assert_eq!(registry.stats(set).unwrap().peak, 10);
}

#[test]
fn s76_a_set_that_is_gone_is_given_nothing_of_what_the_next_in_its_place_had() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let gone = registry.create_set(up_to(10)).unwrap();
    end(&mut registry, gone);
    let set = registry.create_set(up_to(10)).unwrap();
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    free(&mut registry, set, handle);
    let one = |registry: &mut Registered<'_>| alloc(registry, gone, 1, 100);
    assert_eq!((set.index(), unchanged(&mut registry, one)), (gone.index(), Err(Error::NoSuchSet)));
}

#[test]
fn s76_a_set_that_is_going_is_given_nothing_of_what_it_once_had() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(exactly(10)).unwrap();
    let ids: Vec<_> = (0..10).map(|_| alloc(&mut registry, set, 1, 100).unwrap()).collect();
    ids[1..].iter().for_each(|&handle| free(&mut registry, set, handle));
    registry.free_set(set).unwrap();
    let watch = Subscription { set: None, role: Role::Observer, acknowledges: false };
    for _ in ["alone", "watched"] {
        let more = |registry: &mut Registered<'_>| alloc(registry, set, 1, 100);
        assert_eq!(unchanged(&mut registry, more), Err(Error::NoSuchSet));
        let at_once = |registry: &mut Registered<'_>| {
            let one = registry.alloc_at_once(set, PasidRange::ALL, 1..=100, 0);
            (one, registry.alloc_many(set, PasidRange::ALL, 1..=100, 0, 2, |_| {}))
        };
        assert_eq!(unchanged(&mut registry, at_once), (None, 0));
        registry.subscribe(watch).unwrap();
    }
    assert_eq!((registry.totals().spare, registry.check()), (99, Ok(())));
}

#[test]
fn s72_growing_beyond_what_is_free_is_refused() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(exactly(10)).unwrap();
    let other = registry.create_set(up_to(100)).unwrap();
    (0..85).for_each(|_| assert!(alloc(&mut registry, other, 1, 100).is_ok()));
    let grow = |registry: &mut Registered<'_>| registry.adjust_set(set, exactly(16));
    assert_eq!(unchanged(&mut registry, grow), Err(Error::NoSpace));
    assert_eq!(registry.adjust_set(set, exactly(15)), Ok(()));
    assert_eq!(registry.totals().spare, 0);
    assert_eq!(registry.adjust_set(set, up_to(15)), Ok(()));
    assert_eq!(registry.totals().spare, 15);
}

#[test]
fn s73_the_same_spid_in_two_sets_is_two_ids() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let sets = [registry.create_set(up_to(10)).unwrap(), registry.create_set(up_to(10)).unwrap()];
    let handles = sets.map(|set| alloc(&mut registry, set, 1, 100).unwrap());
    for (set, handle) in sets.into_iter().zip(handles) {
        assert_eq!(registry.find_spid(set, 7), Err(Error::NotFound));
        registry.attach_spid(set, 7, handle).unwrap();
        assert_eq!(registry.find_spid(set, 7), Ok(handle));
    }
    assert_eq!(registry.find_spid(sets[0], 7), Ok(handles[0]));
}

#[test]
fn s73_attaching_twice_and_detaching_what_is_absent_are_refused() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let other = registry.create_set(up_to(10)).unwrap();
    let handles = [(); 2].map(|()| alloc(&mut registry, set, 1, 100).unwrap());
    registry.attach_spid(set, 7, handles[0]).unwrap();
    for handle in handles {
        let again = |registry: &mut Registered<'_>| registry.attach_spid(set, 7, handle);
        assert_eq!(unchanged(&mut registry, again), Err(Error::AlreadyAttached));
    }
    assert_eq!(unchanged(&mut registry, |registry| registry.detach_spid(set, 8)), Err(Error::NotFound));
    assert_eq!(unchanged(&mut registry, |registry| registry.detach_spid(other, 7)), Err(Error::NotFound));
    let theirs = |registry: &mut Registered<'_>| registry.attach_spid(other, 7, handles[0]);
    assert_eq!(unchanged(&mut registry, theirs), Err(Error::NotOwner));
    let beyond = u32::try_from(capacity::SPIDS_PER_SET).unwrap();
    for spid in [beyond, u32::MAX] {
        let far = |registry: &mut Registered<'_>| registry.attach_spid(set, spid, handles[1]);
        assert_eq!(unchanged(&mut registry, far), Err(Error::InvalidRange));
    }
    assert_eq!(registry.attach_spid(set, beyond - 1, handles[1]), Ok(()));
    assert_eq!(registry.detach_spid(set, 7), Ok(()));
    assert_eq!(registry.find_spid(set, 7), Err(Error::NotFound));
    assert_eq!(registry.attach_spid(set, 7, handles[1]), Ok(()));
}

#[test]
fn s73_an_spid_does_not_outlive_its_id() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let first = alloc(&mut registry, set, 4, 4).unwrap();
    registry.attach_spid(set, 7, first).unwrap();
    free(&mut registry, set, first);
    let second = alloc(&mut registry, set, 4, 4).unwrap();
    assert_eq!(registry.find_spid(set, 7), Err(Error::NotFound));
    assert_eq!(registry.detach_spid(set, 7), Err(Error::NotFound));
    assert_eq!(registry.attach_spid(set, 7, second), Ok(()));
}

#[test]
fn s74_a_set_is_walked_without_looking_at_others() {
    let mut stage = Stage::new(4095);
    let mut registry = stage.registry();
    let crowd = registry.create_set(up_to(4095)).unwrap();
    let set = registry.create_set(up_to(4095)).unwrap();
    let mine = [1, 63, 64, 100, 2048, 4095];
    mine.iter().for_each(|&id| assert!(alloc(&mut registry, set, id, id).is_ok()));
    while alloc(&mut registry, crowd, 1, 4095).is_ok() {}
    let mut walked = Vec::new();
    let mut from = Some(pasid(0));
    while let Some(found) = from.and_then(|from| registry.next_id(set, from)) {
        walked.push(found.handle.pasid.get());
        from = found.handle.pasid.next();
    }
    assert_eq!(walked, mine);
}

#[test]
fn s74_freeing_all_of_a_set_goes_in_slices_that_can_be_resumed() {
    let mut stage = Stage::new(1000);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(1000)).unwrap();
    let other = registry.create_set(up_to(1000)).unwrap();
    for turn in 0..100 {
        assert!(alloc(&mut registry, if turn % 3 == 0 { other } else { set }, 1, 1000).is_ok());
    }
    registry.free_set(set).unwrap();
    assert_eq!(alloc(&mut registry, set, 1, 1000), Err(Error::NoSuchSet));
    assert_eq!(registry.free_set(set), Err(Error::NoSuchSet));
    let mut seen = Vec::new();
    loop {
        let mut out = [NO_HANDLE(); 7];
        let drained = registry.drain_set(set, &mut out).unwrap();
        seen.extend_from_slice(&out[..drained.filled]);
        assert_eq!(registry.check(), Ok(()));
        // Between slices others go on.
        let handle = alloc(&mut registry, other, 1, 1000).unwrap();
        free(&mut registry, other, handle);
        if drained.progress == Progress::Waiting {
            break;
        }
        assert_eq!(drained.filled, 7);
    }
    assert_eq!(seen.len(), 66);
    assert!(seen.is_sorted_by_key(|handle| handle.pasid));
    assert_eq!(registry.drain_set(set, &mut []).unwrap().progress, Progress::Waiting);
    seen.iter().for_each(|&handle| registry.reclaim(handle).unwrap());
    assert_eq!(registry.drain_set(set, &mut []).unwrap().progress, Progress::Gone);
    assert_eq!(registry.drain_set(set, &mut []), Err(Error::NoSuchSet));
    assert_eq!(registry.stats(other).unwrap().used, 34);
}

#[test]
fn s75_a_set_has_its_own_limit_use_and_peak() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(SetConfig { reservation: 2, limit: 10 }).unwrap();
    let other = registry.create_set(up_to(20)).unwrap();
    assert!(alloc(&mut registry, other, 1, 100).is_ok());
    let handles = [(); 3].map(|()| alloc(&mut registry, set, 1, 100).unwrap());
    free(&mut registry, set, handles[0]);
    registry.free(set, handles[1]).unwrap();
    let stats = registry.stats(set).unwrap();
    assert_eq!((stats.reservation, stats.limit), (2, 10));
    assert_eq!((stats.used, stats.peak), (2, 3));
}

#[test]
fn s75_the_peak_never_falls_also_where_an_allocation_under_way_fails() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    script.answer(Answer::Later);
    assert!(registry.alloc(set, 1..=100, 0).is_ok());
    assert_eq!((registry.stats(set).unwrap().used, registry.stats(set).unwrap().peak), (1, 1));
    assert!(registry.poll(BOUND).is_some());
    assert_eq!((registry.stats(set).unwrap().used, registry.stats(set).unwrap().peak), (0, 1));
}

#[test]
fn s75_nor_where_an_id_is_lost_with_its_set() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let handles = [(); 2].map(|()| alloc(&mut registry, set, 1, 100).unwrap());
    registry.free(set, handles[0]).unwrap();
    registry.free_set(set).unwrap();
    registry.quarantine(handles[0]).unwrap();
    assert_eq!((registry.stats(set).unwrap().used, registry.stats(set).unwrap().peak), (1, 2));
    assert_eq!(registry.check(), Ok(()));
}

#[test]
fn s76_a_sets_death_frees_all_of_its_ids_and_nobody_elses() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(50)).unwrap();
    let other = registry.create_set(up_to(50)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    let ids: Vec<_> = (0..20)
        .map(|turn| alloc(&mut registry, if turn % 2 == 0 { set } else { other }, 1, 100).unwrap())
        .collect();
    // One with references, one pending, one being torn down, and one in quarantine.
    registry.get(set, ids[0]).unwrap();
    registry.get(set, ids[2]).unwrap();
    assert_eq!(registry.free(set, ids[2]), Ok(Freed::Pending));
    registry.free(set, ids[4]).unwrap();
    registry.free(set, ids[6]).unwrap();
    registry.quarantine(ids[6]).unwrap();
    registry.free_set(set).unwrap();
    let mut out = [NO_HANDLE(); 20];
    let drained = registry.drain_set(set, &mut out).unwrap();
    assert_eq!((drained.filled, drained.progress), (8, Progress::Waiting));
    out[..8].iter().for_each(|&handle| registry.reclaim(handle).unwrap());
    registry.quarantine(ids[4]).unwrap();
    assert_eq!(registry.drain_set(set, &mut out).unwrap().progress, Progress::Gone);
    assert_eq!((registry.totals().quarantined, registry.totals().lost), (2, 2));
    assert!(ids.iter().skip(1).step_by(2).all(|&handle| registry.find(other, handle) == Ok(0)));
    assert_eq!(registry.check(), Ok(()));
    registry.reclaim(ids[4]).unwrap();
    assert_eq!((registry.totals().quarantined, registry.totals().lost), (1, 1));
    assert_eq!(registry.check(), Ok(()));
}

#[test]
fn s76_a_set_that_takes_a_dead_ones_place_has_nothing_of_it() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let dead = registry.create_set(up_to(50)).unwrap();
    let handle = alloc(&mut registry, dead, 5, 5).unwrap();
    registry.attach_spid(dead, 3, handle).unwrap();
    end(&mut registry, dead);
    let next = registry.create_set(up_to(50)).unwrap();
    assert_eq!(next.index(), dead.index());
    assert_ne!(next, dead);
    assert_eq!(alloc(&mut registry, dead, 1, 100), Err(Error::NoSuchSet));
    let own = alloc(&mut registry, next, 5, 5).unwrap();
    assert_eq!(registry.find(dead, own), Err(Error::NotOwner));
    assert_eq!(registry.find_spid(next, 3), Err(Error::NotFound));
    assert_eq!(registry.stats(next).unwrap().peak, 1);
}

#[test]
fn a_full_house_of_sets_is_refused() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let sets: Vec<_> = (0..capacity::SETS).map(|_| registry.create_set(up_to(1)).unwrap()).collect();
    assert_eq!(registry.create_set(up_to(1)), Err(Error::RegistryFull));
    assert!(registry.sets().eq(sets.iter().copied()));
    end(&mut registry, sets[3]);
    assert_eq!(registry.create_set(up_to(1)).unwrap().index(), 3);
}

#[test]
fn s73_an_spid_names_an_id_of_any_generation_and_that_one_alone() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let first = alloc(&mut registry, set, 9, 9).unwrap();
    registry.attach_spid(set, 3, first).unwrap();
    free(&mut registry, set, first);
    let second = alloc(&mut registry, set, 9, 9).unwrap();
    assert_eq!(registry.find_spid(set, 3), Err(Error::NotFound));
    registry.attach_spid(set, 3, second).unwrap();
    assert_eq!(registry.find_spid(set, 3), Ok(second));
}

// SPDX-License-Identifier: BSD-2-Clause
//! Alloc (s25–s42).

use core::ops::RangeInclusive;
use ioasid_core::allocator::{AllocatorId, Answer, Ticket};
use ioasid_core::{Allocation, Error, Freed, PasidRange, Work};
use semantics::{BOUND, Call, Registered, Script, Stage, alloc, end, exactly, free, pasid, unchanged, up_to};

const RANGE: RangeInclusive<u32> = 1..=100;

#[test]
fn s25_an_id_is_in_the_range_with_both_ends() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(100)).unwrap();
    let ids: Vec<_> = (0..3).map(|_| alloc(&mut registry, set, 60, 62).unwrap().pasid.get()).collect();
    assert_eq!(ids, [60, 61, 62]);
}

#[test]
fn s26_a_range_of_one_gives_that_id_or_no_space() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(100)).unwrap();
    assert_eq!(alloc(&mut registry, set, 77, 77).unwrap().pasid, pasid(77));
    assert_eq!(alloc(&mut registry, set, 77, 77), Err(Error::NoSpace));
}

#[test]
fn s27_min_above_max_is_invalid_and_nobody_is_asked() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(100)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    let backwards = |registry: &mut Registered<'_>| alloc(registry, set, 8, 7);
    assert_eq!(unchanged(&mut registry, backwards), Err(Error::InvalidRange));
    assert_eq!(script.calls(), []);
}

#[test]
fn s27_an_invalid_range_is_that_whatever_else_is_in_the_way() {
    let mut stage = Stage::new(3);
    let mut registry = stage.registry();
    let [full, guaranteed, gone] =
        [up_to(1), exactly(2), up_to(1)].map(|share| registry.create_set(share).unwrap());
    end(&mut registry, gone);
    alloc(&mut registry, full, 1, 1).unwrap();
    for (set, error) in [(full, Error::QuotaExceeded), (gone, Error::NoSuchSet), (guaranteed, Error::NoSpace)]
    {
        for (min, max) in [(3, 2), (0, 0), (2, 4), (0x10_0002, 3)] {
            let invalid = |registry: &mut Registered<'_>| alloc(registry, set, min, max);
            assert_eq!(unchanged(&mut registry, invalid), Err(Error::InvalidRange));
        }
        assert_eq!(alloc(&mut registry, set, 1, 1), Err(error));
    }
}

#[test]
fn s28_an_exhausted_range_is_told_apart_from_an_exhausted_quota() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(3)).unwrap();
    alloc(&mut registry, set, 5, 6).unwrap();
    alloc(&mut registry, set, 5, 6).unwrap();
    assert_eq!(alloc(&mut registry, set, 5, 6), Err(Error::NoSpace));
    alloc(&mut registry, set, 7, 7).unwrap();
    assert_eq!(alloc(&mut registry, set, 1, 100), Err(Error::QuotaExceeded));
}

#[test]
fn s29_invalid_ioasid_is_no_bound() {
    let mut stage = Stage::new(127);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(100)).unwrap();
    for (min, max) in [(1, 0xffff_ffff), (0xffff_ffff, 0xffff_ffff), (0xffff_ffff, 1)] {
        assert_eq!(PasidRange::new(min, max), Err(Error::InvalidRange));
        let invalid = |registry: &mut Registered<'_>| alloc(registry, set, min, max);
        assert_eq!(unchanged(&mut registry, invalid), Err(Error::InvalidRange));
    }
}

#[test]
fn s30_pasid_0_is_never_handed_out() {
    let mut stage = Stage::new(127);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(200)).unwrap();
    assert_eq!(PasidRange::new(0, 0), Err(Error::InvalidRange));
    assert_eq!(alloc(&mut registry, set, 0, 0), Err(Error::InvalidRange));
    assert!((0..127).all(|_| alloc(&mut registry, set, 0, 127).unwrap().pasid != pasid(0)));
    assert_eq!(alloc(&mut registry, set, 0, 127), Err(Error::NoSpace));
}

#[test]
fn s31_a_range_beyond_the_width_is_invalid() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(100)).unwrap();
    let beyond = |registry: &mut Registered<'_>| alloc(registry, set, 1, 101);
    assert_eq!(unchanged(&mut registry, beyond), Err(Error::InvalidRange));
    assert!(alloc(&mut registry, set, 100, 100).is_ok());
}

#[test]
fn s32_a_custom_alloc_that_gives_nothing_leaves_nothing() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(100)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    for (answer, error) in [(Answer::Nothing, Error::NoSpace), (Answer::Failed, Error::ProviderFault)] {
        script.answer(answer);
        assert_eq!(unchanged(&mut registry, |registry| alloc(registry, set, 1, 100)), Err(error));
        assert_eq!(script.calls(), [Call::Alloc(0, 1, 100)]);
    }
    assert_eq!(registry.stats(set).unwrap().used, 0);
}

#[test]
fn s33_what_cannot_be_recorded_is_freed_with_the_same_pdata() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(100)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 11)).unwrap();
    registry.register_allocator(Script::allocator(2, 0, 22)).unwrap();
    script.answer(Answer::Later);
    let Ok(Allocation::Pending(ticket)) = registry.alloc(set, RANGE, 0) else {
        panic!("the provider answers later")
    };
    // The set goes before the provider answers.
    registry.free_set(set).unwrap();
    assert_eq!(registry.complete(0, ticket, Answer::Given(5)), Err(Error::Stale));
    assert_eq!(script.calls(), [Call::Alloc(11, 1, 100), Call::Free(11, 5)]);
}

#[test]
fn s34_exactly_the_chosen_id_is_recorded_even_where_lower_ones_are_free() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(100)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    script.answer(Answer::Given(63));
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    assert_eq!(handle.pasid, pasid(63));
    assert!((1..=100).filter(|&id| registry.inspect(pasid(id)).is_some()).eq([63]));
}

#[test]
fn s35_a_number_outside_the_range_is_given_back_and_counted() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(100)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 11)).unwrap();
    for (number, faults) in [(0, 1), (9, 2), (21, 3), (0x10_0000, 4), (0xffff_ffff, 5)] {
        script.answer(Answer::Given(number));
        let outside = |registry: &mut Registered<'_>| alloc(registry, set, 10, 20);
        assert_eq!(unchanged(&mut registry, outside), Err(Error::ProviderFault));
        assert_eq!(script.calls(), [Call::Alloc(11, 10, 20), Call::Free(11, number)]);
        assert_eq!(registry.allocators().next().unwrap().faults, faults);
        assert_eq!(registry.totals().provider_faults, faults);
    }
}

#[test]
fn s36_a_number_that_is_tracked_leaves_its_entry_alone_and_is_not_freed() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let owner = registry.create_set(up_to(100)).unwrap();
    let set = registry.create_set(up_to(100)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    let theirs = alloc(&mut registry, owner, 5, 5).unwrap();
    registry.set_data(owner, theirs, 77).unwrap();
    let _ = script.calls();
    script.answer(Answer::Given(5));
    let taken = |registry: &mut Registered<'_>| alloc(registry, set, 1, 100);
    assert_eq!(unchanged(&mut registry, taken), Err(Error::ProviderFault));
    assert_eq!(script.calls(), [Call::Alloc(0, 1, 100)]);
    assert_eq!(registry.find(owner, theirs), Ok(77));
    assert_eq!(registry.allocators().next().unwrap().faults, 1);
}

#[test]
fn s36_so_does_one_that_is_an_orphan_or_not_torn_down_yet() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(100)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    alloc(&mut registry, set, 5, 5).unwrap();
    registry.unregister_allocator(AllocatorId(1)).unwrap();
    registry.register_allocator(Script::allocator(2, 0, 0)).unwrap();
    let dying = alloc(&mut registry, set, 6, 6).unwrap();
    registry.free(set, dying).unwrap();
    for number in [5, 6] {
        let _ = script.calls();
        script.answer(Answer::Given(number));
        let taken = |registry: &mut Registered<'_>| alloc(registry, set, 1, 100);
        assert_eq!(unchanged(&mut registry, taken), Err(Error::ProviderFault));
        assert_eq!(script.calls(), [Call::Alloc(0, 1, 100)]);
    }
}

#[test]
fn s36_so_does_one_that_is_outside_the_range_besides() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let owner = registry.create_set(up_to(100)).unwrap();
    let set = registry.create_set(up_to(100)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    alloc(&mut registry, owner, 50, 50).unwrap();
    let _ = script.calls();
    script.answer(Answer::Given(50));
    let outside = |registry: &mut Registered<'_>| alloc(registry, set, 1, 10);
    assert_eq!(unchanged(&mut registry, outside), Err(Error::ProviderFault));
    assert_eq!(script.calls(), [Call::Alloc(0, 1, 10)], "the owner's id is not freed");
}

#[test]
fn s37_no_failure_returns_an_id() {
    // That an error carries no id is in the types. That the id is not kept either is in the state.
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(1)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    let answers =
        [Answer::Nothing, Answer::Failed, Answer::Given(0), Answer::Given(101), Answer::Given(u32::MAX)];
    for answer in answers {
        script.answer(answer);
        assert!(alloc(&mut registry, set, 1, 100).is_err());
        assert_eq!(registry.next_id(set, pasid(0)), None);
    }
}

#[test]
fn s38_a_failing_alloc_leaves_everything_as_it_was() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let full = registry.create_set(exactly(40)).unwrap();
    let burst = registry.create_set(up_to(100)).unwrap();
    assert!((0..40).all(|_| alloc(&mut registry, full, 1, 40).is_ok()));
    assert!((0..59).all(|_| alloc(&mut registry, burst, 41, 100).is_ok()));
    let cases = [
        (full, 1, 100, Error::QuotaExceeded),
        (burst, 1, 40, Error::NoSpace),
        (burst, 90, 80, Error::InvalidRange),
        (burst, 90, 101, Error::InvalidRange),
    ];
    for (set, min, max, error) in cases {
        assert_eq!(unchanged(&mut registry, |registry| alloc(registry, set, min, max)), Err(error));
    }
}

#[test]
fn s39_two_allocs_never_return_the_same_live_id() {
    let mut stage = Stage::new(1000);
    let mut registry = stage.registry();
    let sets = [registry.create_set(up_to(1000)).unwrap(), registry.create_set(up_to(1000)).unwrap()];
    let mut seen = std::collections::BTreeSet::new();
    for turn in 0..1000 {
        let handle = alloc(&mut registry, sets[turn % 2], 1, 1000).unwrap();
        assert!(seen.insert(handle.pasid), "{} twice", handle.pasid);
    }
    assert_eq!(alloc(&mut registry, sets[0], 1, 1000), Err(Error::NoSpace));
}

#[test]
fn s40_a_freed_id_is_not_handed_out_before_its_teardown_has_completed() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(100)).unwrap();
    let handle = alloc(&mut registry, set, 9, 9).unwrap();
    assert_eq!(registry.free(set, handle), Ok(Freed::Teardown));
    assert_eq!(alloc(&mut registry, set, 9, 9), Err(Error::NoSpace));
    registry.reclaim(handle).unwrap();
    assert_eq!(alloc(&mut registry, set, 9, 9).unwrap().pasid, handle.pasid);
}

#[test]
fn s40_nor_at_all_where_its_teardown_is_not_confirmed() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(100)).unwrap();
    let handle = alloc(&mut registry, set, 9, 9).unwrap();
    registry.free(set, handle).unwrap();
    registry.quarantine(handle).unwrap();
    assert_eq!(alloc(&mut registry, set, 9, 9), Err(Error::NoSpace));
    assert_eq!((registry.totals().quarantined, registry.stats(set).unwrap().used), (1, 1));
    // Somebody who knows that the hardware was reset may reclaim it all the same.
    registry.reclaim(handle).unwrap();
    assert_eq!((registry.totals().quarantined, registry.stats(set).unwrap().used), (0, 0));
}

#[test]
fn s41_alloc_and_free_do_not_wait_for_another_clients_provider_or_subscriber() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let slow = registry.create_set(up_to(10)).unwrap();
    let quick = registry.create_set(up_to(10)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    script.answer(Answer::Later);
    assert!(matches!(registry.alloc(slow, RANGE, 0), Ok(Allocation::Pending(_))));
    let handle = alloc(&mut registry, quick, 1, 100).unwrap();
    free(&mut registry, quick, handle);
}

#[test]
fn s42_a_provider_that_hangs_is_given_up_after_the_bound() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(1)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    assert_eq!(registry.poll(1000), None);
    script.answer(Answer::Later);
    let Ok(Allocation::Pending(ticket)) = registry.alloc(set, RANGE, 0) else {
        panic!("the provider answers later")
    };
    // One at a time for each set, and it is charged while it waits.
    assert_eq!(registry.alloc(set, RANGE, 0), Err(Error::QuotaExceeded));
    assert_eq!(registry.poll(1000 + BOUND - 1), None);
    let Some(Work::Failed(completion)) = registry.poll(1000 + BOUND) else { panic!("its time is over") };
    assert_eq!((completion.ticket, completion.result), (ticket, Err(Error::ProviderFault)));
    assert_eq!(registry.poll(1000 + BOUND), None);
    assert_eq!(registry.stats(set).unwrap().used, 0);
    assert_eq!(registry.check(), Ok(()));
}

#[test]
fn s42_an_answer_in_time_completes_and_one_too_late_goes_back() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(2)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 11)).unwrap();
    let ask = |registry: &mut Registered<'_>| {
        script.answer(Answer::Later);
        match registry.alloc(set, RANGE, 42) {
            Ok(Allocation::Pending(ticket)) => ticket,
            other => panic!("{other:?}"),
        }
    };
    let ticket = ask(&mut registry);
    assert_eq!(registry.alloc(set, RANGE, 0), Err(Error::ProviderBusy));
    assert_eq!(registry.complete(1, ticket, Answer::Given(5)), Err(Error::Stale), "another provider");
    let handle = registry.complete(0, ticket, Answer::Given(5)).unwrap().result.unwrap();
    assert_eq!(registry.find(set, handle), Ok(42));
    assert_eq!(registry.complete(0, ticket, Answer::Given(6)), Err(Error::Stale), "a second answer");

    let late = ask(&mut registry);
    assert!(matches!(registry.poll(BOUND), Some(Work::Failed(_))));
    let _ = script.calls();
    assert_eq!(registry.complete(0, late, Answer::Given(7)), Err(Error::Stale));
    // 5 is somebody's, so it is not handed back; what cannot be anybody's is.
    for number in [5, 0, 101] {
        assert_eq!(registry.complete(0, late, Answer::Given(number)), Err(Error::Stale));
    }
    assert_eq!(script.calls(), [Call::Free(11, 7), Call::Free(11, 0), Call::Free(11, 101)]);
    assert_eq!(registry.check(), Ok(()));
}

#[test]
fn s42_what_waits_for_an_allocator_that_leaves_has_failed() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(2)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    script.answer(Answer::Later);
    let Ok(Allocation::Pending(ticket)) = registry.alloc(set, RANGE, 0) else {
        panic!("the provider answers later")
    };
    registry.unregister_allocator(AllocatorId(1)).unwrap();
    assert_eq!(registry.complete(0, ticket, Answer::Given(5)), Err(Error::Stale));
    assert!(matches!(registry.poll(0), Some(Work::Failed(failed)) if failed.ticket == ticket));
    assert_eq!(registry.stats(set).unwrap().used, 0);
}

#[test]
fn s42_an_answer_to_what_was_not_asked_is_stale() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let [set, other] = [(); 2].map(|()| registry.create_set(up_to(5)).unwrap());
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    registry.register_allocator(Script::allocator(2, 0, 0)).unwrap();
    script.answer(Answer::Later);
    let Ok(Allocation::Pending(ticket)) = registry.alloc(set, RANGE, 0) else { panic!("it answers later") };
    script.answer(Answer::Later);
    assert!(matches!(registry.alloc(other, RANGE, 0), Ok(Allocation::Pending(_))));
    let word = ticket.to_word();
    // The next question of the set's; another life of the set; the other allocator with these helpers.
    for lie in [word + (1 << 16), word ^ 1 << 15, word + (1 << 32)] {
        let lie = Ticket::from_word(lie);
        let answer = |registry: &mut Registered<'_>| registry.complete(0, lie, Answer::Nothing);
        assert_eq!(unchanged(&mut registry, answer), Err(Error::Stale));
    }
    assert!(registry.complete(0, ticket, Answer::Given(9)).unwrap().result.is_ok());
}

#[test]
fn s42_a_number_too_late_goes_back_unless_it_is_somebodys() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(5)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 7)).unwrap();
    alloc(&mut registry, set, 100, 100).unwrap();
    script.answer(Answer::Later);
    let Ok(Allocation::Pending(ticket)) = registry.alloc(set, RANGE, 0) else { panic!("it answers later") };
    assert!(registry.poll(BOUND).is_some());
    let _ = script.calls();
    for (number, back) in [(99, true), (100, false), (101, true), (u32::MAX, true)] {
        assert_eq!(registry.complete(0, ticket, Answer::Given(number)), Err(Error::Stale));
        let told = script.calls();
        assert_eq!(told, if back { vec![Call::Free(7, number)] } else { vec![] });
    }
}

#[test]
fn s76_a_set_that_goes_takes_its_question_back() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(5)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 7)).unwrap();
    alloc(&mut registry, set, 1, 1).unwrap();
    script.answer(Answer::Later);
    assert!(matches!(registry.alloc(set, RANGE, 0), Ok(Allocation::Pending(_))));
    registry.free_set(set).unwrap();
    assert_eq!(registry.check(), Ok(()));
    assert_eq!((registry.stats(set).unwrap().used, registry.poll(BOUND)), (1, None));
}

#[test]
fn s42_it_has_failed_also_where_an_allocator_of_the_same_name_comes() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(2)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 11)).unwrap();
    script.answer(Answer::Later);
    let Ok(Allocation::Pending(ticket)) = registry.alloc(set, RANGE, 0) else {
        panic!("the provider answers later")
    };
    registry.unregister_allocator(AllocatorId(1)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 22)).unwrap();
    let _ = script.calls();
    assert_eq!(registry.complete(0, ticket, Answer::Given(5)), Err(Error::Stale));
    assert_eq!(script.calls(), [Call::Free(22, 5)]);
    assert!(matches!(registry.poll(0), Some(Work::Failed(failed)) if failed.ticket == ticket));
    // Nobody answered wrongly, or too late.
    assert_eq!(registry.totals().provider_faults, 0);
    assert_eq!(registry.allocators().next().unwrap().faults, 0);
    assert_eq!(registry.check(), Ok(()));
}

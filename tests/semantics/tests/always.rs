// SPDX-License-Identifier: BSD-2-Clause
//! What always holds (s92–s94), as far as it is the registry's affair.

use ioasid_core::allocator::Answer;
use ioasid_core::{Allocation, Error, Handle, Progress, Work};
use semantics::{BOUND, Registered, Script, Stage, alloc, end, exactly, free, pasid, unchanged, up_to};

#[test]
fn s92_a_slice_of_a_sets_end_is_bounded_even_where_nothing_is_to_be_done() {
    // 2,000 ids are on their way out already; a slice of one handle may look at 128 of them.
    let mut stage = Stage::new(2047);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(2047)).unwrap();
    let ids: Vec<_> = (0..2000).map(|_| alloc(&mut registry, set, 1, 2047).unwrap()).collect();
    ids.iter().for_each(|&handle| assert!(registry.free(set, handle).is_ok()));
    registry.free_set(set).unwrap();
    let mut slices = 1;
    while registry.drain_set(set, &mut [ids[0]]).unwrap().progress == Progress::More {
        slices += 1;
    }
    assert_eq!(slices, 2000_usize.div_ceil(128));
}

#[test]
fn s92_a_look_for_orphans_is_bounded() {
    let mut stage = Stage::new(5000);
    let registry = stage.registry();
    assert_eq!(registry.next_orphan(pasid(0)), Some(Err(pasid(1024))));
    assert_eq!(registry.next_orphan(pasid(4096)), None);
    assert_eq!(registry.next_orphan(pasid(0xf_ffff)), None);
}

#[test]
fn s93_handles_and_sets_that_were_made_up_change_nothing() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let gone = registry.create_set(up_to(10)).unwrap();
    end(&mut registry, gone);
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    for number in [0, 1, 2, 63, 64, 100, 127, 128, 0xf_ffff] {
        for generation in [0, 1, 0xffff] {
            let made_up =
                Handle { pasid: pasid(number), generation: ioasid_core::Generation::from_raw(generation) };
            if made_up == handle {
                continue;
            }
            for set in [set, gone] {
                unchanged(&mut registry, |registry| {
                    assert!(registry.find(set, made_up).is_err());
                    assert!(registry.free(set, made_up).is_err());
                    assert!(registry.put(set, made_up).is_err());
                    assert!(registry.get(set, made_up).is_err());
                    assert!(registry.set_data(set, made_up, 1).is_err());
                    assert!(registry.attach_spid(set, number, made_up).is_err());
                    assert!(registry.reclaim(made_up).is_err());
                    assert!(registry.quarantine(made_up).is_err());
                    assert!(registry.revoke(made_up).is_err());
                });
            }
        }
    }
    unchanged(&mut registry, |registry: &mut Registered<'_>| {
        assert_eq!(registry.alloc(gone, 1..=1, 0), Err(Error::NoSuchSet));
        assert_eq!(registry.adjust_set(gone, up_to(1)), Err(Error::NoSuchSet));
        assert_eq!(registry.free_set(gone), Err(Error::NoSuchSet));
        assert_eq!(registry.stats(gone), Err(Error::NoSuchSet));
    });
}

#[test]
fn s93_a_set_that_is_gone_reaches_nothing_of_the_one_in_its_place() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let gone = registry.create_set(up_to(10)).unwrap();
    end(&mut registry, gone);
    let set = registry.create_set(up_to(10)).unwrap();
    assert_eq!(set.index(), gone.index());
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    unchanged(&mut registry, |registry| {
        assert_eq!(registry.find(gone, handle), Err(Error::NotOwner));
        assert_eq!(registry.free(gone, handle), Err(Error::NotOwner));
        assert_eq!(registry.free_unbound(gone, handle), Err(Error::NotOwner));
        assert_eq!(registry.put(gone, handle), Err(Error::NotOwner));
        assert_eq!(registry.get(gone, handle), Err(Error::NotOwner));
        assert_eq!(registry.set_data(gone, handle, 1), Err(Error::NotOwner));
        assert_eq!(registry.attach_spid(gone, 1, handle), Err(Error::NotOwner));
        assert_eq!(registry.alloc(gone, 1..=1, 0), Err(Error::NoSuchSet));
    });
}

/// What a client is answered who allocates, looks up and frees, while `others` do what they do.
fn answers(others: impl Fn(&mut Registered<'_>, u32)) -> Vec<String> {
    let mut stage = Stage::new(1000);
    let mut registry = stage.registry();
    let set = registry.create_set(exactly(100)).expect("100 of 1000 are free");
    let mut answers = Vec::new();
    let mut held = Vec::new();
    for turn in 0..300 {
        others(&mut registry, turn);
        // In a range of its own: which numbers are free in a shared one is everybody's affair.
        match alloc(&mut registry, set, 500, 1000) {
            Ok(handle) => {
                answers.push(format!("{handle:?}"));
                held.push(handle);
            }
            Err(error) => answers.push(format!("{error:?}")),
        }
        answers.push(format!("{:?}", registry.stats(set)));
        if turn % 3 == 2 {
            let handle = held.remove((turn as usize * 7) % held.len());
            free(&mut registry, set, handle);
            answers.push(format!("{:?}", registry.find(set, handle)));
        }
    }
    answers
}

#[test]
fn s94_answers_do_not_depend_on_others_while_the_limits_fit() {
    let alone = answers(|_, _| {});
    let crowded = answers(|registry, turn| {
        if turn == 0 {
            registry.create_set(up_to(450)).unwrap();
            registry.create_set(up_to(450)).unwrap();
        }
        let others: Vec<_> = registry.sets().skip(1).collect();
        for (place, &other) in (0..).zip(&others) {
            let _ = alloc(registry, other, 1, 499);
            let _ = alloc(registry, other, 1, 499);
            if (turn + place) % 5 == 0
                && let Some(found) = registry.next_id(other, pasid(turn))
            {
                let _ = registry.free(other, found.handle);
            }
        }
    });
    assert_eq!(alone, crowded);
}

#[test]
fn s94_time_that_passes_for_one_set_takes_nothing_from_another() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let [one, other] = [(); 2].map(|()| registry.create_set(up_to(10)).unwrap());
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    for set in [one, other] {
        script.answer(Answer::Later);
        assert!(matches!(registry.alloc(set, 1..=100, 0), Ok(Allocation::Pending(_))));
    }
    for now in 1..10 * BOUND {
        let due = registry.poll_set(one, 1);
        let expected = |work| matches!(work, Some(Work::Failed(failed)) if failed.set() == one);
        assert!(due.is_none() || (now == BOUND && expected(due)), "{due:?} at {now}");
    }
    assert_eq!(registry.poll_set(other, 0), None, "it has a time of its own");
    assert!((1..BOUND).all(|_| registry.poll_set(other, 1).is_none()), "which has not come");
    assert!(matches!(registry.poll_set(other, 1), Some(Work::Failed(failed)) if failed.set() == other));
    assert_eq!(registry.check(), Ok(()));
}

#[test]
fn s94_no_time_passes_for_a_set_in_the_place_of_one_that_is_gone() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let gone = registry.create_set(up_to(10)).unwrap();
    end(&mut registry, gone);
    let set = registry.create_set(up_to(10)).unwrap();
    assert_eq!(set.index(), gone.index());
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    script.answer(Answer::Later);
    assert!(matches!(registry.alloc(set, 1..=100, 0), Ok(Allocation::Pending(_))));
    assert_eq!(registry.poll_set(gone, BOUND), None);
    assert!((1..BOUND).all(|_| registry.poll_set(set, 1).is_none()), "its time has not come");
    assert!(matches!(registry.poll_set(set, 1), Some(Work::Failed(failed)) if failed.set() == set));
}

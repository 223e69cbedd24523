// SPDX-License-Identifier: BSD-2-Clause
//! Allocators: the default one, custom ones, groups, orphans (s01–s24).

use ioasid_core::allocator::{Allocator, AllocatorId, Answer, Helpers};
use ioasid_core::{Allocation, Error, Progress, State, capacity};
use semantics::{Call, Registered, Script, Stage, alloc, end, free, pasid, unchanged, up_to};

/// The names of the active group's members.
fn active(registry: &Registered<'_>) -> Vec<u32> {
    registry.allocators().filter(|one| one.active).map(|one| one.allocator.id.0).collect()
}

#[test]
fn s01_with_nothing_registered_the_default_allocator_allocates() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(1)).unwrap();
    assert_eq!(alloc(&mut registry, set, 1, 100).unwrap().pasid, pasid(1));
}

#[test]
fn s02_the_default_allocator_is_there_after_any_history() {
    let scripts = [Script::default(), Script::default()];
    let mut stage = Stage::with(100, [&scripts[0], &scripts[1]]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    for round in 0..100 {
        registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
        registry.register_allocator(Script::allocator(2, 1, 0)).unwrap();
        registry.unregister_allocator(AllocatorId(1 + round % 2)).unwrap();
        registry.unregister_allocator(AllocatorId(2 - round % 2)).unwrap();
        let handle = alloc(&mut registry, set, 1, 100).unwrap();
        free(&mut registry, set, handle);
    }
    assert_eq!(scripts[0].calls(), []);
    assert_eq!(registry.check(), Ok(()));
}

#[test]
fn s03_the_first_to_register_is_active_at_once() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    assert_eq!(registry.register_allocator(Script::allocator(7, 0, 0)), Ok(()));
    assert_eq!(active(&registry), [7]);
}

#[test]
fn s03_an_allocation_that_failed_with_the_last_one_is_not_in_the_way() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    script.answer(Answer::Later);
    assert!(matches!(registry.alloc(set, 1..=100, 0), Ok(Allocation::Pending(_))));
    registry.unregister_allocator(AllocatorId(1)).unwrap();
    // The default space is empty, and the client has not been told yet that it gets nothing.
    assert_eq!(registry.register_allocator(Script::allocator(2, 0, 0)), Ok(()));
    assert_eq!(active(&registry), [2]);
}

#[test]
fn s04_an_id_of_the_default_space_is_in_the_way_even_in_quarantine() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    let register = |registry: &mut Registered<'_>| registry.register_allocator(Script::allocator(1, 0, 0));
    assert_eq!(unchanged(&mut registry, register), Err(Error::AllocatorBusy));
    registry.free(set, handle).unwrap();
    assert_eq!(unchanged(&mut registry, register), Err(Error::AllocatorBusy));
    registry.quarantine(handle).unwrap();
    assert_eq!(unchanged(&mut registry, register), Err(Error::AllocatorBusy));
}

#[test]
fn s05_once_every_id_is_reclaimed_it_may_register() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    assert!(registry.register_allocator(Script::allocator(1, 0, 0)).is_err());
    free(&mut registry, set, handle);
    assert_eq!(registry.register_allocator(Script::allocator(1, 0, 0)), Ok(()));
}

#[test]
fn s06_the_active_one_is_called_exactly_once_and_the_default_never() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 11)).unwrap();
    script.answer(ioasid_core::allocator::Answer::Given(50));
    // The default allocator would have given 1.
    assert_eq!(alloc(&mut registry, set, 1, 100).unwrap().pasid, pasid(50));
    assert_eq!(script.calls(), [Call::Alloc(11, 1, 100)]);
}

#[test]
fn s07_another_with_other_helpers_waits_and_is_never_called() {
    let (a, b) = (Script::default(), Script::default());
    let mut stage = Stage::with(100, [&a, &b]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    assert_eq!(registry.register_allocator(Script::allocator(2, 1, 0)), Ok(()));
    assert_eq!(active(&registry), [1]);
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    free(&mut registry, set, handle);
    assert_eq!(b.calls(), []);
}

#[test]
fn s08_the_next_in_order_of_registration_takes_over() {
    let scripts = [Script::default(), Script::default(), Script::default()];
    let mut stage = Stage::with(100, [&scripts[0], &scripts[1], &scripts[2]]);
    let mut registry = stage.registry();
    for provider in 0..3 {
        registry.register_allocator(Script::allocator(u32::from(provider), provider, 0)).unwrap();
    }
    registry.unregister_allocator(AllocatorId(0)).unwrap();
    assert_eq!(active(&registry), [1]);
}

#[test]
fn s09_after_the_last_the_default_one_is_active() {
    let scripts = [Script::default(), Script::default(), Script::default()];
    let mut stage = Stage::with(100, [&scripts[0], &scripts[1], &scripts[2]]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    for provider in 0..3 {
        registry.register_allocator(Script::allocator(u32::from(provider), provider, 0)).unwrap();
    }
    (0..3).for_each(|id| assert_eq!(registry.unregister_allocator(AllocatorId(id)), Ok(0)));
    assert_eq!(active(&registry), []);
    assert_eq!(alloc(&mut registry, set, 3, 100).unwrap().pasid, pasid(3));
    assert!(scripts.iter().all(|script| script.calls().is_empty()));
}

#[test]
fn s10_an_inactive_one_goes_without_touching_the_active_one() {
    let (a, b) = (Script::default(), Script::default());
    let mut stage = Stage::with(100, [&a, &b]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    registry.register_allocator(Script::allocator(2, 1, 0)).unwrap();
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    assert_eq!(registry.unregister_allocator(AllocatorId(2)), Ok(0));
    assert_eq!(active(&registry), [1]);
    assert_eq!(registry.find(set, handle), Ok(0));
}

#[test]
fn s11_a_group_shares_one_id_space() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 11)).unwrap();
    registry.register_allocator(Script::allocator(2, 0, 22)).unwrap();
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    assert_eq!(registry.unregister_allocator(AllocatorId(1)), Ok(0));
    assert_eq!(registry.find(set, handle), Ok(0));
}

#[test]
fn s12_what_follows_uses_the_pdata_of_the_one_that_is_left() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 11)).unwrap();
    registry.register_allocator(Script::allocator(2, 0, 22)).unwrap();
    let first = alloc(&mut registry, set, 1, 100).unwrap();
    registry.unregister_allocator(AllocatorId(1)).unwrap();
    let second = alloc(&mut registry, set, 1, 100).unwrap();
    free(&mut registry, set, first);
    free(&mut registry, set, second);
    let calls = [Call::Alloc(11, 1, 100), Call::Alloc(22, 1, 100), Call::Free(22, 1), Call::Free(22, 2)];
    assert_eq!(script.calls(), calls);
}

#[test]
fn s13_registering_twice_is_refused_and_the_walk_stays_whole() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    let again = |registry: &mut Registered<'_>| registry.register_allocator(Script::allocator(1, 0, 0));
    assert_eq!(unchanged(&mut registry, again), Err(Error::AlreadyRegistered));
    assert_eq!(registry.allocators().count(), 1);
}

#[test]
fn s14_so_is_registering_the_second_of_a_group_twice() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    registry.register_allocator(Script::allocator(2, 0, 0)).unwrap();
    let again = |registry: &mut Registered<'_>| registry.register_allocator(Script::allocator(2, 0, 0));
    assert_eq!(unchanged(&mut registry, again), Err(Error::AlreadyRegistered));
    assert_eq!(active(&registry), [1, 2]);
}

#[test]
fn s15_one_that_left_its_group_may_register_again() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    registry.register_allocator(Script::allocator(2, 0, 0)).unwrap();
    registry.unregister_allocator(AllocatorId(1)).unwrap();
    assert_eq!(registry.register_allocator(Script::allocator(1, 0, 0)), Ok(()));
    assert_eq!(active(&registry), [2, 1]);
}

#[test]
fn s16_a_stranger_with_the_same_helpers_cannot_unregister_the_group() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    let stranger = |registry: &mut Registered<'_>| registry.unregister_allocator(AllocatorId(9));
    assert_eq!(unchanged(&mut registry, stranger), Err(Error::NotRegistered));
    assert_eq!(active(&registry), [1]);
}

#[test]
fn s17_unregistering_where_nothing_is_registered_is_a_counted_warning() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let nobody = |registry: &mut Registered<'_>| registry.unregister_allocator(AllocatorId(1));
    assert_eq!(unchanged(&mut registry, nobody), Err(Error::NotRegistered));
    assert_eq!(registry.totals().warnings, 1);
}

#[test]
fn s18_helpers_match_only_where_both_match() {
    let (a, b) = (Script::default(), Script::default());
    let mut stage = Stage::with(100, [&a, &b]);
    let mut registry = stage.registry();
    for (id, alloc, free) in [(1, 0, 0), (2, 0, 1), (3, 1, 0), (4, 0, 0)] {
        let helpers = Helpers { alloc, free };
        registry.register_allocator(Allocator { id: AllocatorId(id), helpers, pdata: 0 }).unwrap();
    }
    assert_eq!(active(&registry), [1, 4]);
}

#[test]
fn s19_the_last_of_a_group_orphans_its_ids_and_says_how_many() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    let handles: Vec<_> = (0..4).map(|_| alloc(&mut registry, set, 1, 100).unwrap()).collect();
    free(&mut registry, set, handles[0]);
    // One that is being torn down has been given up already.
    registry.free(set, handles[1]).unwrap();
    assert_eq!(registry.unregister_allocator(AllocatorId(1)), Ok(2));
    assert_eq!(registry.totals().orphaned, 2);
    assert_eq!(registry.check(), Ok(()));
}

#[test]
fn s20_an_orphan_is_handed_out_only_after_teardown_and_reclaim() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    let orphan = alloc(&mut registry, set, 5, 5).unwrap();
    registry.unregister_allocator(AllocatorId(1)).unwrap();
    assert_eq!(alloc(&mut registry, set, 5, 5), Err(Error::NoSpace));
    assert_eq!(registry.reclaim(orphan), Err(Error::InUse));

    let found = registry.next_orphan(pasid(0)).unwrap().unwrap();
    assert_eq!((found.handle, found.state), (orphan, State::Orphaned));
    registry.revoke(orphan).unwrap();
    assert_eq!(alloc(&mut registry, set, 5, 5), Err(Error::NoSpace));
    registry.reclaim(orphan).unwrap();
    assert_eq!(registry.next_orphan(pasid(0)), None);
    assert_eq!(registry.totals().orphaned, 0);
    assert!(alloc(&mut registry, set, 5, 5).is_ok());
}

#[test]
fn s21_an_orphan_is_not_found_and_cannot_be_freed() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let other = registry.create_set(up_to(10)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    let orphan = alloc(&mut registry, set, 1, 100).unwrap();
    registry.unregister_allocator(AllocatorId(1)).unwrap();
    for set in [set, other] {
        assert_eq!(unchanged(&mut registry, |registry| registry.find(set, orphan)), Err(Error::NotFound));
        assert_eq!(unchanged(&mut registry, |registry| registry.free(set, orphan)), Err(Error::NotFound));
        assert_eq!(unchanged(&mut registry, |registry| registry.put(set, orphan)), Err(Error::NotFound));
    }
}

#[test]
fn s22_the_default_space_starts_without_the_old_groups_ids() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    let orphan = alloc(&mut registry, set, 1, 1).unwrap();
    registry.unregister_allocator(AllocatorId(1)).unwrap();
    assert_eq!(registry.find(set, orphan), Err(Error::NotFound));
    // The default space is empty, so a custom allocator may register again.
    assert_eq!(registry.register_allocator(Script::allocator(1, 0, 0)), Ok(()));
    // It is another group now: the old ids do not come back to life.
    assert_eq!(registry.find(set, orphan), Err(Error::NotFound));
}

#[test]
fn s23_a_provider_that_is_gone_counts_as_unregistered() {
    let (a, b) = (Script::default(), Script::default());
    let mut stage = Stage::with(100, [&a, &b]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    registry.register_allocator(Script::allocator(2, 0, 0)).unwrap();
    let frees_with_it = Allocator { id: AllocatorId(3), helpers: Helpers { alloc: 1, free: 0 }, pdata: 0 };
    registry.register_allocator(frees_with_it).unwrap();
    registry.register_allocator(Script::allocator(4, 1, 0)).unwrap();
    let orphan = alloc(&mut registry, set, 1, 100).unwrap();
    let _ = a.calls();
    assert_eq!(registry.provider_gone(0), 1);
    assert_eq!(active(&registry), [4]);
    registry.revoke(orphan).unwrap();
    registry.reclaim(orphan).unwrap();
    assert_eq!(a.calls(), [], "a provider that is gone is not called");
}

#[test]
fn s24_a_full_registry_refuses_and_changes_nothing() {
    let scripts: Vec<_> = (0..=capacity::ALLOCATORS).map(|_| Script::default()).collect();
    let mut stage = Stage::with(100, [&scripts[0], &scripts[1]]);
    let mut registry = stage.registry();
    for id in 0..u32::try_from(capacity::ALLOCATORS).unwrap() {
        registry.register_allocator(Script::allocator(id, 0, 0)).unwrap();
    }
    for provider in 0..2 {
        let one_more =
            |registry: &mut Registered<'_>| registry.register_allocator(Script::allocator(99, provider, 0));
        assert_eq!(unchanged(&mut registry, one_more), Err(Error::RegistryFull));
    }
}

#[test]
fn s24_groups_that_left_orphans_behind_fill_it_too() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(100)).unwrap();
    for _ in 1..capacity::GROUPS {
        registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
        alloc(&mut registry, set, 1, 100).unwrap();
        registry.unregister_allocator(AllocatorId(1)).unwrap();
    }
    let one_more = |registry: &mut Registered<'_>| registry.register_allocator(Script::allocator(1, 0, 0));
    assert_eq!(unchanged(&mut registry, one_more), Err(Error::RegistryFull));
    // With the orphans gone there is room again.
    end(&mut registry, set);
    assert_eq!(registry.totals().orphaned, 0);
    assert_eq!(registry.register_allocator(Script::allocator(1, 0, 0)), Ok(()));
    assert_eq!(registry.check(), Ok(()));
}

#[test]
fn a_helper_that_is_no_provider_is_refused() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    for helpers in
        [Helpers { alloc: 1, free: 1 }, Helpers { alloc: 0, free: 1 }, Helpers { alloc: 1, free: 0 }]
    {
        let nobody = |registry: &mut Registered<'_>| {
            registry.register_allocator(Allocator { helpers, ..Script::allocator(1, 0, 0) })
        };
        assert_eq!(unchanged(&mut registry, nobody), Err(Error::NoSuchPeer));
    }
}

#[test]
fn s04_an_id_that_is_lost_is_in_the_way_too() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    registry.free(set, handle).unwrap();
    registry.quarantine(handle).unwrap();
    registry.free_set(set).unwrap();
    assert_eq!(registry.drain_set(set, &mut [handle]).unwrap().progress, Progress::Gone);
    assert_eq!(registry.totals().lost, 1);
    let register = |registry: &mut Registered<'_>| registry.register_allocator(Script::allocator(1, 0, 0));
    assert_eq!(unchanged(&mut registry, register), Err(Error::AllocatorBusy));
}

#[test]
fn s20_the_walk_of_orphans_passes_by_all_others() {
    let scripts = [Script::default(), Script::default()];
    let mut stage = Stage::with(100, [&scripts[0], &scripts[1]]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    registry.register_allocator(Script::allocator(2, 1, 0)).unwrap();
    let orphan = alloc(&mut registry, set, 9, 9).unwrap();
    registry.unregister_allocator(AllocatorId(1)).unwrap();
    alloc(&mut registry, set, 5, 5).unwrap();
    let found = registry.next_orphan(pasid(1)).unwrap().unwrap();
    assert_eq!((found.handle, found.state), (orphan, State::Orphaned));
    assert_eq!(registry.next_orphan(pasid(10)), None);
}

#[test]
fn s35_a_number_that_cannot_be_handed_back_is_counted_as_leaked() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 7)).unwrap();
    for (busy, leaked) in [(false, 0), (true, 1), (true, 2), (false, 2)] {
        script.set_busy(busy);
        script.answer(Answer::Given(50));
        assert_eq!(alloc(&mut registry, set, 1, 10), Err(Error::ProviderFault));
        assert_eq!(registry.totals().leaked, leaked);
    }
}

#[test]
fn the_fingerprint_tells_allocators_apart_and_leaves_out_their_faults() {
    let script = Script::default();
    let print = |id: u32, fault: bool| {
        let mut stage = Stage::with(100, [&script]);
        let mut registry = stage.registry();
        let set = registry.create_set(up_to(10)).unwrap();
        registry.register_allocator(Script::allocator(id, 0, 0)).unwrap();
        if fault {
            script.answer(Answer::Failed);
            assert_eq!(alloc(&mut registry, set, 1, 10), Err(Error::ProviderFault));
            assert_eq!(registry.allocators().map(|one| one.faults).sum::<u32>(), 1);
        }
        registry.fingerprint()
    };
    assert_ne!(print(1, false), print(2, false));
    assert_eq!(print(1, false), print(1, true));
}

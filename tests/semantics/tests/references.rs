// SPDX-License-Identifier: BSD-2-Clause
//! Free and references (s43–s53).

use ioasid_core::{Error, Freed, Handle, State};
use semantics::{Call, Registered, Script, Stage, alloc, free, pasid, unchanged, up_to};

fn unknown() -> Handle {
    Handle { pasid: pasid(50), generation: Default::default() }
}

#[test]
fn s43_free_of_an_unknown_id_is_not_found() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    assert_eq!(unchanged(&mut registry, |registry| registry.free(set, unknown())), Err(Error::NotFound));
    assert_eq!(unchanged(&mut registry, |registry| registry.put(set, unknown())), Err(Error::NotFound));
}

#[test]
fn s44_a_second_free_never_frees_a_later_generation() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let first = alloc(&mut registry, set, 9, 9).unwrap();
    registry.free(set, first).unwrap();
    assert_eq!(unchanged(&mut registry, |registry| registry.free(set, first)), Err(Error::NotFound));
    registry.reclaim(first).unwrap();
    let second = alloc(&mut registry, set, 9, 9).unwrap();
    assert_eq!(unchanged(&mut registry, |registry| registry.free(set, first)), Err(Error::Stale));
    assert_eq!(registry.find(set, second), Ok(0));
}

#[test]
fn s44_an_id_that_nothing_is_bound_to_is_free_at_once_and_its_handle_stale() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let first = alloc(&mut registry, set, 9, 9).unwrap();
    assert_eq!(registry.free_unbound(set, first), Ok(Freed::Free));
    assert_eq!((registry.inspect(pasid(9)), registry.stats(set).unwrap().used), (None, 0));
    assert_eq!(registry.check(), Ok(()));
    let second = alloc(&mut registry, set, 9, 9).unwrap();
    assert_eq!(unchanged(&mut registry, |registry| registry.free_unbound(set, first)), Err(Error::Stale));
    let other = registry.create_set(up_to(10)).unwrap();
    assert_eq!(
        unchanged(&mut registry, |registry| registry.free_unbound(other, second)),
        Err(Error::NotOwner)
    );
    assert_eq!(
        unchanged(&mut registry, |registry| registry.free_unbound(set, unknown())),
        Err(Error::NotFound)
    );
}

#[test]
fn s46_an_id_that_nothing_is_bound_to_waits_for_the_last_reference_all_the_same() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let handle = alloc(&mut registry, set, 9, 9).unwrap();
    registry.get(set, handle).unwrap();
    assert_eq!(registry.free_unbound(set, handle), Ok(Freed::Pending));
    assert_eq!(alloc(&mut registry, set, 9, 9), Err(Error::NoSpace));
    assert_eq!(registry.put(set, handle), Ok(Freed::Teardown));
}

#[test]
fn s52_an_id_that_nothing_is_bound_to_goes_back_to_its_provider_too() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 7)).unwrap();
    let first = alloc(&mut registry, set, 9, 9).unwrap();
    let second = alloc(&mut registry, set, 10, 10).unwrap();
    let _ = script.calls();
    assert_eq!(registry.free_unbound(set, first), Ok(Freed::Free));
    assert_eq!(script.calls(), [Call::Free(7, 9)]);
    // Where the provider cannot be told yet, somebody has to reclaim it later.
    script.set_busy(true);
    assert_eq!(registry.free_unbound(set, second), Ok(Freed::Teardown));
    assert_eq!(registry.inspect(pasid(10)).unwrap().state, State::Teardown);
    script.set_busy(false);
    assert_eq!(registry.reclaim(second), Ok(()));
    assert_eq!(script.calls(), [Call::Free(7, 10)]);
}

#[test]
fn s45_free_by_another_set_is_not_owner_and_the_id_stays_live() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let owner = registry.create_set(up_to(10)).unwrap();
    let other = registry.create_set(up_to(10)).unwrap();
    let handle = alloc(&mut registry, owner, 1, 100).unwrap();
    assert_eq!(unchanged(&mut registry, |registry| registry.free(other, handle)), Err(Error::NotOwner));
    assert_eq!(unchanged(&mut registry, |registry| registry.put(other, handle)), Err(Error::NotOwner));
    assert_eq!(registry.find(owner, handle), Ok(0));
}

#[test]
fn s46_the_last_put_frees() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    registry.get(set, handle).unwrap();
    registry.get(set, handle).unwrap();
    assert_eq!(registry.put(set, handle), Ok(Freed::Held));
    assert_eq!(registry.put(set, handle), Ok(Freed::Held));
    assert_eq!(registry.find(set, handle), Ok(0));
    assert_eq!(registry.put(set, handle), Ok(Freed::Teardown));
    assert_eq!(registry.find(set, handle), Err(Error::NotFound));
    assert_eq!(registry.put(set, handle), Err(Error::NotFound));
}

#[test]
fn s47_get_of_an_unknown_id_is_not_found() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    assert_eq!(unchanged(&mut registry, |registry| registry.get(set, unknown())), Err(Error::NotFound));
}

#[test]
fn s48_without_get_put_and_free_are_the_same() {
    let mut stages = [Stage::new(100), Stage::new(100)];
    let [one, two] = &mut stages;
    let (mut put, mut freed) = (one.registry(), two.registry());
    let set = put.create_set(up_to(10)).unwrap();
    assert_eq!(freed.create_set(up_to(10)).unwrap(), set);
    let handle = alloc(&mut put, set, 1, 100).unwrap();
    assert_eq!(alloc(&mut freed, set, 1, 100).unwrap(), handle);
    assert_eq!(put.put(set, handle), freed.free(set, handle));
    assert_eq!(put.fingerprint(), freed.fingerprint());
}

#[test]
fn s49_the_reference_count_refuses_at_its_top() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    (1..0xffff).for_each(|_| registry.get(set, handle).unwrap());
    let one_more = |registry: &mut Registered<'_>| registry.get(set, handle);
    assert_eq!(unchanged(&mut registry, one_more), Err(Error::TooManyReferences));
    let looked_at = |registry: &mut Registered<'_>| registry.get_if(set, handle, |_| true);
    assert_eq!(unchanged(&mut registry, looked_at), Err(Error::TooManyReferences));
    (1..0xffff).for_each(|_| assert_eq!(registry.put(set, handle), Ok(Freed::Held)));
    assert_eq!(registry.put(set, handle), Ok(Freed::Teardown));
}

#[test]
fn s50_an_id_stops_being_found_before_it_can_be_handed_out_again() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let handle = alloc(&mut registry, set, 9, 9).unwrap();
    registry.free(set, handle).unwrap();
    assert_eq!(registry.find(set, handle), Err(Error::NotFound));
    assert_eq!(registry.inspect(pasid(9)).unwrap().state, State::Teardown);
    assert_eq!(alloc(&mut registry, set, 9, 9), Err(Error::NoSpace));
}

#[test]
fn s51_a_freed_id_reaches_the_provider_exactly_once_and_after_its_teardown() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 11)).unwrap();
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    let _ = script.calls();
    registry.get(set, handle).unwrap();
    registry.free(set, handle).unwrap();
    registry.put(set, handle).unwrap();
    assert_eq!(script.calls(), []);
    registry.reclaim(handle).unwrap();
    assert_eq!(script.calls(), [Call::Free(11, handle.pasid.get())]);
    assert!(registry.reclaim(handle).is_err());
    assert_eq!(script.calls(), []);
}

#[test]
fn s51_a_provider_that_is_busy_keeps_the_id_where_it_is() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 11)).unwrap();
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    registry.free(set, handle).unwrap();
    script.set_busy(true);
    assert_eq!(unchanged(&mut registry, |registry| registry.reclaim(handle)), Err(Error::ProviderBusy));
    script.set_busy(false);
    assert_eq!(registry.reclaim(handle), Ok(()));
}

#[test]
fn s52_a_custom_free_gets_the_groups_current_pdata() {
    let script = Script::default();
    let mut stage = Stage::with(100, [&script]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 11)).unwrap();
    registry.register_allocator(Script::allocator(2, 0, 22)).unwrap();
    let handles = [(); 2].map(|()| alloc(&mut registry, set, 1, 100).unwrap());
    let _ = script.calls();
    free(&mut registry, set, handles[0]);
    registry.free(set, handles[1]).unwrap();
    registry.unregister_allocator(ioasid_core::allocator::AllocatorId(1)).unwrap();
    registry.reclaim(handles[1]).unwrap();
    assert_eq!(script.calls(), [Call::Free(11, 1), Call::Free(22, 2)]);
}

#[test]
fn s53_a_stale_handle_is_stale_everywhere() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let old = alloc(&mut registry, set, 4, 4).unwrap();
    free(&mut registry, set, old);
    alloc(&mut registry, set, 4, 4).unwrap();
    assert_eq!(registry.find(set, old), Err(Error::Stale));
    let calls: [fn(&mut Registered<'_>, _, _) -> Error; 9] = [
        |registry, set, old| registry.free(set, old).unwrap_err(),
        |registry, set, old| registry.put(set, old).unwrap_err(),
        |registry, set, old| registry.get(set, old).unwrap_err(),
        |registry, set, old| registry.get_if(set, old, |_| true).unwrap_err(),
        |registry, set, old| registry.set_data(set, old, 1).unwrap_err(),
        |registry, set, old| registry.attach_spid(set, 0, old).unwrap_err(),
        |registry, _, old| registry.reclaim(old).unwrap_err(),
        |registry, _, old| registry.quarantine(old).unwrap_err(),
        |registry, _, old| registry.revoke(old).unwrap_err(),
    ];
    for call in calls {
        assert_eq!(unchanged(&mut registry, |registry| call(registry, set, old)), Error::Stale);
    }
}

#[test]
fn a_revoked_id_is_torn_down_whatever_references_there_are() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let handle = alloc(&mut registry, set, 4, 4).unwrap();
    registry.get(set, handle).unwrap();
    assert_eq!(registry.revoke(handle), Ok(()));
    assert_eq!(registry.find(set, handle), Err(Error::NotFound));
    assert_eq!(registry.put(set, handle), Err(Error::NotFound));
    assert_eq!(registry.revoke(handle), Err(Error::NotFound));
    assert_eq!(registry.reclaim(handle), Ok(()));
    assert_eq!(registry.check(), Ok(()));
}

// SPDX-License-Identifier: BSD-2-Clause
//! Find and private data (s54–s66).

use ioasid_core::allocator::AllocatorId;
use ioasid_core::{Error, Freed, Handle, SetId, State};
use semantics::{Registered, Script, Stage, alloc, free, pasid, unchanged, up_to};

#[test]
fn s54_an_unknown_id_is_not_found() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    assert_eq!(registry.lookup(set, pasid(5)), Err(Error::NotFound));
    let handle = alloc(&mut registry, set, 5, 5).unwrap();
    free(&mut registry, set, handle);
    assert_eq!(registry.find(set, handle), Err(Error::NotFound));
    // Nor does anybody learn how often a number was used, whose set is gone.
    assert_eq!(registry.find(SetId::NONE, handle), Err(Error::NotFound));
}

#[test]
fn s55_another_sets_id_is_not_owner() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let owner = registry.create_set(up_to(10)).unwrap();
    let other = registry.create_set(up_to(10)).unwrap();
    let handle = alloc(&mut registry, owner, 1, 100).unwrap();
    assert_eq!(registry.find(other, handle), Err(Error::NotOwner));
    assert_eq!(registry.lookup(other, handle.pasid), Err(Error::NotOwner));
}

#[test]
fn s56_only_inspect_skips_the_set_check() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let owner = registry.create_set(up_to(10)).unwrap();
    let handle = alloc(&mut registry, owner, 7, 7).unwrap();
    registry.set_data(owner, handle, 99).unwrap();
    let seen = registry.inspect(pasid(7)).unwrap();
    assert_eq!((seen.handle, seen.owner, seen.data), (handle, Some(owner), 99));
    assert_eq!((seen.state, seen.references), (State::Allocated, 1));
    assert_eq!(registry.inspect(pasid(8)), None);
}

#[test]
fn s57_data_that_was_never_set_is_0_and_no_error() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let first = alloc(&mut registry, set, 7, 7).unwrap();
    registry.set_data(set, first, 99).unwrap();
    free(&mut registry, set, first);
    let second = alloc(&mut registry, set, 7, 7).unwrap();
    assert_eq!(registry.find(set, second), Ok(0));
}

#[test]
fn s58_a_getter_that_refuses_leaks_no_reference() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let handle = alloc(&mut registry, set, 7, 7).unwrap();
    let refuse = |registry: &mut Registered<'_>| registry.get_if(set, handle, |_| false);
    assert_eq!(unchanged(&mut registry, refuse), Ok(false));
    assert_eq!(registry.get_if(set, handle, |_| true), Ok(true));
    assert_eq!(registry.put(set, handle), Ok(Freed::Held));
    assert_eq!(registry.put(set, handle), Ok(Freed::Teardown));
}

#[test]
fn s59_a_getter_sees_the_entry_as_it_is() {
    // That the entry cannot go meanwhile is the borrow: the getter has no registry to free it with.
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let handle = alloc(&mut registry, set, 7, 7).unwrap();
    registry.set_data(set, handle, 99).unwrap();
    let mut seen = 0;
    registry
        .get_if(set, handle, |data| {
            seen = data;
            true
        })
        .unwrap();
    assert_eq!(seen, 99);
}

#[test]
fn s60_find_changes_nothing() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let handle = alloc(&mut registry, set, 7, 7).unwrap();
    assert_eq!(unchanged(&mut registry, |registry| registry.find(set, handle)), Ok(0));
}

#[test]
fn s61_after_an_unregister_find_sees_the_new_allocators_space() {
    let (a, b) = (Script::default(), Script::default());
    let mut stage = Stage::with(100, [&a, &b]);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 0)).unwrap();
    registry.register_allocator(Script::allocator(2, 1, 0)).unwrap();
    let old = alloc(&mut registry, set, 1, 1).unwrap();
    registry.unregister_allocator(AllocatorId(1)).unwrap();
    let new = alloc(&mut registry, set, 2, 2).unwrap();
    assert_eq!((registry.find(set, old), registry.find(set, new)), (Err(Error::NotFound), Ok(0)));
}

#[test]
fn s62_an_id_beyond_the_capacity_is_not_found() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    for number in [101, 127, 128, 0xf_ffff] {
        let handle = Handle { pasid: pasid(number), generation: Default::default() };
        assert_eq!(registry.find(set, handle), Err(Error::NotFound));
        assert_eq!(registry.lookup(set, handle.pasid), Err(Error::NotFound));
        assert_eq!(registry.inspect(handle.pasid), None);
        assert_eq!(registry.reclaim(handle), Err(Error::NotFound));
        assert_eq!(registry.next_id(set, handle.pasid), None);
    }
}

#[test]
fn s63_set_data_of_an_unknown_id_is_not_found() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let handle = Handle { pasid: pasid(5), generation: Default::default() };
    assert_eq!(unchanged(&mut registry, |registry| registry.set_data(set, handle, 1)), Err(Error::NotFound));
}

#[test]
fn s64_after_set_data_nobody_gets_the_old_value() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let handle = alloc(&mut registry, set, 7, 7).unwrap();
    for value in [1, u64::MAX, 0] {
        registry.set_data(set, handle, value).unwrap();
        assert_eq!(registry.find(set, handle), Ok(value));
        assert_eq!(registry.lookup(set, pasid(7)), Ok((handle, value)));
    }
}

#[test]
fn s65_an_id_whose_free_is_pending_is_not_found() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    registry.get(set, handle).unwrap();
    registry.get(set, handle).unwrap();
    assert_eq!(registry.free(set, handle), Ok(Freed::Pending));
    assert_eq!(registry.find(set, handle), Err(Error::NotFound));
    assert_eq!(registry.get(set, handle), Err(Error::NotFound));
    assert_eq!(registry.free(set, handle), Err(Error::NotFound));
    assert_eq!(registry.put(set, handle), Ok(Freed::Pending));
    assert_eq!(registry.put(set, handle), Ok(Freed::Teardown));
    assert_eq!(registry.put(set, handle), Err(Error::NotFound));
}

#[test]
fn s66_find_with_a_stale_generation_is_stale() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let old = alloc(&mut registry, set, 4, 4).unwrap();
    free(&mut registry, set, old);
    let new = alloc(&mut registry, set, 4, 4).unwrap();
    assert_eq!((registry.find(set, old), registry.find(set, new)), (Err(Error::Stale), Ok(0)));
}

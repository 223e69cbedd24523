// SPDX-License-Identifier: BSD-2-Clause
//! Ids: alloc, free, references, find (s25–s66).

use ioasid_core::{Error, Freed, PasidRange};
use semantics::{Room, alloc, free_and_reclaim, pasid, up_to};

const ROOM: usize = 128;

#[test]
fn s25_an_id_is_in_the_range_with_both_ends() {
    let mut room = Room::new(ROOM);
    let mut registry = room.registry(100);
    let set = registry.create_set(up_to(100)).unwrap();
    let ids: Vec<_> = (0..3).map(|_| alloc(&mut registry, set, 60, 62).unwrap().pasid.get()).collect();
    assert_eq!(ids, [60, 61, 62]);
}

#[test]
fn s26_a_range_of_one_gives_that_id_or_no_space() {
    let mut room = Room::new(ROOM);
    let mut registry = room.registry(100);
    let set = registry.create_set(up_to(100)).unwrap();
    assert_eq!(alloc(&mut registry, set, 77, 77).unwrap().pasid, pasid(77));
    assert_eq!(alloc(&mut registry, set, 77, 77), Err(Error::NoSpace));
}

#[test]
fn s28_an_exhausted_range_is_told_apart_from_an_exhausted_quota() {
    let mut room = Room::new(ROOM);
    let mut registry = room.registry(100);
    let set = registry.create_set(up_to(3)).unwrap();
    alloc(&mut registry, set, 5, 6).unwrap();
    alloc(&mut registry, set, 5, 6).unwrap();
    assert_eq!(alloc(&mut registry, set, 5, 6), Err(Error::NoSpace));
    alloc(&mut registry, set, 7, 7).unwrap();
    assert_eq!(alloc(&mut registry, set, 1, 100), Err(Error::QuotaExceeded));
}

#[test]
fn s29_invalid_ioasid_is_no_bound() {
    assert_eq!(PasidRange::new(1, 0xffff_ffff), Err(Error::InvalidRange));
    assert_eq!(PasidRange::new(0xffff_ffff, 0xffff_ffff), Err(Error::InvalidRange));
}

#[test]
fn s30_pasid_0_is_never_handed_out() {
    let mut room = Room::new(ROOM);
    let mut registry = room.registry(127);
    let set = registry.create_set(up_to(200)).unwrap();
    assert_eq!(PasidRange::new(0, 0), Err(Error::InvalidRange));
    assert!((0..127).all(|_| alloc(&mut registry, set, 0, 127).unwrap().pasid != pasid(0)));
    assert_eq!(alloc(&mut registry, set, 0, 127), Err(Error::NoSpace));
}

#[test]
fn s31_a_range_beyond_the_width_is_invalid() {
    let mut room = Room::new(ROOM);
    let mut registry = room.registry(100);
    let set = registry.create_set(up_to(100)).unwrap();
    assert_eq!(alloc(&mut registry, set, 1, 101), Err(Error::InvalidRange));
    assert!(alloc(&mut registry, set, 100, 100).is_ok());
}

#[test]
fn s40_a_freed_id_is_not_handed_out_before_its_teardown_has_completed() {
    let mut room = Room::new(ROOM);
    let mut registry = room.registry(100);
    let set = registry.create_set(up_to(100)).unwrap();
    let handle = alloc(&mut registry, set, 9, 9).unwrap();
    assert_eq!(registry.free(set, handle), Ok(Freed::Teardown));
    assert_eq!(alloc(&mut registry, set, 9, 9), Err(Error::NoSpace));
    registry.reclaim(handle).unwrap();
    assert_eq!(alloc(&mut registry, set, 9, 9).unwrap().pasid, handle.pasid);
}

#[test]
fn s44_a_second_free_never_frees_a_later_generation() {
    let mut room = Room::new(ROOM);
    let mut registry = room.registry(100);
    let set = registry.create_set(up_to(100)).unwrap();
    let first = alloc(&mut registry, set, 9, 9).unwrap();
    registry.free(set, first).unwrap();
    assert_eq!(registry.free(set, first), Err(Error::NotFound));
    registry.reclaim(first).unwrap();
    let second = alloc(&mut registry, set, 9, 9).unwrap();
    assert_eq!(registry.free(set, first), Err(Error::Stale));
    assert_eq!(registry.find(set, second), Ok(0));
}

#[test]
fn s46_the_last_put_frees() {
    let mut room = Room::new(ROOM);
    let mut registry = room.registry(100);
    let set = registry.create_set(up_to(100)).unwrap();
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    registry.get(set, handle).unwrap();
    assert_eq!(registry.put(set, handle), Ok(Freed::Held));
    assert_eq!(registry.find(set, handle), Ok(0));
    assert_eq!(registry.put(set, handle), Ok(Freed::Teardown));
    assert_eq!(registry.find(set, handle), Err(Error::NotFound));
}

#[test]
fn s55_find_by_another_set_is_not_owner() {
    let mut room = Room::new(ROOM);
    let mut registry = room.registry(100);
    let owner = registry.create_set(up_to(100)).unwrap();
    let other = registry.create_set(up_to(100)).unwrap();
    let handle = alloc(&mut registry, owner, 1, 100).unwrap();
    assert_eq!(registry.find(other, handle), Err(Error::NotOwner));
}

#[test]
fn s65_an_id_whose_free_is_pending_is_not_found() {
    let mut room = Room::new(ROOM);
    let mut registry = room.registry(100);
    let set = registry.create_set(up_to(100)).unwrap();
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    registry.get(set, handle).unwrap();
    assert_eq!(registry.free(set, handle), Ok(Freed::Pending));
    assert_eq!(registry.find(set, handle), Err(Error::NotFound));
    assert_eq!(registry.put(set, handle), Ok(Freed::Teardown));
}

#[test]
fn s66_find_with_a_stale_generation_is_stale() {
    let mut room = Room::new(ROOM);
    let mut registry = room.registry(100);
    let set = registry.create_set(up_to(100)).unwrap();
    let old = alloc(&mut registry, set, 4, 4).unwrap();
    free_and_reclaim(&mut registry, set, old).unwrap();
    alloc(&mut registry, set, 4, 4).unwrap();
    assert_eq!(registry.find(set, old), Err(Error::Stale));
}

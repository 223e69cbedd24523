// SPDX-License-Identifier: BSD-2-Clause
//! Events (s77–s80).

use ioasid_core::event::{Event, EventKind, Role, SubscriberId, Subscription};
use ioasid_core::{Config, Error, Freed, Generation, Handle, Memory, Progress, Registry, SetId, State, Work};
use semantics::{BOUND, Ear, Registered, Script, Stage, alloc, end, free, pasid, unchanged, up_to};

fn subscribe(
    registry: &mut Registered<'_>,
    set: Option<SetId>,
    role: Role,
    acknowledges: bool,
) -> SubscriberId {
    registry.subscribe(Subscription { set, role, acknowledges }).expect("there is room for a subscriber")
}

#[test]
fn s77_every_kind_reaches_those_whose_affair_it_is_and_nobody_else() {
    let mut stage = Stage::new(100);
    let ear = stage.ear.clone();
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let other = registry.create_set(up_to(10)).unwrap();
    let own = subscribe(&mut registry, Some(set), Role::Cpu, false);
    let all = subscribe(&mut registry, None, Role::Observer, false);
    let stranger = subscribe(&mut registry, Some(other), Role::Cpu, false);

    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    for kind in [EventKind::Bind, EventKind::Fault, EventKind::Unbind] {
        registry.publish(&Event::new(kind, set, Some(handle))).unwrap();
    }
    free(&mut registry, set, handle);
    let second = alloc(&mut registry, set, 1, 100).unwrap();
    registry.revoke(second).unwrap();
    registry.reclaim(second).unwrap();
    end(&mut registry, set);

    let expected = [
        (EventKind::Alloc, Some(handle)),
        (EventKind::Bind, Some(handle)),
        (EventKind::Fault, Some(handle)),
        (EventKind::Unbind, Some(handle)),
        (EventKind::Free, Some(handle)),
        (EventKind::Alloc, Some(second)),
        (EventKind::Revoke, Some(second)),
        (EventKind::SetGone, None),
    ];
    let heard = ear.heard();
    for one in [own, all] {
        let told = heard.iter().filter(|(to, ..)| *to == one).map(|&(_, kind, handle)| (kind, handle));
        assert!(told.eq(expected), "{one:?}");
    }
    assert!(heard.iter().all(|(to, ..)| *to != stranger));
    // The set's own subscription ended with it.
    assert_eq!(registry.unsubscribe(own), Err(Error::NoSuchPeer));
    assert_eq!(registry.publish(&Event::new(EventKind::Fault, set, None)), Err(Error::NoSuchSet));
}

#[test]
fn s78_processors_are_told_before_devices_and_devices_before_the_teardown() {
    let mut stage = Stage::new(100);
    let ear = stage.ear.clone();
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    // In an order that is not the one in which they are told.
    let observer = subscribe(&mut registry, None, Role::Observer, true);
    let device = subscribe(&mut registry, Some(set), Role::Device, true);
    let cpu = subscribe(&mut registry, Some(set), Role::Cpu, true);
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    let _ = ear.heard();
    let told = |to| vec![(to, EventKind::Free, Some(handle))];

    assert_eq!(registry.free(set, handle), Ok(Freed::Pending));
    assert_eq!(ear.heard(), told(cpu));
    assert_eq!(registry.inspect(handle.pasid).unwrap().state, State::Stopping);
    assert_eq!(registry.poll(0), None);
    assert_eq!(registry.acknowledge(device, handle), Err(Error::NotFound), "it was not asked yet");
    registry.acknowledge(cpu, handle).unwrap();
    assert_eq!(registry.poll(0), Some(Work::Announced(handle)));
    assert_eq!(ear.heard(), told(device));
    assert_eq!(registry.poll(0), None);
    assert_eq!(registry.reclaim(handle), Err(Error::InUse), "the device has not let go");
    registry.acknowledge(device, handle).unwrap();
    assert_eq!(registry.acknowledge(device, handle), Err(Error::NotFound), "once is enough");
    assert_eq!(registry.poll(0), Some(Work::Teardown(handle)));
    assert_eq!(ear.heard(), told(observer));
    assert_eq!(registry.poll(0), None);
    assert_eq!(registry.reclaim(handle), Ok(()));
    assert_eq!(registry.check(), Ok(()));
}

#[test]
fn s78_an_id_that_is_given_up_has_no_data() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let handles = [(); 2].map(|()| alloc(&mut registry, set, 1, 100).unwrap());
    handles.iter().for_each(|&handle| registry.set_data(set, handle, 99).unwrap());
    // What is kept of the wait in its place is nobody's affair.
    registry.free(set, handles[0]).unwrap();
    subscribe(&mut registry, Some(set), Role::Cpu, true);
    registry.free(set, handles[1]).unwrap();
    let seen = handles.map(|handle| registry.inspect(handle.pasid).unwrap());
    assert_eq!(seen.map(|seen| (seen.state, seen.data)), [(State::Teardown, 0), (State::Stopping, 0)]);
}

#[test]
fn s78_what_is_not_acknowledged_does_not_stop_the_teardown() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    subscribe(&mut registry, Some(set), Role::Cpu, true);
    subscribe(&mut registry, Some(set), Role::Device, true);
    // The clock wraps on the way.
    let start = u32::MAX - BOUND / 2;
    assert_eq!(registry.poll(start), None);
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    registry.free(set, handle).unwrap();
    assert_eq!(registry.poll(start.wrapping_add(BOUND - 1)), None);
    assert_eq!(registry.poll(start.wrapping_add(BOUND)), Some(Work::Announced(handle)));
    assert_eq!(registry.poll(start.wrapping_add(2 * BOUND - 1)), None);
    assert_eq!(registry.poll(start.wrapping_add(2 * BOUND)), Some(Work::Teardown(handle)));
}

#[test]
fn s78_every_id_waits_for_its_own_time() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(100)).unwrap();
    let cpu = subscribe(&mut registry, Some(set), Role::Cpu, true);
    let ids: Vec<_> = (0..10).map(|_| alloc(&mut registry, set, 1, 100).unwrap()).collect();
    for (time, &handle) in (0..).zip(&ids) {
        registry.poll(time);
        registry.free(set, handle).unwrap();
        assert_eq!(registry.check(), Ok(()));
    }
    // The first five are acknowledged, the last first; the others' time comes one after the other.
    ids[..5].iter().rev().for_each(|&handle| registry.acknowledge(cpu, handle).unwrap());
    assert!(ids[..5].iter().all(|&handle| registry.poll(10) == Some(Work::Teardown(handle))));
    for (time, &handle) in (0..).zip(&ids).skip(5) {
        assert_eq!(registry.poll(BOUND + time - 1), None);
        assert_eq!(registry.poll(BOUND + time), Some(Work::Teardown(handle)));
    }
    assert_eq!(registry.check(), Ok(()));
}

#[test]
fn s78_one_sets_silence_holds_up_nobody_else() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let silent = registry.create_set(up_to(10)).unwrap();
    let prompt = registry.create_set(up_to(10)).unwrap();
    subscribe(&mut registry, Some(silent), Role::Cpu, true);
    let quick = subscribe(&mut registry, Some(prompt), Role::Cpu, true);
    let theirs = alloc(&mut registry, silent, 1, 100).unwrap();
    let mine = alloc(&mut registry, prompt, 1, 100).unwrap();
    registry.free(silent, theirs).unwrap();
    registry.free(prompt, mine).unwrap();
    let foreign = |registry: &mut Registered<'_>| registry.acknowledge(quick, theirs);
    assert_eq!(unchanged(&mut registry, foreign), Err(Error::NotFound));
    // Nor does it learn which life of the number the other one has.
    let guess = Handle { generation: Generation::from_raw(99), ..theirs };
    let guessed = |registry: &mut Registered<'_>| registry.acknowledge(quick, guess);
    assert_eq!(unchanged(&mut registry, guessed), Err(Error::NotFound));
    registry.acknowledge(quick, mine).unwrap();
    assert_eq!(registry.poll(0), Some(Work::Teardown(mine)));
    assert_eq!(registry.poll(0), None);
}

#[test]
fn s78_a_set_that_ends_lets_go_in_the_same_order() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let device = subscribe(&mut registry, None, Role::Device, true);
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    registry.free_set(set).unwrap();
    let mut out = [handle; 4];
    let drained = registry.drain_set(set, &mut out).unwrap();
    assert_eq!((drained.filled, drained.progress), (0, Progress::Waiting));
    registry.acknowledge(device, handle).unwrap();
    assert_eq!(registry.poll(0), Some(Work::Teardown(handle)));
    registry.reclaim(handle).unwrap();
    assert_eq!(registry.drain_set(set, &mut out).unwrap().progress, Progress::Gone);
}

#[test]
fn s78_who_is_waited_for_is_bounded() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    let other = registry.create_set(up_to(10)).unwrap();
    for _ in 0..15 {
        subscribe(&mut registry, Some(set), Role::Cpu, true);
    }
    let everywhere = Subscription { set: None, role: Role::Device, acknowledges: true };
    let last = registry.subscribe(everywhere).unwrap();
    let own = Subscription { set: Some(set), ..everywhere };
    assert_eq!(registry.subscribe(own), Err(Error::RegistryFull));
    assert_eq!(registry.subscribe(everywhere), Err(Error::RegistryFull));
    // Another set is not concerned by those of this one.
    assert!(registry.subscribe(Subscription { set: Some(other), ..everywhere }).is_ok());
    registry.unsubscribe(last).unwrap();
    assert_eq!(registry.unsubscribe(last), Err(Error::NoSuchPeer));
    assert!(registry.subscribe(own).is_ok());
}

#[test]
fn s79_two_frees_of_one_id_give_one_event() {
    let mut stage = Stage::new(100);
    let ear = stage.ear.clone();
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    subscribe(&mut registry, Some(set), Role::Cpu, false);
    let handle = alloc(&mut registry, set, 1, 100).unwrap();
    registry.get(set, handle).unwrap();
    let _ = ear.heard();
    registry.free(set, handle).unwrap();
    assert!(registry.free(set, handle).is_err());
    assert_eq!(registry.put(set, handle), Ok(Freed::Teardown));
    assert!(registry.free(set, handle).is_err());
    registry.reclaim(handle).unwrap();
    assert_eq!(ear.heard().len(), 1);
}

/// What a subscriber knows who applies a snapshot and then the events.
fn known(snapshot: &[(SetId, Handle)], events: &[(SubscriberId, EventKind, Option<Handle>)]) -> Vec<Handle> {
    let mut known: Vec<_> = snapshot.iter().map(|&(_, handle)| handle).collect();
    for &(_, kind, handle) in events {
        let handle = handle.expect("these events are of ids");
        known.retain(|one| one.pasid != handle.pasid);
        if kind == EventKind::Alloc {
            known.push(handle);
        }
    }
    known.sort_by_key(|handle| handle.pasid);
    known
}

#[test]
fn s80_a_late_subscriber_gets_a_snapshot_and_then_events_with_no_gap() {
    let mut stage = Stage::new(500);
    let ear = stage.ear.clone();
    let mut registry = stage.registry();
    let sets = [registry.create_set(up_to(500)).unwrap(), registry.create_set(up_to(500)).unwrap()];
    let mut live: Vec<_> =
        (0..100).map(|n| (sets[n % 2], alloc(&mut registry, sets[n % 2], 1, 500).unwrap())).collect();
    for scope in [None, Some(sets[1])] {
        let late = subscribe(&mut registry, scope, Role::Observer, false);
        let _ = ear.heard();
        let mut snapshot = Vec::new();
        let mut next = None;
        loop {
            let mut out = [live[0]; 3];
            let (filled, rest) = registry.snapshot(late, next, &mut out).unwrap();
            snapshot.extend_from_slice(&out[..filled]);
            // Between the slices ids come and go, in front of the snapshot and behind it.
            let (set, handle) = live.remove(snapshot.len() % live.len());
            free(&mut registry, set, handle);
            let set = sets[snapshot.len() % 2];
            live.push((set, alloc(&mut registry, set, 1, 500).unwrap()));
            match rest {
                Some(_) => next = rest,
                None => break,
            }
        }
        let mut truth: Vec<_> = live
            .iter()
            .filter(|(set, _)| scope.is_none_or(|scope| scope == *set))
            .map(|&(_, handle)| handle)
            .collect();
        truth.sort_by_key(|handle| handle.pasid);
        assert_eq!(known(&snapshot, &ear.heard()), truth);
        registry.unsubscribe(late).unwrap();
    }
}

#[test]
fn a_subscription_to_no_set_is_refused() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(10)).unwrap();
    end(&mut registry, set);
    let gone = Subscription { set: Some(set), role: Role::Cpu, acknowledges: false };
    assert_eq!(registry.subscribe(gone), Err(Error::NoSuchSet));
    let handle = Handle { pasid: pasid(1), generation: Default::default() };
    let somebody = subscribe(&mut registry, None, Role::Cpu, true);
    registry.unsubscribe(somebody).unwrap();
    assert_eq!(registry.acknowledge(somebody, handle), Err(Error::NoSuchPeer));
    assert_eq!(registry.snapshot(somebody, None, &mut []), Err(Error::NoSuchPeer));
}

#[test]
fn s77_events_may_go_to_somebody_borrowed() {
    let mut ear = Ear::default();
    let heard = ear.clone();
    let mut words = vec![0; Memory::words_for(100)];
    let memory = Memory { words: &mut words };
    let mut registry: Registry<'_, Script, _> =
        Registry::with(memory, Config::default(), &mut [], &mut ear).unwrap();
    let set = registry.create_set(up_to(10)).unwrap();
    registry.subscribe(Subscription { set: None, role: Role::Observer, acknowledges: false }).unwrap();
    registry.alloc(set, 1..=50, 0).unwrap();
    assert_eq!(heard.heard().len(), 1);
}

#[test]
fn s77_who_has_unsubscribed_or_whose_set_is_gone_leaves_no_trace() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let before = registry.fingerprint();
    let subscriber = subscribe(&mut registry, None, Role::Cpu, true);
    registry.unsubscribe(subscriber).unwrap();
    assert_eq!((registry.check(), registry.fingerprint()), (Ok(()), before));
    let set = registry.create_set(up_to(10)).unwrap();
    subscribe(&mut registry, Some(set), Role::Cpu, true);
    end(&mut registry, set);
    assert_eq!(registry.check(), Ok(()));
}

#[test]
fn s78_each_who_is_waited_for_is_waited_for_by_itself() {
    let mut stage = Stage::new(100);
    let mut registry = stage.registry();
    let [one, other] = [(); 2].map(|()| registry.create_set(up_to(10)).unwrap());
    let own = subscribe(&mut registry, Some(one), Role::Cpu, true);
    let _others = subscribe(&mut registry, Some(other), Role::Cpu, true);
    let everybodys = subscribe(&mut registry, None, Role::Cpu, true);
    let handle = alloc(&mut registry, one, 1, 100).unwrap();
    assert_eq!(registry.free(one, handle), Ok(Freed::Pending));
    registry.acknowledge(own, handle).unwrap();
    assert_eq!(registry.poll(0), None);
    registry.acknowledge(everybodys, handle).unwrap();
    assert_eq!(registry.poll(0), Some(Work::Teardown(handle)));
}

#[test]
fn s80_a_slice_of_a_snapshot_looks_at_128_ids_for_each_that_it_may_hold() {
    let mut stage = Stage::new(2047);
    let mut registry = stage.registry();
    let set = registry.create_set(up_to(2047)).unwrap();
    let ids: Vec<_> = (0..2000).map(|_| alloc(&mut registry, set, 1, 2047).unwrap()).collect();
    ids.iter().for_each(|&handle| assert!(registry.free(set, handle).is_ok()));
    let last = alloc(&mut registry, set, 1, 2047).unwrap();
    let subscriber = subscribe(&mut registry, None, Role::Observer, false);
    let mut out = [(set, last); 4];
    let (mut from, mut slices, mut found) = (None, 0, 0);
    loop {
        let (filled, next) = registry.snapshot(subscriber, from, &mut out).unwrap();
        (from, slices, found) = (next, slices + 1, found + filled);
        if from.is_none() {
            break;
        }
    }
    // 2,001 ids, a turn for each of 32 sets.
    assert_eq!((slices, found), (2033_usize.div_ceil(128 * 4), 1));
}

#[test]
fn s80_a_snapshot_goes_on_behind_the_highest_id() {
    let mut stage = Stage::new(0xf_ffff);
    let mut registry = stage.registry();
    let [one, other] = [(); 2].map(|()| registry.create_set(up_to(10)).unwrap());
    let highest = alloc(&mut registry, one, 0xf_ffff, 0xf_ffff).unwrap();
    let lowest = alloc(&mut registry, other, 1, 10).unwrap();
    let subscriber = subscribe(&mut registry, None, Role::Observer, false);
    let mut out = [(one, lowest); 4];
    let (filled, next) = registry.snapshot(subscriber, None, &mut out).unwrap();
    assert_eq!((&out[..filled], next), (&[(one, highest), (other, lowest)][..], None));
}

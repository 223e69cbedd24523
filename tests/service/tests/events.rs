// SPDX-License-Identifier: BSD-2-Clause
//! Who is told of what.

use ioasid_api::EventKind;
use ioasid_client::{Role, Share};
use service_rig::{Grant, Machine};

#[test]
fn s77_a_fault_is_told_to_the_one_whose_device_it_was_by_that_ones_index() {
    const STRANGER: u16 = 0x40;
    let b = Grant::new("b").device(0x20).device(0x28);
    let mut machine = Machine::new(&[Grant::new("a").device(0x18), b, Grant::new("admin").admin()]);
    machine.add_function(STRANGER);
    let service = machine.start();
    let [mut a, mut b] = ["a", "b"].map(|name| service.events(name));
    let faults = [0x28, 0x18, STRANGER];
    for source in faults {
        assert!(!service.device(source).read_to(None, 0x5000, 0, 1));
        service.fault_event();
    }
    let [first, second] = [a.pop().unwrap(), b.pop().unwrap()];
    assert_eq!([first.kind, second.kind], [EventKind::Fault; 2]);
    assert_eq!([first.device, second.device], [0, 1]);
    assert_eq!([a.pop(), b.pop(), service.events("admin").pop()], [None; 3]);
    assert_eq!(service.client("admin").check().unwrap().stray_faults, 1);
}

#[test]
fn s77_binding_and_the_sets_end_are_told() {
    let mut machine = Machine::new(&[Grant::new("a").device(0x18), Grant::new("admin").admin()]);
    let service = machine.start();
    let [client, admin] = ["a", "admin"].map(|name| service.client(name));
    let mut events = service.events("a");
    client.subscribe(Role::Observer, false).unwrap();
    let id = client.alloc(1..=100, 0).unwrap();
    client.bind(id, 0).unwrap();
    client.unbind(id, 0).unwrap();
    while admin.free_set(0).unwrap().more != 0 {}
    let told: Vec<_> = core::iter::from_fn(|| events.pop()).map(|event| (event.kind, event.handle)).collect();
    let of_id = [EventKind::Alloc, EventKind::Bind, EventKind::Unbind].map(|kind| (kind, Some(id)));
    assert_eq!(told, [&of_id[..], &[(EventKind::SetGone, None)]].concat());
}

#[test]
fn s78_many_that_are_due_at_once_take_many_calls() {
    let mut machine = Machine::new(&[Grant::new("a").share(0, 100)]);
    let service = machine.start();
    let client = service.client("a");
    client.subscribe(Role::Cpu, true).unwrap();
    let ids: Vec<_> = (0..20).map(|_| client.alloc(1..=4000, 0).unwrap()).collect();
    ids.iter().for_each(|&id| client.free(id).unwrap());
    // The last is acknowledged first: what is due is due behind the call that acknowledges the first.
    ids.iter().rev().for_each(|&id| client.acknowledge(id).unwrap());
    assert_eq!([(); 4].map(|()| client.own_usage().unwrap().used), [12, 4, 0, 0]);
}

#[test]
fn s76_a_subscription_ends_with_its_set_and_so_does_what_waits_for_it() {
    let mut machine = Machine::new(&[Grant::new("a"), Grant::new("admin").admin()]);
    let service = machine.start();
    let [client, admin] = ["a", "admin"].map(|name| service.client(name));
    client.subscribe(Role::Cpu, true).unwrap();
    let [freed, _] = [(); 2].map(|()| client.alloc(1..=100, 0).unwrap());
    client.free(freed).unwrap();
    // What waits for an acknowledgement goes on when its time is over; the rest waits for nobody.
    assert_eq!(admin.free_set(0).unwrap().done, 1);
    assert!((0..1100).any(|_| admin.free_set(0).unwrap().more == 0));
    admin.open_set(0, Share { reservation: 0, limit: 8 }).unwrap();
    assert_eq!(service.client("a").subscribe(Role::Observer, false), Ok(()));
}

// SPDX-License-Identifier: BSD-2-Clause
//! Providers behind custom allocators, as far as the service has to do with them.

use ioasid_client::{Code, Error, Handle, Share, Task};
use service_rig::{Client, Grant, Machine};

#[test]
fn s23_whoever_waits_for_a_provider_that_goes_is_told_at_once() {
    let mut machine =
        Machine::new(&[Grant::new("a"), Grant::new("provider").provider(), Grant::new("admin").admin()]);
    let service = machine.start();
    let [client, admin] = ["a", "admin"].map(|name| service.client(name));
    admin.register_allocator(1, 0, 0, 0).unwrap();
    assert_eq!(client.alloc(1..=8, 0), Err(Error::Refused(Code::Pending)));
    assert!(!service.was_notified("a"));
    admin.unregister_allocator(1).unwrap();
    assert!(service.was_notified("a"));
    assert_eq!(client.alloc_result(), Err(Error::Refused(Code::ProviderFault)));
}

const IDS: u32 = 300;

/// A client's ids, all of them, chosen by a provider.
fn chosen(client: Client<'_, '_>, provider: Client<'_, '_>) -> Vec<Handle> {
    let one = |number| {
        assert_eq!(client.alloc(1..=4095, 0), Err(Error::Refused(Code::Pending)));
        let Ok(Some(Task::Choose { ticket, .. })) = provider.next_task() else { panic!("a question") };
        provider.give(ticket, number).expect("an answer");
        client.alloc_result().expect("an id")
    };
    (1..=IDS).map(one).collect()
}

#[test]
fn s23_what_a_provider_was_never_told_of_is_its_clients_again_when_it_is_gone() {
    let client = Grant::new("a").share(0, IDS);
    let mut machine = Machine::new(&[client, Grant::new("provider").provider(), Grant::new("admin").admin()]);
    let service = machine.start();
    let [client, provider, admin] = ["a", "provider", "admin"].map(|name| service.client(name));
    let used = || client.own_usage().unwrap().used;
    admin.register_allocator(1, 0, 0, 0).unwrap();
    // It fetches no more, and there is room for a few questions only.
    chosen(client, provider).into_iter().for_each(|id| client.free(id).unwrap());
    assert_eq!(used(), IDS - 64);
    admin.unregister_allocator(1).unwrap();
    assert_eq!((0..IDS).take_while(|_| client.alloc(1..=4095, 0).is_ok()).count(), IDS as usize);
    assert_eq!(used(), IDS);
}

#[test]
fn s76_a_set_ends_whatever_a_provider_that_is_gone_was_never_told_of() {
    let client = Grant::new("a").share(0, IDS);
    let mut machine = Machine::new(&[client, Grant::new("provider").provider(), Grant::new("admin").admin()]);
    let service = machine.start();
    let [client, provider, admin] = ["a", "provider", "admin"].map(|name| service.client(name));
    admin.register_allocator(1, 0, 0, 0).unwrap();
    chosen(client, provider).into_iter().for_each(|id| client.free(id).unwrap());
    admin.unregister_allocator(1).unwrap();
    assert!((0..10).any(|_| admin.free_set(0).unwrap().more == 0));
}

#[test]
fn s42_what_became_of_an_allocation_is_told_once_and_to_no_later_life() {
    let mut machine =
        Machine::new(&[Grant::new("a"), Grant::new("provider").provider(), Grant::new("admin").admin()]);
    let service = machine.start();
    let [client, provider, admin] = ["a", "provider", "admin"].map(|name| service.client(name));
    admin.register_allocator(1, 0, 0, 0).unwrap();
    client.alloc(1..=8, 0).unwrap_err();
    let Some(Task::Choose { ticket, .. }) = provider.next_task().unwrap() else { panic!("a question") };
    provider.give(ticket, 8).unwrap();
    // Nor is it lost where the client asks for another first.
    assert_eq!(client.alloc(1..=8, 0), Err(Error::Refused(Code::ProviderBusy)));
    assert_eq!(client.alloc_result().map(|id| id.pasid), Ok(8));
    assert_eq!(client.alloc_result(), Err(Error::Refused(Code::NotFound)));
    client.alloc(1..=8, 0).unwrap_err();
    while admin.free_set(0).unwrap().more != 0 {}
    admin.open_set(0, Share { reservation: 0, limit: 8 }).unwrap();
    assert_eq!(service.client("a").alloc_result(), Err(Error::Refused(Code::NotFound)));
}

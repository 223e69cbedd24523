// SPDX-License-Identifier: BSD-2-Clause
//! What is in a client's find page is live, and nothing else is.

use ioasid_api::EventKind;
use ioasid_client::{Access, Extent, RegionOffset, Task};
use service_rig::{Grant, Machine};

const DEVICE: u16 = 0x18;

#[test]
fn s65_an_id_whose_free_is_pending_is_not_in_the_page() {
    let mut machine = Machine::new(&[Grant::new("a")]);
    let service = machine.start();
    let (client, page) = (service.client("a"), service.find("a"));
    let id = client.alloc(1..=100, 7).unwrap();
    client.get(id).unwrap();
    assert_eq!(page.find(id), Some(7));
    client.free(id).unwrap();
    assert_eq!(page.find(id), None);
}

#[test]
fn s50_an_id_that_is_torn_down_is_not_in_the_page() {
    let mut machine = Machine::new(&[Grant::new("a").device(DEVICE)]);
    let service = machine.start();
    let (client, page) = (service.client("a"), service.find("a"));
    for lost in [false, true] {
        let id = client.alloc(1..=100, 7).unwrap();
        let extent = Extent { pages: 1, access: Access::Read };
        client.map(id, 0x1000, RegionOffset { region: 0, offset: 0 }, extent).unwrap();
        client.bind(id, 0).unwrap();
        assert_eq!(page.find(id), Some(7));
        service.unit().with(|unit| unit.behaviour.lose_completions = lost);
        assert_eq!(client.free(id).is_err(), lost);
        assert_eq!(page.find(id), None);
    }
}

#[test]
fn s21_an_orphan_is_not_in_the_page() {
    let mut machine =
        Machine::new(&[Grant::new("a"), Grant::new("provider").provider(), Grant::new("admin").admin()]);
    let service = machine.start();
    let [client, provider, admin] = ["a", "provider", "admin"].map(|name| service.client(name));
    admin.register_allocator(1, 0, 0, 0).unwrap();
    client.alloc(1..=100, 7).unwrap_err();
    let Some(Task::Choose { ticket, .. }) = provider.next_task().unwrap() else { panic!("a question") };
    provider.give(ticket, 9).unwrap();
    let id = client.alloc_result().unwrap();
    assert_eq!(service.find("a").find(id), Some(7));
    assert_eq!(admin.unregister_allocator(1), Ok(1));
    assert_eq!(service.find("a").find(id), None);
    let mut events = service.events("a");
    assert_eq!(admin.reclaim_orphans().map(|progress| progress.done), Ok(1));
    assert_eq!(events.pop().map(|event| (event.kind, event.handle)), Some((EventKind::Revoke, Some(id))));
}

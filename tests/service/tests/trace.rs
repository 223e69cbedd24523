// SPDX-License-Identifier: BSD-2-Clause
//! What the server did stands in its trace, and what each set uses follows from the trace alone.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use ioasid_api::{AllocBatch, Field, Handle};
use ioasid_client::{Access, Code, Extent, RegionOffset, Share};
use ioasid_trace::{Direction, Event, Record, ShareWhy, Trace};
use service_rig::{Grant, Machine, Service};

const DEVICE: u16 = 0x18;
const PAGE: Extent = Extent { pages: 1, access: Access::Read };
const SOURCE: RegionOffset = RegionOffset { region: 0, offset: 0 };

fn records(service: &Service<'_>) -> Vec<Record> {
    let words = service.trace();
    let trace = Trace::read(&words).unwrap();
    trace.records(trace.written()).collect()
}

/// What happened in or to a set, without what is stated again.
fn events(service: &Service<'_>, set: u8) -> Vec<Event> {
    let stated = |event: &Event| matches!(event, Event::Share { why: ShareWhy::Stated, .. });
    let records = records(service).into_iter().filter(|record| record.set == Some(set));
    records.map(|record| record.event.unwrap()).filter(|event| !stated(event)).collect()
}

#[test]
fn the_life_of_an_id_can_be_read() {
    let mut machine = Machine::new(&[Grant::new("other"), Grant::new("driver").device(DEVICE)]);
    let service = machine.start();
    let client = service.client("driver");
    let handle = client.alloc(1..=4000, 0).unwrap();
    client.map(handle, 0x1000, SOURCE, PAGE).unwrap();
    client.bind(handle, 0).unwrap();
    assert!(!service.device(DEVICE).write_from(None, 0x1000, 0, 1));
    service.fault_event();
    client.unmap(handle, 0x1000, 1).unwrap();
    client.unbind(handle, 0).unwrap();
    client.free(handle).unwrap();
    assert!(client.free(handle).is_err());
    assert!(client.free(handle).is_err());

    let id = handle;
    let events = events(&service, 1);
    let [alloc, map, bind, fault, unmap, unbind, free, refused] = events[..] else { panic!("{events:#?}") };
    assert_eq!(alloc, Event::Alloc { id });
    let (iova, pages) = (0x1000, 1);
    assert_eq!(map, Event::Map { id, iova, pages, access: Access::Read, source: SOURCE });
    assert_eq!(bind, Event::Bind { id, device: DEVICE, tagged: false });
    let Event::Fault { device: DEVICE, direction: Direction::Write, pasid: None, address, id: of, .. } =
        fault
    else {
        panic!("{fault:?}")
    };
    assert_eq!((address, of), (0x1000, Some(id)));
    assert_eq!(unmap, Event::Unmap { id, iova, pages });
    assert_eq!(unbind, Event::Unbind { id, device: DEVICE, tagged: false });
    assert_eq!(free, Event::Free { id });
    let Event::Refused { operation: 0x11, code, times: 2, total: 2 } = refused else { panic!("{refused:?}") };
    assert_eq!(code, Code::NotFound as u16);
    assert_eq!(self::events(&service, 0), []);
}

#[test]
fn a_fault_of_nobodys_device_is_of_no_set() {
    let mut machine = Machine::new(&[Grant::new("driver").device(DEVICE)]);
    let service = machine.start();
    assert!(!service.device(0x20).read_to(None, 0x1000, 0, 1));
    service.fault_event();
    let faults: Vec<_> = records(&service)
        .into_iter()
        .filter_map(|record| {
            Some((record.set, record.event.filter(|event| matches!(event, Event::Fault { .. }))?))
        })
        .collect();
    let [(None, Event::Fault { device: 0x20, id: None, .. })] = faults[..] else { panic!("{faults:?}") };
}

/// What the sets use, said by the trace alone: the last statement, and what happened afterwards.
fn used(records: &[Record], sets: usize) -> Vec<u32> {
    let mut used = vec![0; sets];
    for record in records {
        let Some(set) = record.set.map(usize::from) else { continue };
        match record.event.unwrap() {
            Event::Share { used: stated, .. } => used[set] = stated,
            // Before the first statement only differences are known.
            Event::Alloc { .. } => used[set] = used[set].wrapping_add(1),
            Event::Free { .. } => used[set] = used[set].wrapping_sub(1),
            _ => {}
        }
    }
    used
}

#[test]
fn use_follows_from_the_ring_alone_however_often_it_went_around() {
    let grants = ["a", "b", "c"].map(|name| Grant::new(name).share(0, 500));
    let mut machine = Machine::new(&grants);
    let service = machine.start();
    let clients = ["a", "b", "c"].map(|name| service.client(name));
    let mut held = [const { Vec::new() }; 3];
    let mut rounds = 0;
    for step in 0_usize..4000 {
        // An arbitrary walk: whoever has many frees, now and then many at once.
        let who = step * 7 % 3;
        let room = 1 + step * 31 % 97;
        if held[who].len() >= room {
            let handle = held[who].pop().unwrap();
            clients[who].free(handle).unwrap();
        } else {
            held[who].push(clients[who].alloc(1..=4000, 0).unwrap());
        }
        if step % 1000 == 999 {
            let many = AllocBatch { min: 1, max: 4000, count: 64, data: 0 };
            clients[who].call(&many).unwrap();
            let page = service.batch_page(["a", "b", "c"][who]);
            let words = page.iter().take(64).map(|word| word.load(std::sync::atomic::Ordering::Relaxed));
            held[who].extend(words.map(|word| Handle::from_word(word).unwrap()));
        }
        if step % 50 == 0 {
            let records = records(&service);
            rounds = records.last().unwrap().number / records.len() as u64;
            let expected: Vec<_> = held.iter().map(|ids| u32::try_from(ids.len()).unwrap()).collect();
            assert_eq!(used(&records, 3), expected, "step {step}");
        }
    }
    assert!(rounds >= 3, "the ring went around only {rounds} times");
}

#[test]
fn a_sets_end_and_its_new_beginning_can_be_read() {
    let mut machine = Machine::new(&[Grant::new("driver").share(4, 8), Grant::new("admin").admin()]);
    let service = machine.start();
    let (client, admin) = (service.client("driver"), service.client("admin"));
    let id = client.alloc(1..=4000, 0).unwrap();
    admin.adjust_set(0, Share { reservation: 2, limit: 6 }).unwrap();
    while admin.free_set(0).unwrap().more != 0 {}
    admin.open_set(0, Share { reservation: 1, limit: 3 }).unwrap();
    let (peak, faults, refused) = (1, 0, 0);
    let share =
        |why, reservation, limit, used| Event::Share { why, reservation, limit, used, peak, faults, refused };
    let opened =
        Event::Share { why: ShareWhy::Opened, reservation: 1, limit: 3, used: 0, peak: 0, faults, refused };
    let events = events(&service, 0);
    assert_eq!(
        events[..3],
        [Event::Alloc { id }, share(ShareWhy::Adjusted, 2, 6, 1), share(ShareWhy::Ending, 0, 0, 1),]
    );
    assert_eq!(events[3], Event::Free { id });
    let Event::Share { why: ShareWhy::Gone, used: 0, .. } = events[4] else { panic!("{events:?}") };
    assert_eq!(events[5..], [opened]);
}

#[test]
fn an_id_that_a_provider_has_yet_to_give_is_not_used_yet() {
    let grants =
        [Grant::new("a").share(0, 8), Grant::new("provider").provider(), Grant::new("admin").admin()];
    let mut machine = Machine::new(&grants);
    let service = machine.start();
    let [client, provider, admin] = ["a", "provider", "admin"].map(|name| service.client(name));
    admin.register_allocator(1, 0, 0, 0).unwrap();
    client.alloc(1..=8, 0).unwrap_err();
    let ticket = provider.call(&ioasid_api::Fetch {}).unwrap().ticket;
    admin.adjust_set(0, Share { reservation: 0, limit: 7 }).unwrap();
    assert_eq!(used(&records(&service), 3), [0, 0, 0]);
    provider.call(&ioasid_api::Answer { ticket, outcome: 0, id: 5 }).unwrap();
    assert_eq!(used(&records(&service), 3), [1, 0, 0]);
    admin.adjust_set(0, Share { reservation: 0, limit: 6 }).unwrap();
    assert_eq!(used(&records(&service), 3), [1, 0, 0]);
    let kinds = |event: &Event| matches!(event, Event::Asked { alloc: true, .. } | Event::Answered { .. });
    assert_eq!(events(&service, 1).iter().filter(|event| kinds(event)).count(), 2);
}

#[test]
fn a_new_life_is_told_from_the_last() {
    let mut machine = Machine::new(&[Grant::new("driver")]);
    machine.start();
    let service = machine.start();
    let lives: Vec<_> = records(&service)
        .into_iter()
        .filter_map(|record| match record.event.unwrap() {
            Event::Started { epoch, unit } => Some((record.number, epoch, unit)),
            _ => None,
        })
        .collect();
    assert_eq!(lives, [(1, 1, true), (3, 2, true)]);
}

#[test]
fn tagged_requests_are_told_from_untagged_ones() {
    let mut machine = Machine::new(&[Grant::new("driver").pasid_device(DEVICE, 20)]);
    let service = machine.start();
    let client = service.client("driver");
    let handle = client.alloc(1..=4000, 0).unwrap();
    client.bind_tagged(handle, 0).unwrap();
    assert_eq!(events(&service, 0)[1], Event::Bind { id: handle, device: DEVICE, tagged: true });
}

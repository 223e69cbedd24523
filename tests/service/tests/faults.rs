// SPDX-License-Identifier: BSD-2-Clause
//! Fault records and the interrupt that says so, on units with many records. No interrupt comes while a record is full.

use service_rig::{Grant, Machine, Service};
use vtd_fake::{Behaviour, Personality};

const OTHER: u16 = 0x8;
const MANY: u16 = 100;
const NOWHERE: u64 = 0x5000;

/// A device each for two clients, and for the second many more, behind a unit with so many fault records.
fn machine(records: u8) -> Machine {
    let many = (0..MANY).fold(Grant::new("many"), |grant, index| grant.device(0x100 + index));
    let default = Personality::default();
    let personality = Personality { cap: default.cap.with_nfr(records - 1), ..default };
    let grants = [Grant::new("other").device(OTHER), many, Grant::new("admin").admin()];
    Machine::with(&grants, personality, Behaviour::default())
}

/// A device asks for what was never granted to it.
fn fault(service: &Service<'_>, source: u16) {
    assert!(!service.device(source).read_to(None, NOWHERE, 0, 1));
}

/// The kernel delivers the unit's messages, until there are no more.
fn deliver(service: &Service<'_>) {
    while service.unit().with(|unit| core::mem::take(&mut unit.messages).len()) > 0 {
        service.fault_event();
    }
}

/// The faults that each of the two clients was told of.
fn told(service: &Service<'_>) -> [u64; 2] {
    let admin = service.client("admin");
    [0, 1].map(|set| admin.set_counters(set).expect("an administrator").faults)
}

#[test]
fn faults_that_fill_many_records_keep_nobody_from_being_told_of_later_ones() {
    let mut machine = machine(128);
    let service = machine.start();
    (0..MANY).for_each(|index| fault(&service, 0x100 + index));
    deliver(&service);
    fault(&service, OTHER);
    deliver(&service);
    assert_eq!(told(&service), [1, MANY.into()]);
}

#[test]
fn devices_that_fault_without_end_keep_nobody_from_being_told_of_a_fault() {
    let mut machine = machine(2);
    let service = machine.start();
    service.unit().with(|unit| unit.behaviour.storms = true);
    [0x100, 0x101].into_iter().for_each(|source| fault(&service, source));
    service.fault_event();
    let [none, many] = told(&service);
    assert_eq!(none, 0);
    assert!((8..=4096).contains(&many), "{many}: it ends, though the storm does not");

    // No message comes as long as a record is full: it is the next call that the rest is served behind.
    service.unit().with(|unit| unit.behaviour.storms = false);
    service.unit().with(|unit| unit.messages.clear());
    service.client("other");
    fault(&service, OTHER);
    deliver(&service);
    assert_eq!(told(&service)[0], 1);
}

#[test]
fn a_device_that_storms_is_no_longer_heard_until_its_owner_does_something_about_it() {
    let mut machine = machine(8);
    let service = machine.start();
    let storm = || {
        for _ in 0..1500 {
            fault(&service, 0x100);
            deliver(&service);
        }
    };
    storm();
    assert_eq!(told(&service), [0, 1024], "each fault takes an interrupt, and with it everybody's time");
    for source in [OTHER, 0x101] {
        fault(&service, source);
        deliver(&service);
    }
    assert_eq!(told(&service), [1, 1025], "others are heard, be they the same owner's");

    let client = service.client("many");
    let id = client.alloc(1..=0xff, 0).expect("a share");
    client.bind(id, 0).expect("its first device");
    storm();
    assert_eq!(told(&service), [1, 2049]);
    client.unbind(id, 0).expect("it is bound");
    fault(&service, 0x100);
    deliver(&service);
    assert_eq!(told(&service), [1, 2050]);
}

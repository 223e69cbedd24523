// SPDX-License-Identifier: BSD-2-Clause
//! Devices have tables of their own, and only their owner's ids are ever in them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use ioasid_client::{Access, Code, Error, Extent, Handle, RegionOffset};
use service_rig::{Client, Grant, Machine, REGION_BYTES, Service};

const ONE: u16 = 0x18;
const TWO: u16 = 0x20;
const NARROW: u16 = 0x28;
const PLAIN: u16 = 0x30;
const THEIRS: u16 = 0x38;

fn machine() -> Machine {
    let a = Grant::new("a").share(4, 64).tables(256, 64);
    let a = a.pasid_device(ONE, 20).pasid_device(TWO, 20).pasid_device(NARROW, 5).device(PLAIN);
    Machine::new(&[a, Grant::new("b").pasid_device(THEIRS, 20)])
}

/// An id of a range under which page `page` of the client's region is at 0x1000.
fn space_in(client: &Client<'_, '_>, range: core::ops::RangeInclusive<u32>, page: u64) -> Handle {
    let id = client.alloc(range, 0).unwrap();
    let extent = Extent { pages: 1, access: Access::ReadWrite };
    client.map(id, 0x1000, RegionOffset { region: 0, offset: page * 0x1000 }, extent).unwrap();
    id
}

fn space(client: &Client<'_, '_>, page: u64) -> Handle {
    space_in(client, 1..=4000, page)
}

fn refused<T>(code: Code) -> Result<T, Error> {
    Err(Error::Refused(code))
}

#[test]
fn s89_a_pasid_is_bound_and_unbound_for_each_device_by_itself() {
    let mut machine = machine();
    let service = machine.start();
    let client = service.client("a");
    let id = space(&client, 0);
    let reached = || [ONE, TWO].map(|source| service.device(source).read_to(Some(id.pasid), 0x1000, 0, 1));

    client.bind_tagged(id, 0).unwrap();
    assert_eq!(reached(), [true, false]);
    client.bind_tagged(id, 1).unwrap();
    assert_eq!(reached(), [true, true]);
    client.unbind_tagged(id, 0).unwrap();
    assert_eq!(reached(), [false, true]);
    assert_eq!(client.unbind_tagged(id, 0), refused(Code::NotBound));
}

#[test]
fn s89_a_device_runs_under_many_pasids_at_once_each_with_its_own_memory() {
    let mut machine = machine();
    let service = machine.start();
    let client = service.client("a");
    let device = service.device(ONE);
    let ids: Vec<_> = (0..16).map(|page| space(&client, page)).collect();
    ids.iter().for_each(|&id| client.bind_tagged(id, 0).unwrap());
    client.bind(ids[3], 0).unwrap();
    for (page, id) in (0..).zip(&ids) {
        assert!(device.write_from(Some(id.pasid), 0x1000, page, 1));
    }
    assert!(device.read_to(None, 0x1000, 0, 1), "untagged requests run under one of them");
    assert!(!device.read_to(Some(4000), 0x1000, 0, 1), "a PASID that nobody bound reaches nothing");

    // One is freed: it alone is gone, for tagged and untagged requests alike.
    client.free(ids[3]).unwrap();
    let reached = ids.iter().map(|id| device.read_to(Some(id.pasid), 0x1000, 0, 1));
    assert!(reached.eq((0..16).map(|page| page != 3)));
    assert!(!device.read_to(None, 0x1000, 0, 1));
}

#[test]
fn s31_a_device_is_bound_only_to_pasids_that_it_can_send() {
    let mut machine = machine();
    let service = machine.start();
    let client = service.client("a");
    let (small, large) = (space_in(&client, 1..=31, 0), space_in(&client, 32..=4000, 0));
    assert_eq!(client.bind_tagged(small, 2), Ok(()));
    assert_eq!(client.bind_tagged(large, 2), refused(Code::NoTaggedRequests));
    assert_eq!(client.bind_tagged(small, 3), refused(Code::NoTaggedRequests));
    assert_eq!(client.bind(large, 3), Ok(()));
    drop(service);
    assert_eq!([ONE, NARROW, PLAIN].map(|source| machine.bus().sends_pasids(source)), [true, true, false]);
}

#[test]
fn s89_what_is_unbound_is_what_was_bound() {
    let mut machine = machine();
    let service = machine.start();
    let client = service.client("a");
    let (bound, other) = (space(&client, 0), space(&client, 1));
    client.bind(bound, 0).unwrap();
    assert_eq!(client.unbind(other, 0), refused(Code::NotBound));
    assert_eq!(client.unbind(bound, 1), refused(Code::NotBound));
    assert!(service.device(ONE).read_to(None, 0x1000, 0, 1));
    assert_eq!(client.unbind(bound, 0), Ok(()));
}

#[test]
fn s91_a_region_ends_where_it_ends() {
    let mut machine = Machine::new(&[Grant::new("a").device(ONE), Grant::new("b")]);
    let service = machine.start();
    let client = service.client("a");
    let id = client.alloc(1..=4000, 0).unwrap();
    let map = |offset, pages| {
        client.map(id, 0x10_0000, RegionOffset { region: 0, offset }, Extent { pages, access: Access::Read })
    };
    for (offset, pages) in [(REGION_BYTES, 1), (REGION_BYTES - 0x1000, 2), (0, 17), ((1 << 48) - 0x1000, 1)] {
        assert_eq!(map(offset, pages), refused(Code::OutOfRegion));
    }
    assert_eq!(map(REGION_BYTES - 0x1000, 1), Ok(()));
    assert_eq!(map(REGION_BYTES - 0x1000, 1), refused(Code::AlreadyMapped));
}

#[test]
fn s90_a_refused_replace_keeps_the_old_binding() {
    let mut machine = Machine::new(&[Grant::new("a").tables(16, 2).device(ONE)]);
    let service = machine.start();
    let client = service.client("a");
    let (id, gone) = (space(&client, 0), space(&client, 1));
    client.bind(id, 0).unwrap();
    let kept = || service.device(ONE).read_to(None, 0x1000, 0, 1);
    client.free(gone).unwrap();
    assert_eq!((client.replace(gone, 0), kept()), (refused(Code::NotFound), true));
    // Nor is there an address space for one more.
    space(&client, 1);
    let other = client.alloc(1..=4000, 0).unwrap();
    assert_eq!((client.replace(other, 0), kept()), (refused(Code::NoTableMemory), true));
}

#[test]
fn s91_nothing_is_written_into_the_table_of_a_device_that_is_anothers() {
    let mut machine = machine();
    let service = machine.start();
    let (a, b) = (service.client("a"), service.client("b"));
    let id = space(&b, 0);
    // b's own device is its first; a's cannot even be named.
    for device in [1, 2, 3, 4, u16::MAX] {
        assert_eq!(b.bind(id, device), refused(Code::NoSuchDevice));
        assert_eq!(b.bind_tagged(id, device), refused(Code::NoSuchDevice));
        assert_eq!(b.replace(id, device), refused(Code::NoSuchDevice));
    }
    // Nor does an id of another's go into a's.
    assert_eq!(a.bind(id, 0), refused(Code::NotOwner));
    assert_eq!(a.bind_tagged(id, 0), refused(Code::NotOwner));
    for source in [ONE, TWO, NARROW, PLAIN, THEIRS] {
        let device = service.device(source);
        assert!(!device.read_to(Some(id.pasid), 0x1000, 0, 1) && !device.read_to(None, 0x1000, 0, 1));
    }
}

#[test]
fn s40_an_unbinding_that_was_not_confirmed_is_made_up_for_by_the_next() {
    type Again = fn(&Client<'_, '_>, Handle) -> Result<(), Error>;
    let again: [Again; 2] = [|client, id| client.unbind(id, 0), |client, id| client.free(id)];
    for again in again {
        let mut machine = machine();
        let service = machine.start();
        let client = service.client("a");
        let id = space(&client, 0);
        client.bind(id, 0).unwrap();
        service.unit().with(|unit| unit.behaviour.lose_completions = true);
        assert_eq!(client.unbind(id, 0), refused(Code::UnitTimeout));
        assert!(!service.device(ONE).read_to(None, 0x1000, 0, 1), "it is denied meanwhile");

        service.unit().with(|unit| unit.behaviour.lose_completions = false);
        assert_eq!(again(&client, id), Ok(()));
        let other = space(&client, 1);
        assert_eq!(client.bind(other, 0), Ok(()), "the device is there for others");
    }
}

#[test]
fn s40_an_id_whose_teardown_was_not_confirmed_is_nobodys_for_good() {
    type Free = fn(&Service<'_>, Handle) -> Result<(), Error>;
    let frees: [Free; 2] = [
        |service, id| service.client("a").free(id),
        |service, id| service.batch(service.client("a"), "a").free(&[id]).map(drop),
    ];
    for free in frees {
        let mut machine =
            Machine::new(&[Grant::new("a").tables(64, 4).device(ONE), Grant::new("admin").admin()]);
        let service = machine.start();
        let [client, admin] = ["a", "admin"].map(|name| service.client(name));
        let id = space(&client, 0);
        client.bind(id, 0).unwrap();
        service.unit().with(|unit| unit.behaviour.lose_completions = true);
        assert_eq!(free(&service, id), refused(Code::UnitTimeout));
        service.unit().with(|unit| unit.behaviour.lose_completions = false);

        assert_eq!(client.alloc(id.pasid..=id.pasid, 0), refused(Code::NoSpace));
        assert_eq!(client.bind(id, 0), refused(Code::NotFound));
        assert_eq!(client.own_usage().map(|usage| usage.used), Ok(1), "it stays on the set's account");
        assert_eq!(admin.check().map(|health| health.quarantined), Ok(1));
    }
}

#[test]
fn what_is_refused_leaves_no_address_space_behind() {
    let mut machine = Machine::new(&[Grant::new("a").tables(16, 2).device(ONE).device(TWO)]);
    let service = machine.start();
    let client = service.client("a");
    let bound = space(&client, 0);
    client.bind(bound, 0).unwrap();
    let [one, other] = [(); 2].map(|()| client.alloc(1..=4000, 0).unwrap());
    let (region, page) =
        (RegionOffset { region: 0, offset: 0 }, Extent { pages: 1, access: Access::ReadWrite });
    // Where interrupts are.
    let span = (0xfee0_0000, region, page);
    let asked = [
        client.map(one, span.0, region, page),
        service.batch(service.client("a"), "a").map(one, &[span]).map(drop),
        client.bind(one, 0),
        client.replace(one, 1),
    ];
    assert_eq!(asked, [Code::BadAddress, Code::BadAddress, Code::AlreadyBound, Code::NotBound].map(refused));
    assert_eq!(client.map(other, 0x1000, region, page), Ok(()), "the second space is there for others");
}

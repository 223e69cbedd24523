// SPDX-License-Identifier: BSD-2-Clause
//! A set ends, and begins anew for a client that was restarted.

use ioasid_client::{Access, Code, Error, Extent, RegionOffset, Role, Share};
use service_rig::{Grant, Machine};

const DEVICE: u16 = 0x18;
const DRIVER: u16 = 0;

#[test]
fn s76_a_dead_clients_devices_are_cut_off_at_once_and_its_ids_go_in_slices() {
    let driver = Grant::new("driver").share(0, 100).tables(400, 100).pasid_device(DEVICE, 20);
    let mut machine = Machine::new(&[driver, Grant::new("admin").admin()]);
    let service = machine.start();
    let (client, admin) = (service.client("driver"), service.client("admin"));
    let extent = Extent { pages: 1, access: Access::Read };
    let ids: Vec<_> = (0..70).map(|_| client.alloc(1..=4000, 0).unwrap()).collect();
    for &id in &ids {
        client.map(id, 0x1000, RegionOffset { region: 0, offset: 0 }, extent).unwrap();
        client.bind_tagged(id, 0).unwrap();
    }
    client.bind(ids[0], 0).unwrap();
    let device = service.device(DEVICE);
    let reached = || ids.iter().filter(|id| device.read_to(Some(id.pasid), 0x1000, 0, 1)).count();
    assert_eq!(reached(), 70);

    let slice = |done, more| Ok(ioasid_api::Progress { done, more });
    let free = || admin.free_set(DRIVER);
    let open = || admin.open_set(DRIVER, Share { reservation: 0, limit: 100 });
    assert_eq!(open(), Err(Error::Refused(Code::InUse)), "it is open");
    assert_eq!(free(), slice(64, 1));
    assert_eq!(reached(), 0);
    assert!(!device.read_to(None, 0x1000, 0, 1));
    assert_eq!(open(), Err(Error::Refused(Code::InUse)), "it has not ended yet");
    assert_eq!(free(), slice(6, 1));
    assert_eq!(free(), slice(0, 0));

    // The new life begins with nothing, and the device works for it.
    open().unwrap();
    assert_eq!(reached(), 0);
    let client = service.client("driver");
    let id = client.alloc(1..=4000, 0).unwrap();
    client.map(id, 0x1000, RegionOffset { region: 0, offset: 0 }, extent).unwrap();
    client.bind_tagged(id, 0).unwrap();
    assert!(device.read_to(Some(id.pasid), 0x1000, 0, 1));
}

#[test]
fn s76_who_goes_on_while_its_set_ends_is_given_nothing_and_reaches_nothing() {
    let driver = Grant::new("driver").share(0, 100).tables(400, 100).pasid_device(DEVICE, 20);
    let mut machine = Machine::new(&[driver, Grant::new("admin").admin()]);
    let service = machine.start();
    let (client, admin) = (service.client("driver"), service.client("admin"));
    let ids: Vec<_> = (0..100).map(|_| client.alloc(1..=4000, 0).unwrap()).collect();
    admin.free_set(DRIVER).unwrap();
    assert_eq!(client.own_usage(), Err(Error::Refused(Code::ServerRestarted)));

    // It says HELLO, and has the ids yet whose turn has not come.
    let client = service.client("driver");
    assert_eq!(client.alloc(1..=4000, 0), Err(Error::Refused(Code::NoSuchSet)));
    let extent = Extent { pages: 1, access: Access::Read };
    let map = |id| client.map(id, 0x1000, RegionOffset { region: 0, offset: 0 }, extent);
    assert_eq!(map(ids[0]), Err(Error::Refused(Code::NotFound)));
    let last = ids[99];
    map(last).unwrap();
    // Its device is cut off, and stays so: nothing is bound to it.
    assert_eq!(client.bind(last, 0), Err(Error::Refused(Code::UnitTimeout)));
    assert_eq!(client.bind_tagged(last, 0), Err(Error::Refused(Code::UnitTimeout)));
    let device = service.device(DEVICE);
    let reached = || device.read_to(Some(last.pasid), 0x1000, 0, 1) || device.read_to(None, 0x1000, 0, 1);
    assert!(!reached());
    while admin.free_set(DRIVER).unwrap().more != 0 {}
    assert_eq!(client.find(last.pasid).err(), Some(Error::Refused(Code::NotFound)));
    admin.open_set(DRIVER, Share { reservation: 0, limit: 100 }).unwrap();
    assert!(!reached());
    assert_eq!(admin.check().map(|health| health.quarantined), Ok(0));
}

#[test]
fn s68_what_an_administrator_guarantees_is_there_in_numbers_too() {
    let mut machine = Machine::new(&[
        Grant::new("modest").share(10, 10),
        Grant::new("idle").share(0, 2000),
        Grant::new("greedy").share(0, 1500),
        Grant::new("admin").admin(),
    ]);
    let service = machine.start();
    let [greedy, admin] = ["greedy", "admin"].map(|name| service.client(name));
    // All limits leave room, so each client has numbers of its own, and the rest is for whoever is given more.
    admin.adjust_set(2, Share { reservation: 0, limit: 4000 }).unwrap();
    while greedy.alloc(1..=4095, 0).is_ok() {}
    // There would be as many, but not where the modest one could have them.
    let more = admin.adjust_set(0, Share { reservation: 600, limit: 600 });
    assert_eq!(more, Err(Error::Refused(Code::NoSpace)));
    while admin.free_set(0).unwrap().more != 0 {}
    let more = admin.open_set(0, Share { reservation: 600, limit: 600 });
    assert_eq!(more, Err(Error::Refused(Code::NoSpace)));
    admin.open_set(0, Share { reservation: 10, limit: 10 }).unwrap();
    let modest = service.client("modest");
    admin.adjust_set(0, Share { reservation: 10, limit: 600 }).unwrap();
    assert_eq!((0..600).take_while(|_| modest.alloc(1..=4095, 0).is_ok()).count(), 10);
}

#[test]
fn s76_whoever_has_no_set_any_more_is_never_taken_for_another_that_has() {
    let mut machine =
        Machine::new(&[Grant::new("ended"), Grant::new("restarted"), Grant::new("admin").admin()]);
    let service = machine.start();
    let [ended, admin] = ["ended", "admin"].map(|name| service.client(name));
    let end = |set| while admin.free_set(set).expect("an administrator").more != 0 {};
    end(0);
    // More lives than a set's number tells apart.
    for _ in 0..1100 {
        end(1);
        admin.open_set(1, Share { reservation: 0, limit: 8 }).unwrap();
        let id = service.client("restarted").alloc(1..=4095, 7).unwrap();
        assert_eq!(service.client("ended").find(id.pasid).err(), Some(Error::Refused(Code::NotOwner)));
        assert_eq!(ended.alloc(1..=4095, 0), Err(Error::Refused(Code::NoSuchSet)));
    }
}

#[test]
fn s94_numbers_come_out_of_the_clients_own_window_whoever_listens() {
    let mut machine = Machine::new(&[Grant::new("first").share(0, 10), Grant::new("a").share(0, 10)]);
    let service = machine.start();
    let client = service.client("a");
    let number = || client.alloc(1..=4095, 0).unwrap().pasid;
    assert_eq!([number(), number()], [11, 12]);
    client.subscribe(Role::Observer, false).unwrap();
    assert_eq!([number(), number()], [13, 14]);
}

#[test]
fn s31_a_number_beyond_the_width_is_refused_however_many_are_free() {
    let mut machine = Machine::new(&[Grant::new("a")]);
    let service = machine.start();
    let client = service.client("a");
    for range in [1..=4096, 4096..=4096, 1..=0xf_ffff] {
        assert_eq!(client.alloc(range, 0), Err(Error::Refused(Code::InvalidRange)));
    }
    assert!(client.alloc(1..=4095, 0).is_ok());
}

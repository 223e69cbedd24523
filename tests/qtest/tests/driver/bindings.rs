// SPDX-License-Identifier: BSD-2-Clause
//! Who reaches what: binding, unbinding, replacing, and requests without PASID.
use qtest::{DATA, Kind, Platform, Rig};
use vtd::tables::Descriptor;
use vtd::{Access, Device, Direction, Error, Pasid, SourceId, Target};

/// The PASID entry is absent, in the code sets of QEMU and of hardware.
const ABSENT: [u8; 3] = [0x58, 0x59, 0x5b];

pub fn t01_each_pasid_lands_in_its_own_page<P: Platform>() {
    let mut rig = Rig::<P>::new(3);
    for (device, pasid) in [5, 0x12345, 0xfffff].into_iter().enumerate() {
        let domain = rig.domain(device as u64);
        rig.bind(device, pasid, domain);
    }
    assert_eq!([rig.lands(0), rig.lands(1), rig.lands(2)], [Some(0), Some(1), Some(2)]);
    assert_eq!(rig.faults(), []);
}

pub fn t02_rid_pasid_changes_when_the_context_is_invalidated<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    let (first, second) = (rig.domain(0), rig.domain(1));
    rig.bind(0, 5, second);
    rig.bind(0, 6, first);
    assert_eq!(rig.lands(0), Some(0));

    let context = rig.context_entry(0);
    rig.poke(context + 8, |_| 5);
    assert_eq!(rig.lands(0), Some(0), "the context entry is cached");
    let forget = [Descriptor::context(rig.places[0]), Descriptor::iotlb_all()];
    rig.unit.invalidate(&forget).unwrap();
    assert_eq!(rig.lands(0), Some(1));

    rig.run_as(0, Pasid::new(6).unwrap());
    assert_eq!(rig.lands(0), Some(0), "the driver invalidates by itself");
    assert_eq!(rig.faults(), []);
}

pub fn t03_after_free_dma_faults_and_changes_nothing<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    let domain = rig.domain(0);
    let pasid = rig.bind(0, 0x12345, domain);
    assert_eq!(rig.lands(0), Some(0));
    rig.unit.unbind(rig.places[0], pasid).unwrap();
    assert_eq!(rig.lands(0), None);
    rig.assert_fault(0, DATA, Direction::Write, &ABSENT);
    assert_eq!(rig.unit.binding(rig.places[0], pasid), None);
    assert_eq!(rig.unit.unbind(rig.places[0], pasid), Err(Error::NotBound));
    rig.unit.destroy_domain(domain).unwrap();
}

pub fn t04_the_neighbour_still_works<P: Platform>() {
    let mut rig = Rig::<P>::new(2);
    let (mine, other) = (rig.domain(0), rig.domain(1));
    let pasid = rig.bind(0, 7, mine);
    rig.bind(1, 7, other);
    assert_eq!([rig.lands(0), rig.lands(1)], [Some(0), Some(1)]);
    rig.unit.unbind(rig.places[0], pasid).unwrap();
    assert_eq!([rig.lands(0), rig.lands(1)], [None, Some(1)]);
}

pub fn t05_a_new_table_without_a_flush_writes_the_old_page<P: Platform>() {
    let (mut rig, ..) = retargeted::<P>();
    assert_eq!(rig.lands(0), Some(0), "what hardware cached of the old table still counts");
    rig.unit.settle().unwrap();
    assert_eq!(rig.lands(0), Some(1));
}

pub fn t06_the_flush_has_to_name_the_old_domain<P: Platform>() {
    let (mut rig, pasid, [old, new]) = retargeted::<P>();
    let forget = |domain| [Descriptor::pasid_cache(domain, pasid), Descriptor::iotlb_domain(domain)];
    assert_eq!(rig.lands(0), Some(0));
    rig.unit.invalidate(&forget(new)).unwrap();
    assert_eq!(rig.lands(0), Some(0));
    rig.unit.invalidate(&forget(old)).unwrap();
    assert_eq!(rig.lands(0), Some(1));
}

/// A device whose PASID entry was changed behind the driver's back, from a domain with page 0 to one with page 1.
fn retargeted<P: Platform>() -> (Rig<P>, Pasid, [vtd::DomainId; 2]) {
    let mut rig = Rig::<P>::new(1);
    let domains = [rig.domain(0), rig.domain(1)];
    let spare = Pasid::new(4).unwrap();
    rig.unit.bind(rig.places[0], spare, domains[1]).unwrap();
    let pasid = rig.bind(0, 5, domains[0]);
    assert_eq!(rig.lands(0), Some(0));
    let (from, to) = (rig.pasid_entry(0, spare), rig.pasid_entry(0, pasid));
    for offset in [0, 8] {
        let word = rig.platform.load(from + offset);
        rig.poke(to + offset, |_| word);
    }
    (rig, pasid, domains)
}

pub fn t08_an_absent_directory_entry_denies<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    rig.run_as(0, Pasid::new(0x54321).unwrap());
    assert_eq!(rig.lands(0), None);
    rig.assert_fault(0, DATA, Direction::Write, &[0x51, 0x58]);
}

pub fn t09_an_entry_that_is_not_present_denies<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    let domain = rig.domain(0);
    let pasid = rig.bind(0, 5, domain);
    let entry = rig.pasid_entry(0, pasid);
    rig.poke(entry, |word| word & !1);
    assert_eq!(rig.lands(0), None);
    rig.assert_fault(0, DATA, Direction::Write, &[0x58, 0x59]);
    // An entry in that state is one whose teardown was not confirmed.
    assert_eq!(rig.unit.bind(rig.places[0], pasid, domain), Err(Error::Quarantined));
    assert_eq!(rig.unit.replace(rig.places[0], pasid, domain), Err(Error::Quarantined));
    assert_eq!(rig.unit.destroy_domain(domain), Err(Error::DomainBound));
    rig.unit.unbind(rig.places[0], pasid).unwrap();
    rig.unit.bind(rig.places[0], pasid, domain).unwrap();
    assert_eq!(rig.lands(0), Some(0));
}

pub fn t12_a_pasid_beyond_the_directory_is_refused<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    let device = rig.places[0];
    let domain = rig.domain(0);
    let pasid = |value| Pasid::new(value).unwrap();
    for (bits, most) in [(0, 0x1fff), (13, 0x1fff), (14, 0x3fff), (17, 0x1_ffff), (20, 0xf_ffff)] {
        rig.unit.detach(device).unwrap();
        rig.unit.attach(device, Device { pasid_bits: bits, ats: false }).unwrap();
        rig.bind(0, most, domain);
        assert_eq!(rig.lands(0), Some(0));
        if let Some(beyond) = Pasid::new(most + 1) {
            assert_eq!(rig.unit.bind(device, beyond, domain), Err(Error::PasidTooWide));
            assert_eq!(rig.unit.set_untagged(device, beyond), Err(Error::PasidTooWide));
            assert_eq!(rig.unit.unbind(device, beyond), Err(Error::PasidTooWide));
            assert_eq!(rig.unit.binding(device, beyond), None);
        }
        rig.unit.unbind(device, pasid(most)).unwrap();
    }
    assert_eq!(rig.unit.attach(device, Device { pasid_bits: 21, ats: false }), Err(Error::PasidTooWide));
}

pub fn t22_a_table_shared_by_two_devices_is_flushed_for_both<P: Platform>() {
    let mut rig = Rig::<P>::new(2);
    let domain = rig.domain(0);
    let pasid = rig.bind(0, 5, domain);
    rig.run_as(1, pasid);
    // The driver gives each device a directory of its own; this makes them share one.
    let (mine, other) = (rig.context_entry(0), rig.context_entry(1));
    let word = rig.platform.load(mine);
    rig.poke(other, |_| word);
    rig.unit.settle().unwrap();
    assert_eq!([rig.lands(0), rig.lands(1)], [Some(0), Some(0)]);
    rig.unit.unbind(rig.places[0], pasid).unwrap();
    assert_eq!([rig.lands(0), rig.lands(1)], [None, None]);
}

pub fn t23_functions_from_0x80_on_have_their_own_half<P: Platform>() {
    let places =
        [(3, 0), (0x10, 0), (0x13, 7)].map(|(slot, function)| SourceId::new(0, slot, function).unwrap());
    let mut rig = Rig::<P>::at(Kind::Second, &places);
    let pasids: Vec<_> = (0..3)
        .map(|device| {
            let domain = rig.domain(device as u64);
            rig.bind(device, 5, domain)
        })
        .collect();
    assert_eq!([rig.lands(0), rig.lands(1), rig.lands(2)], [Some(0), Some(1), Some(2)]);
    rig.unit.unbind(places[1], pasids[1]).unwrap();
    assert_eq!([rig.lands(0), rig.lands(1), rig.lands(2)], [Some(0), None, Some(2)]);
    rig.assert_fault(1, DATA, Direction::Write, &ABSENT);
}

pub fn t27_translation_goes_off_and_on<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    let domain = rig.domain(0);
    let pasid = rig.bind(0, 5, domain);
    let phys = Rig::<P>::page(3);
    assert!(!rig.writes(0, phys, phys), "physical addresses mean nothing while translation is on");
    rig.faults();
    rig.unit.disable().unwrap();
    assert!(rig.writes(0, phys, phys));
    // What changes meanwhile counts as soon as translation is on again.
    rig.unit.unbind(rig.places[0], pasid).unwrap();
    let other = rig.domain(1);
    rig.unit.bind(rig.places[0], pasid, other).unwrap();
    rig.unit.enable().unwrap();
    assert!(!rig.writes(0, phys, phys));
    rig.faults();
    assert_eq!(rig.lands(0), Some(1));
}

pub fn replace_moves_and_keeps_what_it_cannot_move<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    let device = rig.places[0];
    let (first, second) = (rig.domain(0), rig.domain(1));
    let pasid = rig.bind(0, 5, first);
    assert_eq!(rig.lands(0), Some(0));
    rig.unit.replace(device, pasid, second).unwrap();
    assert_eq!((rig.lands(0), rig.unit.binding(device, pasid)), (Some(1), Some(Target::Domain(second))));

    rig.unit.destroy_domain(first).unwrap();
    assert_eq!(rig.unit.replace(device, pasid, first), Err(Error::NoSuchDomain));
    let other = Pasid::new(6).unwrap();
    assert_eq!(rig.unit.replace(device, other, second), Err(Error::NotBound));
    assert_eq!(rig.unit.bind(device, pasid, second), Err(Error::AlreadyBound));
    assert_eq!((rig.lands(0), rig.unit.destroy_domain(second)), (Some(1), Err(Error::DomainBound)));
}

pub fn untagged_requests_run_in_the_untagged_entry<P: Platform>() {
    // What works on every unit, whatever it makes of RID_PASID.
    let mut rig = Rig::<P>::new(2);
    let domain = rig.domain(0);
    assert_eq!(rig.lands(0), None);
    rig.unit.bind(rig.places[0], Pasid::UNTAGGED, domain).unwrap();
    assert_eq!([rig.lands(0), rig.lands(1)], [Some(0), None]);
    rig.unit.unbind(rig.places[0], Pasid::UNTAGGED).unwrap();
    assert_eq!([rig.lands(0), rig.lands(1)], [None, None]);
}

pub fn detaching_denies_and_gives_every_frame_back<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    let device = rig.places[0];
    rig.unit.detach(device).unwrap();
    let free = rig.unit.free_frames();
    rig.unit.attach(device, Device::default()).unwrap();
    assert_eq!(rig.unit.attach(device, Device::default()), Err(Error::AlreadyAttached));
    let domain = rig.domain(0);
    rig.map(domain, 0x7fff_ffff_f000, Rig::<P>::page(1), Access::ReadWrite);
    let pasids = [1, 0x100, 0xfffff].map(|pasid| rig.bind(0, pasid, domain));
    assert_eq!(rig.lands(0), Some(0));
    assert_eq!(rig.unit.detach(device), Err(Error::DeviceBound));
    for pasid in pasids {
        rig.unit.unbind(device, pasid).unwrap();
    }
    rig.unit.destroy_domain(domain).unwrap();
    rig.unit.detach(device).unwrap();
    assert_eq!(rig.unit.free_frames(), free);
    assert_eq!(rig.lands(0), None);
    rig.assert_fault(0, DATA, Direction::Write, &[0x02, 0x41]);
    assert_eq!(rig.unit.detach(device), Err(Error::NotAttached));
}

pub fn reserved_memory_is_reached_from_the_start<P: Platform>() {
    let places = [3, 4].map(|slot| SourceId::new(0, slot, 0).unwrap());
    let mut rig = Rig::<P>::off(&places);
    let (first, second) = (Rig::<P>::page(0), Rig::<P>::page(2));
    let domain = rig.unit.allow_reserved(places[0], first, 4096).unwrap();
    assert_eq!(rig.unit.allow_reserved(places[0], second, 8192), Ok(domain));
    rig.unit.enable().unwrap();
    assert!(rig.writes(0, first, first) && rig.writes(0, second + 4096, second + 4096));
    assert_eq!(rig.faults(), []);
    assert!(!rig.writes(0, first + 4096, first + 4096));
    rig.assert_fault(0, first + 4096, Direction::Write, &[0x05, 0x79]);
    assert!(!rig.writes(1, first, first), "the other device has nothing");
    assert_eq!(rig.unit.allow_reserved(places[1], qtest::TABLES.0, 4096), Err(Error::InvalidRange));
}

pub fn a_new_life_starts_from_nothing<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    let domain = rig.domain(0);
    rig.bind(0, 5, domain);
    assert_eq!(rig.lands(0), Some(0));
    // The owner is gone without a word, and another one starts in the same memory: nothing it did not allow itself.
    rig.unit = rig.platform.unit();
    rig.unit.enable().unwrap();
    assert_eq!(rig.lands(0), None);
    rig.assert_fault(0, DATA, Direction::Write, &[0x01, 0x39]);
    assert_eq!(rig.unit.unbind(rig.places[0], Pasid::new(5).unwrap()), Err(Error::NotAttached));
    rig.unit.attach(rig.places[0], Device::default()).unwrap();
    let domain = rig.domain(1);
    rig.bind(0, 5, domain);
    assert_eq!(rig.lands(0), Some(1));
}

pub fn a_suspended_device_reaches_nothing_until_it_is_resumed<P: Platform>() {
    let mut rig = Rig::<P>::new(2);
    let (first, second) = (rig.domain(0), rig.domain(1));
    let pasid = rig.bind(0, 5, first);
    rig.bind(1, 5, second);
    assert_eq!([rig.lands(0), rig.lands(1)], [Some(0), Some(1)]);

    rig.unit.suspend(rig.places[0]).unwrap();
    assert_eq!([rig.lands(0), rig.lands(1)], [None, Some(1)]);
    rig.unit.resume(rig.places[0]).unwrap();
    assert_eq!(rig.lands(0), Some(0));

    // What it is bound to can be taken away meanwhile, and nothing be added.
    rig.unit.suspend(rig.places[0]).unwrap();
    assert_eq!(rig.unit.bind(rig.places[0], pasid, second), Err(Error::Quarantined));
    rig.unit.unbind(rig.places[0], pasid).unwrap();
    assert!(!rig.unit.is_bound(first));
    rig.unit.resume(rig.places[0]).unwrap();
    assert_eq!(rig.lands(0), None);
}

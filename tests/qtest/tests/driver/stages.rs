// SPDX-License-Identifier: BSD-2-Clause
//! Other ways to translate: not at all, and by the processor's format.
use qtest::{DATA, Kind, Platform, Rig};
use vtd::tables::Descriptor;
use vtd::{Access, Direction, Error, Mapping, PageSize, Pasid, SourceId, Stage};

pub fn t15_pass_through_and_back<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    let device = rig.places[0];
    let (through, domain) = (rig.unit.create_domain(Stage::PassThrough).unwrap(), rig.domain(0));
    let phys = Rig::<P>::page(3);
    let pasid = rig.bind(0, 5, through);
    assert!(rig.writes(0, phys, phys));
    rig.unit.replace(device, pasid, domain).unwrap();
    assert!(!rig.writes(0, phys, phys));
    rig.faults();
    assert_eq!(rig.lands(0), Some(0));
    rig.unit.replace(device, pasid, through).unwrap();
    assert!(rig.writes(0, phys, phys));
    rig.unit.unbind(device, pasid).unwrap();
    assert!(!rig.writes(0, phys, phys));
    assert_eq!(rig.unit.unmap(through, DATA, 4096), Err(Error::NotTranslated));
    assert_eq!(rig.unit.translate(through, DATA), None);
}

pub fn t16_first_stage<P: Platform>() {
    let places = [SourceId::new(0, 3, 0).unwrap(), SourceId::new(0, 4, 0).unwrap()];
    let mut rig = Rig::<P>::at(Kind::First, &places);
    let domain = rig.unit.create_domain(Stage::First).unwrap();
    rig.map(domain, DATA, Rig::<P>::page(0), Access::ReadWrite);
    rig.map(domain, DATA + 0x1000, Rig::<P>::page(1), Access::Read);
    let pasid = rig.bind(0, 5, domain);
    let mapping = |iova, access| {
        let phys = Rig::<P>::page(2);
        Mapping { iova, phys, bytes: 4096, access, largest: PageSize::Small }
    };
    assert_eq!(rig.unit.map(domain, mapping(DATA + 0x2000, Access::Write)), Err(Error::InvalidAccess));
    assert_eq!(rig.unit.map(domain, mapping(1 << 47, Access::Read)), Err(Error::InvalidRange));

    // R/W, then P, then canonical.
    assert_eq!(rig.lands(0), Some(0));
    assert!(!rig.writes(0, DATA + 0x1000, Rig::<P>::page(1)));
    rig.assert_fault(0, DATA + 0x1000, Direction::Write, &[0x85]);
    assert!(!rig.writes(0, DATA + 0x2000, Rig::<P>::page(2)));
    rig.assert_fault(0, DATA + 0x2000, Direction::Write, &[0x71]);
    assert!(!rig.writes(0, 1 << 47, Rig::<P>::page(2)));
    rig.assert_fault(0, 1 << 47, Direction::Write, &[0x80]);

    // U/S: a page of the supervisor is none for a device. The entry's table is the first-stage one.
    let pasid_entry = rig.pasid_entry(0, pasid);
    let entry = rig.page_entry(pasid_entry + 16, DATA, 1);
    rig.poke(entry, |word| word & !4);
    assert_eq!(rig.lands(0), Some(0), "the translation is cached");
    rig.unit.invalidate(&[Descriptor::pasid_iotlb_pages(domain, pasid, DATA, 0)]).unwrap();
    assert_eq!(rig.lands(0), None);
    rig.assert_fault(0, DATA, Direction::Write, &[0x81]);
    rig.poke(entry, |word| word | 4);
    rig.unit.invalidate(&[Descriptor::pasid_iotlb(domain, pasid)]).unwrap();
    assert_eq!(rig.lands(0), Some(0));

    // One PASID, but any number of devices.
    let device = rig.places[1];
    assert_eq!(rig.unit.bind(device, Pasid::new(6).unwrap(), domain), Err(Error::OtherPasid));
    rig.bind(1, 5, domain);
    assert_eq!([rig.lands(0), rig.lands(1)], [Some(0), Some(0)]);
    rig.unit.unmap(domain, DATA, 4096).unwrap();
    assert_eq!([rig.lands(0), rig.lands(1)], [None, None]);
    rig.faults();
    rig.map(domain, DATA, Rig::<P>::page(2), Access::ReadWrite);
    assert_eq!([rig.lands(0), rig.lands(1)], [Some(2), Some(2)]);

    rig.unit.unbind(rig.places[0], pasid).unwrap();
    rig.unit.unbind(rig.places[1], pasid).unwrap();
    assert_eq!([rig.lands(0), rig.lands(1)], [None, None]);
    // Unbound, it may take another.
    rig.faults();
    rig.bind(1, 6, domain);
    assert_eq!(rig.lands(1), Some(2));
}

// SPDX-License-Identifier: BSD-2-Clause
//! What QEMU has not: nested translation, requests with PASID, device TLBs.
use vtd::tables::Descriptor;
use vtd::{Error, Stage, Target};
use vtd_fake::{Behaviour, Personality};

use crate::support::{PAGES, Setup, device, pasid};

const DATA: u64 = 0x4000_0000;

fn setup() -> Setup {
    let behaviour = Behaviour { late: true, speculates: true, ..Behaviour::default() };
    Setup::new(Personality::default(), behaviour, 11)
}

#[test]
fn a_domain_id_is_clean_when_it_is_used_again() {
    let mut setup = setup();
    setup.attach(device(0), false);
    let domain = setup.domain(DATA, PAGES);
    setup.unit.bind(device(0), pasid(5), domain).unwrap();
    assert_eq!(setup.lands(device(0), Some(5), DATA, &[PAGES]), Some(PAGES));
    setup.unit.unbind(device(0), pasid(5)).unwrap();
    setup.unit.destroy_domain(domain).unwrap();
    let again = setup.domain(DATA, PAGES + 4096);
    assert_eq!(again, domain, "the id is used again");
    setup.unit.bind(device(0), pasid(6), again).unwrap();
    assert_eq!(setup.lands(device(0), Some(6), DATA, &[PAGES, PAGES + 4096]), Some(PAGES + 4096));
}

#[test]
fn tagged_and_untagged_requests_are_told_apart() {
    let mut setup = setup();
    setup.attach(device(0), false);
    let (mine, other) = (setup.domain(DATA, PAGES), setup.domain(DATA, PAGES + 4096));
    setup.unit.bind(device(0), pasid(5), mine).unwrap();
    let lands = |setup: &Setup, tag| setup.lands(device(0), tag, DATA, &[PAGES, PAGES + 4096]);
    assert_eq!(
        (lands(&setup, Some(5)), lands(&setup, Some(6)), lands(&setup, None)),
        (Some(PAGES), None, None)
    );
    setup.unit.bind(device(0), vtd::Pasid::UNTAGGED, other).unwrap();
    assert_eq!((lands(&setup, Some(5)), lands(&setup, None)), (Some(PAGES), Some(PAGES + 4096)));
    setup.unit.set_untagged(device(0), pasid(5)).unwrap();
    assert_eq!((lands(&setup, Some(5)), lands(&setup, None)), (Some(PAGES), Some(PAGES)));
    setup.unit.unbind(device(0), pasid(5)).unwrap();
    assert_eq!((lands(&setup, Some(5)), lands(&setup, None)), (None, None));
}

/// A guest's first-stage table in its own memory: guest-physical addresses are addresses within the domain.
fn guest_table(setup: &Setup, base: u64, guest_base: u64, iova: u64, leads_to: u64) {
    setup.fake.with(|hardware| {
        let mut at = base;
        for level in (2..=4_u64).rev() {
            let next = guest_base + (5 - level) * 4096;
            hardware.memory.write(at + (iova >> (12 + 9 * (level - 1)) & 511) * 8, next | 7);
            at = base + (5 - level) * 4096;
        }
        hardware.memory.write(at + (iova >> 12 & 511) * 8, leads_to | 7);
    });
}

#[test]
fn a_guests_table_leads_only_where_its_domain_does() {
    let mut setup = setup();
    setup.attach(device(0), false);
    let parent = setup.unit.create_domain(Stage::Second).unwrap();
    // Guest-physical 0x10_0000 on: four pages of tables, then one of data.
    for page in 0..5 {
        setup.map(parent, 0x10_0000 + page * 4096, PAGES + page * 4096).unwrap();
    }
    let data = PAGES + 4 * 4096;
    guest_table(&setup, PAGES, 0x10_0000, DATA, 0x10_4000);
    let nested = Target::Nested { parent, root: 0x10_0000 };
    setup.unit.bind(device(0), pasid(5), nested).unwrap();
    assert_eq!(setup.unit.binding(device(0), pasid(5)), Some(nested));
    assert_eq!(setup.unit.destroy_domain(parent), Err(Error::DomainBound));
    assert_eq!(setup.lands(device(0), Some(5), DATA, &[data]), Some(data));

    // The guest moves its page out of its memory, and says so: denied by the second stage.
    guest_table(&setup, PAGES, 0x10_0000, DATA, 0x10_5000);
    setup.unit.invalidate(&[Descriptor::pasid_iotlb(parent, pasid(5))]).unwrap();
    assert_eq!(setup.lands(device(0), Some(5), DATA, &[data]), None);
    guest_table(&setup, PAGES, 0x10_0000, DATA, 0x10_4000);
    setup.unit.invalidate(&[Descriptor::pasid_iotlb(parent, pasid(5))]).unwrap();
    assert_eq!(setup.lands(device(0), Some(5), DATA, &[data]), Some(data));

    // The host takes the page back: the nested translation goes with it.
    setup.unit.unmap(parent, 0x10_4000, 4096).unwrap();
    assert!(!setup.fake.with(|hardware| hardware.reaches(data, 4096)));
    assert_eq!(setup.lands(device(0), Some(5), DATA, &[data]), None);
    setup.unit.unbind(device(0), pasid(5)).unwrap();
    assert_eq!(setup.fake.with(|hardware| hardware.remembers(device(0), 5)), None);
    setup.unit.destroy_domain(parent).unwrap();
}

#[test]
fn nested_roots_and_parents_are_checked() {
    let mut setup = setup();
    setup.attach(device(0), false);
    let (parent, through) =
        (setup.domain(DATA, PAGES), setup.unit.create_domain(Stage::PassThrough).unwrap());
    let mut bind = |parent, root| setup.unit.bind(device(0), pasid(5), Target::Nested { parent, root });
    assert_eq!(bind(parent, 0x10_0800), Err(Error::InvalidRange));
    assert_eq!(bind(parent, 1 << 48), Err(Error::InvalidRange));
    assert_eq!(bind(through, 0x10_0000), Err(Error::NotTranslated));
    setup.unit.destroy_domain(parent).unwrap();
}

#[test]
fn a_device_tlb_is_emptied_when_a_page_goes() {
    let mut setup = setup();
    setup.attach(device(0), true);
    let domain = setup.domain(DATA, PAGES);
    setup.unit.bind(device(0), pasid(5), domain).unwrap();
    setup.unit.set_untagged(device(0), pasid(5)).unwrap();
    for tag in [None, Some(5)] {
        assert_eq!(setup.lands(device(0), tag, DATA, &[PAGES]), Some(PAGES));
    }
    setup.unit.unmap(domain, DATA, 4096).unwrap();
    for tag in [None, Some(5)] {
        assert_eq!(setup.lands(device(0), tag, DATA, &[PAGES]), None);
    }
    setup.map(domain, DATA, PAGES + 4096).unwrap();
    for tag in [None, Some(5)] {
        assert_eq!(setup.lands(device(0), tag, DATA, &[PAGES, PAGES + 4096]), Some(PAGES + 4096));
    }
    setup.unit.unbind(device(0), pasid(5)).unwrap();
    for tag in [None, Some(5)] {
        assert_eq!(setup.lands(device(0), tag, DATA, &[PAGES, PAGES + 4096]), None);
    }
}

#[test]
fn a_device_tlb_is_emptied_when_an_id_goes() {
    let mut setup = setup();
    setup.attach(device(0), true);
    let domain = setup.domain(DATA, PAGES);
    setup.unit.bind(device(0), pasid(5), domain).unwrap();
    assert_eq!(setup.lands(device(0), Some(5), DATA, &[PAGES]), Some(PAGES));
    setup.unit.unbind(device(0), pasid(5)).unwrap();
    assert_eq!(setup.lands(device(0), Some(5), DATA, &[PAGES]), None);
    assert_eq!(setup.fake.with(|hardware| hardware.remembers(device(0), 5)), None);
}

// SPDX-License-Identifier: BSD-2-Clause
//! Shares of the table memory: what is taken is all zero (the driver looks, in builds with debug assertions), what is given
//! back can be taken again, and nobody has more than their own.
use std::collections::BTreeMap;

use vtd::{Access, DomainId, Error, Mapping, PageSize, Share, Stage};
use vtd_fake::{Behaviour, Personality};

use crate::support::{PAGES, Setup, device, pasid};

const MIB: u64 = 1 << 20;

fn setup() -> Setup {
    let mut setup = Setup::new(Personality::default(), Behaviour::default(), 5);
    setup.attach(device(0), false);
    setup
}

/// Maps as many pages as there are frames for, each in tables of its own; gives how many.
fn exhaust(setup: &mut Setup, domain: DomainId) -> u64 {
    for index in 0.. {
        match setup.map(domain, index << 30, PAGES) {
            Ok(()) => {}
            Err(error) => {
                assert_eq!(error, Error::NoMemory);
                return index;
            }
        }
    }
    unreachable!()
}

#[test]
fn a_share_is_all_that_its_domains_have() {
    let mut setup = setup();
    let free = setup.unit.free_frames();
    let shares = [0; 2].map(|_| setup.unit.create_share(20).unwrap());
    assert_eq!(setup.unit.free_frames(), free);
    let [one, other] = shares.map(|share| setup.unit.create_domain_in(share, Stage::Second).unwrap());
    // A root, a table for the 512 GiB, and two for each page.
    assert_eq!(exhaust(&mut setup, one), 9);
    assert_eq!(setup.unit.create_domain_in(shares[0], Stage::Second), Err(Error::NoMemory));
    assert_eq!(exhaust(&mut setup, other), 9);
    setup.unit.destroy_domain(one).unwrap();
    let again = setup.unit.create_domain_in(shares[0], Stage::Second).unwrap();
    assert_eq!(exhaust(&mut setup, again), 9);
    for domain in [again, other] {
        setup.unit.destroy_domain(domain).unwrap();
    }
    assert_eq!(setup.unit.free_frames(), free);
    assert_eq!(setup.unit.create_share(free + 1), Err(Error::NoMemory));
}

#[test]
fn what_a_share_was_used_for_leaves_no_trace_in_it() {
    let mut setup = setup();
    let share = setup.unit.create_share(80).unwrap();
    let free = setup.unit.free_frames();
    let mut random = fastrand::Rng::with_seed(11);
    let mut domains: Vec<(DomainId, BTreeMap<u64, u64>)> = Vec::new();
    for step in 0..20_000_u32 {
        let pick = random.usize(..domains.len().max(1));
        match random.u8(..8) {
            0 if domains.len() < 6 => match setup.unit.create_domain_in(share, Stage::Second) {
                Ok(domain) => domains.push((domain, BTreeMap::new())),
                Err(error) => assert_eq!(error, Error::NoMemory),
            },
            1 if !domains.is_empty() => setup.unit.destroy_domain(domains.swap_remove(pick).0).unwrap(),
            2..=4 if !domains.is_empty() => {
                let (domain, mapped) = &mut domains[pick];
                let iova = random.u64(..4) << 39 | random.u64(..3) << 30 | random.u64(..6) << 20;
                let bytes = [4096, 0x5000, 2 * MIB, 5 * MIB - 4096][random.usize(..4)];
                let largest = [PageSize::Small, PageSize::Huge][random.usize(..2)];
                let mapping = Mapping { iova, phys: PAGES, bytes, access: Access::ReadWrite, largest };
                let overlaps = mapped.iter().any(|(&at, &len)| at < iova + bytes && iova < at + len);
                match setup.unit.map(*domain, mapping) {
                    Ok(()) => {
                        assert_eq!((overlaps, mapped.insert(iova, bytes)), (false, None), "step {step}")
                    }
                    Err(Error::AlreadyMapped) => assert!(overlaps, "step {step}"),
                    Err(error) => assert_eq!(error, Error::NoMemory),
                }
            }
            5..=6 if !domains.is_empty() => {
                let (domain, mapped) = &mut domains[pick];
                let Some((&iova, &bytes)) = mapped.iter().nth(random.usize(..mapped.len().max(1))) else {
                    continue;
                };
                match setup.unit.unmap(*domain, iova, bytes) {
                    Ok(()) => drop(mapped.remove(&iova)),
                    // A large page next to it has to be split first.
                    Err(error) => assert_eq!(error, Error::NoMemory),
                }
            }
            _ if !domains.is_empty() => {
                setup.unit.merge(domains[pick].0, random.u64(..4) << 39, 1 << 30).unwrap();
            }
            _ => {}
        }
        for (domain, mapped) in domains.iter().filter(|_| step % 64 == 0) {
            for (&iova, &bytes) in mapped {
                let last = setup.unit.translate(*domain, iova + bytes - 4096);
                assert_eq!(last, Some((PAGES + bytes - 4096, Access::ReadWrite)), "step {step}");
            }
        }
    }
    for (domain, _) in domains {
        setup.unit.destroy_domain(domain).unwrap();
    }
    assert_eq!(setup.unit.free_frames(), free);
}

#[test]
fn tables_of_a_share_that_hardware_may_know_are_not_taken_again() {
    let mut setup = setup();
    let share = setup.unit.create_share(4).unwrap();
    let domain = setup.unit.create_domain_in(share, Stage::Second).unwrap();
    setup.map(domain, 0x4000_0000, PAGES).unwrap();
    // The device's PASID table is out of another share.
    let other = setup.domain(0x4000_0000, PAGES);
    setup.unit.bind(device(0), pasid(4), other).unwrap();
    setup.unit.bind(device(0), pasid(5), domain).unwrap();
    setup.behave(|behaviour| behaviour.lose_completions = true);
    assert_eq!(setup.unit.unmap(domain, 0x4000_0000, 4096), Err(Error::Unconfirmed));
    assert_eq!(setup.map(domain, 0x4000_0000, PAGES), Err(Error::NoMemory));
    setup.behave(|behaviour| behaviour.lose_completions = false);
    setup.unit.settle().unwrap();
    setup.map(domain, 0x4000_0000, PAGES).unwrap();
    assert_eq!(setup.unit.create_domain_in(Share::POOL, Stage::Second).map(drop), Ok(()));
}

#[test]
fn what_lies_side_by_side_is_mapped_as_it_is_one_by_one() {
    let mut setup = setup();
    let [one, many] = [0; 2].map(|_| setup.unit.create_domain(Stage::Second).unwrap());
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..500 {
        let mut mappings = Vec::new();
        for _ in 0..random.usize(1..20) {
            let iova = random.u64(..3) << 30 | random.u64(..1024) << 12;
            let bytes = 4096 << random.u32(..4);
            let (phys, access) = (PAGES + (random.u64(..256) << 12), Access::ReadWrite);
            mappings.push(Mapping { iova, phys, bytes, access, largest: PageSize::Huge });
        }
        let mut done = 0;
        let filled = setup.unit.fill(many, |filling| {
            mappings.iter().try_for_each(|mapping| filling.map(mapping).map(|()| done += 1))
        });
        let outcome = filled.unwrap();
        let singly = mappings.iter().map(|&mapping| setup.unit.map(one, mapping));
        let refused = singly.enumerate().find_map(|(index, result)| result.err().map(|error| (index, error)));
        assert_eq!(refused, outcome.err().map(|error| (done, error)), "round {round}");
        for mapping in &mappings[..done] {
            if random.bool() {
                for domain in [one, many] {
                    setup.unit.unmap(domain, mapping.iova, mapping.bytes).unwrap();
                }
            }
        }
        for mapping in &mappings {
            let [a, b] = [one, many].map(|domain| setup.unit.translate(domain, mapping.iova));
            assert_eq!(a, b, "round {round}");
        }
    }
    for domain in [one, many] {
        setup.unit.destroy_domain(domain).unwrap();
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! Random operations on many devices against a model of what each may reach.
use qtest::{Kind, Platform, Rig};
use vtd::{Access, Pasid, SourceId};

/// What the model knows of a device: under which PASID it runs, and which page each PASID leads to.
#[derive(Clone, Default)]
struct Expected {
    runs_as: u32,
    bound: Vec<(u32, u64)>,
}

pub fn t28_random_operations_agree_with_a_model<P: Platform>() {
    run::<P>(24, 3000, 28);
}

pub fn t28_two_hundred_devices_agree_with_a_model<P: Platform>() {
    run::<P>(200, 3000, 200);
}

/// Runs `operations` on `devices` devices and compares where every write arrives.
pub fn run<P: Platform>(devices: usize, operations: usize, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let places: Vec<_> =
        (0..devices).map(|index| SourceId::from(u16::try_from(0x18 + index).unwrap())).collect();
    let mut rig = Rig::<P>::at(Kind::Second, &places);
    let domains: Vec<_> = (0..16).map(|page| rig.domain(page)).collect();
    let mut pages: Vec<Option<u64>> = (0..16).map(Some).collect();
    let mut expected = vec![Expected::default(); devices];
    let pasids = [0, 1, 5, 63, 64, 0x12345, 0xfffff];

    for operation in 0..operations {
        let device = random.usize(..devices);
        let value = pasids[random.usize(..pasids.len())];
        let pasid = Pasid::new(value).unwrap();
        let domain = random.usize(..16);
        let state = &mut expected[device];
        let bound = state.bound.iter().position(|(bound, _)| *bound == value);
        match (random.u8(..8), bound) {
            (0..=1, None) => {
                rig.unit.bind(places[device], pasid, domains[domain]).unwrap();
                state.bound.push((value, domain as u64));
            }
            (0, Some(index)) => {
                rig.unit.unbind(places[device], pasid).unwrap();
                state.bound.remove(index);
            }
            (1, Some(index)) => {
                rig.unit.replace(places[device], pasid, domains[domain]).unwrap();
                state.bound[index].1 = domain as u64;
            }
            (2, _) => {
                rig.unit.set_untagged(places[device], pasid).unwrap();
                state.runs_as = value;
            }
            (3, _) => {
                // A domain loses its page, or gets another.
                if pages[domain].take().is_some() {
                    rig.unit.unmap(domains[domain], qtest::DATA, 4096).unwrap();
                } else {
                    let page = random.u64(..16);
                    rig.map(domains[domain], qtest::DATA, Rig::<P>::page(page), Access::ReadWrite);
                    pages[domain] = Some(page);
                }
            }
            _ => {
                let state = &expected[device];
                let domain = state.bound.iter().find(|(bound, _)| *bound == state.runs_as);
                let want = domain.and_then(|&(_, domain)| pages[usize::try_from(domain).unwrap()]);
                assert_eq!(rig.lands(device), want, "operation {operation} of seed {seed}");
                let faults = rig.faults();
                assert_eq!(faults.len(), usize::from(want.is_none()), "operation {operation}: {faults:?}");
                assert!(faults.iter().all(|fault| fault.device == places[device]));
            }
        }
    }
}

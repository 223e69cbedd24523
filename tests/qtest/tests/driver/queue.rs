// SPDX-License-Identifier: BSD-2-Clause
//! The invalidation queue.
use qtest::{Platform, Rig};
use vtd::tables::Descriptor;
use vtd::{BATCH, Binding, Error, Pasid};

pub fn t20_a_bad_descriptor_is_recovered_from<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    let domain = rig.domain(0);
    let pasid = rig.bind(0, 5, domain);
    assert_eq!(rig.lands(0), Some(0));
    let bad = Descriptor::from([0xf, 0]);
    assert_eq!(rig.unit.invalidate(&[bad]), Err(Error::Unconfirmed));
    assert_eq!(rig.unit.invalidate(&[Descriptor::iotlb_all(), bad, bad]), Err(Error::Unconfirmed));
    rig.unit.settle().unwrap();
    rig.unit.unbind(rig.places[0], pasid).unwrap();
    assert_eq!(rig.lands(0), None);
}

pub fn t21_the_queue_wraps<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    let domain = rig.domain(0);
    for round in 0..300 {
        let pasid = rig.bind(0, 5 + round, domain);
        assert_eq!(rig.lands(0), Some(0), "round {round}");
        rig.unit.unbind(rig.places[0], pasid).unwrap();
        assert_eq!(rig.lands(0), None, "round {round}");
    }
}

pub fn a_batch_is_torn_down_together<P: Platform>() {
    let mut rig = Rig::<P>::new(2);
    let domains = [rig.domain(0), rig.domain(1), rig.domain(2)];
    let mut bindings = Vec::new();
    for index in 0..BATCH {
        let device = rig.places[index % 2];
        let pasid = Pasid::new(u32::try_from(index).unwrap() * 77 + 1).unwrap();
        rig.unit.bind(device, pasid, domains[index % 3]).unwrap();
        bindings.push(Binding { device, pasid });
    }
    rig.run_as(0, bindings[0].pasid);
    rig.run_as(1, bindings[1].pasid);
    assert_eq!([rig.lands(0), rig.lands(1)], [Some(0), Some(1)]);

    let absent = Binding { device: rig.places[0], pasid: bindings[1].pasid };
    assert_eq!(rig.unit.unbind_all(&[bindings[0], absent]), Err(Error::NotBound));
    let mut long = bindings.clone();
    long.push(bindings[0]);
    assert_eq!(rig.unit.unbind_all(&long), Err(Error::BatchTooLong));
    assert_eq!([rig.lands(0), rig.lands(1)], [Some(0), Some(1)], "a refused batch changes nothing");

    // The same binding twice is one binding.
    long.truncate(BATCH - 1);
    long.push(bindings[0]);
    rig.unit.unbind_all(&long).unwrap();
    assert_eq!([rig.lands(0), rig.lands(1)], [None, None]);
    rig.unit.unbind_all(&bindings[BATCH - 1..]).unwrap();
    for domain in domains {
        rig.unit.destroy_domain(domain).unwrap();
    }
}

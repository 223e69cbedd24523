// SPDX-License-Identifier: BSD-2-Clause
//! What operations cost the unit.
use vtd::{BATCH, Binding};
use vtd_fake::{Behaviour, Counters, Personality};

use crate::support::{PAGES, Setup, device, pasid};

#[test]
fn a_teardown_of_64_ids_is_one_submission_and_one_wait() {
    let mut setup = Setup::new(Personality::default(), Behaviour::default(), 3);
    setup.attach(device(0), false);
    let domain = setup.domain(0x4000_0000, PAGES);
    let mut batch = Vec::new();
    for value in 0..BATCH {
        let binding = Binding { device: device(0), pasid: pasid(u32::try_from(value).unwrap() + 1) };
        setup.unit.bind(binding.device, binding.pasid, domain).unwrap();
        batch.push(binding);
    }
    let before = setup.fake.with(|hardware| hardware.counters);
    setup.unit.unbind_all(&batch).unwrap();
    let after = setup.fake.with(|hardware| hardware.counters);
    assert_eq!(after.submissions - before.submissions, 1);
    assert_eq!(after.waits - before.waits, 1);
    // 64 PASID-cache invalidations, a fence, one IOTLB invalidation of the one domain, the wait.
    assert_eq!(after.descriptors - before.descriptors, 67);
    assert_eq!((after.reads - before.reads, after.writes - before.writes), (0, 1));
    assert_ne!(after, Counters::default());
}

#[test]
fn binding_and_mapping_cost_no_register_access() {
    let mut setup = Setup::new(Personality::default(), Behaviour::default(), 3);
    setup.attach(device(0), false);
    let before = setup.fake.with(|hardware| hardware.counters);
    let domain = setup.domain(0x4000_0000, PAGES);
    setup.unit.bind(device(0), pasid(1), domain).unwrap();
    assert_eq!(setup.fake.with(|hardware| hardware.counters), before);
}

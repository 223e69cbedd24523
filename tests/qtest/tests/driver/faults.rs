// SPDX-License-Identifier: BSD-2-Clause
//! What is reported, and when.
use qtest::{DATA, Platform, Rig};
use vtd::registers::FECTL;
use vtd::{Direction, Error, Msi};

const NOT_MAPPED: [u8; 2] = [0x05, 0x79];

pub fn t17_faults_are_not_recorded_where_they_are_disabled<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    let domain = rig.domain(0);
    let pasid = rig.bind(0, 5, domain);
    rig.unit.unmap(domain, DATA, 4096).unwrap();
    let entry = rig.pasid_entry(0, pasid);
    rig.poke(entry, |word| word | 2);
    rig.unit.settle().unwrap();
    assert_eq!(rig.lands(0), None);
    assert_eq!(rig.faults(), []);
    rig.poke(entry, |word| word & !2);
    rig.unit.settle().unwrap();
    assert_eq!(rig.lands(0), None);
    rig.assert_fault(0, DATA, Direction::Write, &NOT_MAPPED);
}

pub fn t18_overflow_is_recovered_from<P: Platform>() {
    let mut rig = Rig::<P>::new(3);
    for device in 0..3 {
        let domain = rig.unit.create_domain(vtd::Stage::Second).unwrap();
        rig.bind(device, 5, domain);
    }
    // One record: the second device's fault is lost, and that is said.
    assert_eq!([rig.lands(0), rig.lands(1)], [None, None]);
    let faults: Vec<_> = rig.unit.faults().collect();
    assert_eq!(faults.iter().map(|fault| fault.device).collect::<Vec<_>>(), [rig.places[0]]);
    assert!(rig.unit.service_fault_event().overflow);
    assert!(!rig.unit.service_fault_event().overflow);
    assert_eq!(rig.lands(2), None);
    rig.assert_fault(2, DATA, Direction::Write, &NOT_MAPPED);
}

pub fn t19_the_fault_event_waits_while_masked<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    assert_eq!(rig.lands(0), None);
    let control = FECTL.read(rig.unit.registers());
    assert!(control.im() && control.ip(), "{control:?}");
    assert_eq!(
        rig.unit.route_fault_event(Msi { address: 0xfed0_0000, data: 0x30 }),
        Err(Error::InvalidRange)
    );
    rig.unit.route_fault_event(Msi { address: 0xfee0_0000, data: 0x31 }).unwrap();
    let control = FECTL.read(rig.unit.registers());
    assert!(!control.im() && !control.ip(), "{control:?}");
    assert_eq!(rig.faults().len(), 1);
    assert_eq!(rig.lands(0), None);
    assert!(!FECTL.read(rig.unit.registers()).ip(), "the message went out at once");
    assert_eq!(rig.faults().len(), 1);
}

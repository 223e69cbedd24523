// SPDX-License-Identifier: BSD-2-Clause
//! What is reported, and when.
use qtest::{DATA, Platform, Rig};
use vtd::registers::FECTL;
use vtd::{Direction, Error, FaultPolicy, Msi, Outcome, Target};

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

/// Serves a fault event, and says which devices faulted and what was done.
fn serve<P: Platform>(rig: &mut Rig<P>, policy: &mut FaultPolicy) -> Vec<(vtd::SourceId, Outcome)> {
    let mut served = Vec::new();
    rig.unit.serve_faults(policy, |fault, outcome| served.push((fault.device, outcome)));
    served
}

pub fn a_storm_is_silenced_and_the_others_are_still_heard<P: Platform>() {
    let mut rig = Rig::<P>::new(2);
    let (noisy, other) = (rig.places[0], rig.places[1]);
    // QEMU 7.2 does not hold back faults of the PASID table itself: these are of the page table.
    for device in 0..2 {
        let domain = rig.unit.create_domain(vtd::Stage::Second).unwrap();
        rig.bind(device, 5, domain);
    }
    let mut policy = FaultPolicy::new(Some(3), false);
    for outcome in [Outcome::Reported, Outcome::Reported, Outcome::Silenced] {
        assert_eq!(rig.lands(0), None);
        assert_eq!(serve(&mut rig, &mut policy), [(noisy, outcome)]);
    }
    for _ in 0..3 {
        assert_eq!(rig.lands(0), None, "silent, and denied as before");
        assert_eq!(serve(&mut rig, &mut policy), []);
    }
    assert_eq!(rig.lands(1), None);
    assert_eq!(serve(&mut rig, &mut policy), [(other, Outcome::Reported)]);
    rig.unit.rearm_faults(&mut policy, &[noisy]).unwrap();
    assert_eq!(rig.lands(0), None);
    assert_eq!(serve(&mut rig, &mut policy), [(noisy, Outcome::Reported)]);
}

pub fn revoking_takes_away_what_a_fault_came_through<P: Platform>() {
    let mut rig = Rig::<P>::new(2);
    let (first, second) = (rig.domain(0), rig.domain(1));
    let pasid = rig.bind(0, 0x12345, first);
    rig.bind(1, 0x12345, second);
    let culprit = vtd::Binding { device: rig.places[0], pasid };
    let beyond = |rig: &mut Rig<P>| assert!(!rig.writes(0, DATA + 0x1000, Rig::<P>::page(0)));

    beyond(&mut rig);
    assert_eq!(serve(&mut rig, &mut FaultPolicy::default()), [(culprit.device, Outcome::Reported)]);
    assert_eq!(rig.lands(0), Some(0), "nothing is revoked that nobody asked for");

    let mut policy = FaultPolicy::new(None, true);
    beyond(&mut rig);
    assert_eq!(serve(&mut rig, &mut policy), [(culprit.device, Outcome::Revoked(culprit))]);
    assert_eq!([rig.lands(0), rig.lands(1)], [None, Some(1)]);
    assert_eq!(rig.unit.binding(culprit.device, pasid), None);
    assert_eq!(rig.unit.binding(rig.places[1], pasid), Some(Target::Domain(second)));
    // Now it has nothing left that could be taken.
    assert_eq!(serve(&mut rig, &mut policy), [(culprit.device, Outcome::Reported)]);
    rig.unit.bind(culprit.device, pasid, first).unwrap();
    assert_eq!(rig.lands(0), Some(0));
}

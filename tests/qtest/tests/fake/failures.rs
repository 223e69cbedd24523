// SPDX-License-Identifier: BSD-2-Clause
//! A unit that fails: nothing is reported free, and all is well again once it works.
use vtd::{Binding, Error, Feature, Unit};
use vtd_fake::{Behaviour, Personality};

use crate::support::{PAGES, Setup, device, pasid};

const DATA: u64 = 0x4000_0000;

fn bound(ats: bool) -> (Setup, vtd::DomainId) {
    let mut setup = Setup::new(Personality::default(), Behaviour { late: true, ..Behaviour::default() }, 9);
    setup.attach(device(0), ats);
    let domain = setup.domain(DATA, PAGES);
    setup.unit.bind(device(0), pasid(5), domain).unwrap();
    assert_eq!(setup.lands(device(0), Some(5), DATA, &[PAGES]), Some(PAGES));
    (setup, domain)
}

/// What holds of a binding whose teardown was not confirmed, and that it can be torn down in the end.
fn assert_quarantined_and_recovers(setup: &mut Setup, domain: vtd::DomainId) {
    let device = device(0);
    assert_eq!(setup.unit.binding(device, pasid(5)), None);
    assert_eq!(setup.unit.bind(device, pasid(5), domain), Err(Error::Quarantined));
    assert_eq!(setup.unit.destroy_domain(domain), Err(Error::DomainBound));
    assert_eq!(setup.unit.detach(device), Err(Error::DeviceBound));

    setup.behave(|behaviour| *behaviour = Behaviour { late: true, ..Behaviour::default() });
    setup.unit.settle().unwrap();
    assert_eq!(setup.unit.bind(device, pasid(5), domain), Err(Error::Quarantined));
    setup.unit.unbind(device, pasid(5)).unwrap();
    assert_eq!(setup.fake.with(|hardware| hardware.remembers(device, 5)), None);
    assert_eq!(setup.lands(device, Some(5), DATA, &[PAGES]), None);
    setup.unit.bind(device, pasid(5), domain).unwrap();
    assert_eq!(setup.lands(device, Some(5), DATA, &[PAGES]), Some(PAGES));
}

#[test]
fn a_lost_completion_keeps_the_id_in_quarantine() {
    let (mut setup, domain) = bound(false);
    setup.behave(|behaviour| behaviour.lose_completions = true);
    assert_eq!(setup.unit.unbind(device(0), pasid(5)), Err(Error::Unconfirmed));
    assert_eq!(setup.unit.unbind(device(0), pasid(5)), Err(Error::Unconfirmed));
    assert_quarantined_and_recovers(&mut setup, domain);
}

#[test]
fn a_queue_that_does_nothing_fills_up_and_is_never_overwritten() {
    let (mut setup, domain) = bound(false);
    setup.behave(|behaviour| behaviour.stuck = true);
    for _ in 0..300 {
        assert_eq!(setup.unit.unbind(device(0), pasid(5)), Err(Error::Unconfirmed));
        // It is still cached, and it may be: it was not reported free.
        assert_eq!(setup.lands(device(0), Some(5), DATA, &[PAGES]), Some(PAGES));
    }
    assert_quarantined_and_recovers(&mut setup, domain);
}

#[test]
fn a_refused_descriptor_is_not_taken_for_done() {
    for kind in [7, 2, 5] {
        let (mut setup, domain) = bound(false);
        setup.behave(|behaviour| behaviour.refuse = Some(kind));
        assert_eq!(setup.unit.unbind(device(0), pasid(5)), Err(Error::Unconfirmed), "type {kind}");
        assert_quarantined_and_recovers(&mut setup, domain);
    }
}

#[test]
fn a_device_that_does_not_answer_keeps_its_id_in_quarantine() {
    let (mut setup, domain) = bound(true);
    setup.behave(|behaviour| behaviour.silent_device = Some(device(0)));
    assert_eq!(setup.unit.unbind(device(0), pasid(5)), Err(Error::Unconfirmed));
    assert_eq!(setup.lands(device(0), Some(5), DATA, &[PAGES]), Some(PAGES), "its own TLB still has it");
    assert_quarantined_and_recovers(&mut setup, domain);
}

#[test]
fn one_failure_in_a_batch_quarantines_all_of_it() {
    let (mut setup, domain) = bound(false);
    setup.unit.bind(device(0), pasid(6), domain).unwrap();
    setup.behave(|behaviour| behaviour.lose_completions = true);
    let batch = [5, 6].map(|value| Binding { device: device(0), pasid: pasid(value) });
    assert_eq!(setup.unit.unbind_all(&batch), Err(Error::Unconfirmed));
    setup.behave(|behaviour| behaviour.lose_completions = false);
    for value in [5, 6] {
        assert_eq!(setup.unit.bind(device(0), pasid(value), domain), Err(Error::Quarantined));
    }
    setup.unit.unbind_all(&batch).unwrap();
    setup.unit.destroy_domain(domain).unwrap();
}

#[test]
fn an_unmapped_table_is_kept_until_hardware_has_forgotten_it() {
    let (mut setup, domain) = bound(false);
    let free = setup.unit.free_frames();
    setup.behave(|behaviour| behaviour.lose_completions = true);
    assert_eq!(setup.unit.unmap(domain, DATA, 4096), Err(Error::Unconfirmed));
    assert_eq!(setup.unit.free_frames(), free);
    setup.assert_no_free_table_is_cached();
    setup.behave(|behaviour| behaviour.lose_completions = false);
    setup.unit.settle().unwrap();
    assert_eq!(setup.unit.free_frames(), free + 3);
    assert!(!setup.fake.with(|hardware| hardware.reaches(PAGES, 4096)));
    setup.map(domain, DATA, PAGES + 4096).unwrap();
    assert_eq!(setup.lands(device(0), Some(5), DATA, &[PAGES, PAGES + 4096]), Some(PAGES + 4096));
}

#[test]
fn a_replacement_that_is_not_confirmed_leaves_the_old_one_denied() {
    let (mut setup, domain) = bound(false);
    let other = setup.domain(DATA, PAGES + 4096);
    setup.behave(|behaviour| behaviour.lose_completions = true);
    assert_eq!(setup.unit.replace(device(0), pasid(5), other), Err(Error::Unconfirmed));
    assert_quarantined_and_recovers(&mut setup, domain);
    setup.unit.destroy_domain(other).unwrap();
}

#[test]
fn a_detached_device_is_not_attached_again_before_hardware_has_forgotten_it() {
    let (mut setup, _) = bound(true);
    setup.unit.unbind(device(0), pasid(5)).unwrap();
    let free = setup.unit.free_frames();
    setup.behave(|behaviour| behaviour.lose_completions = true);
    assert_eq!(setup.unit.detach(device(0)), Err(Error::Unconfirmed));
    assert_eq!(setup.unit.attach(device(0), vtd::Device::default()), Err(Error::Quarantined));
    assert_eq!(setup.unit.free_frames(), free);
    setup.behave(|behaviour| behaviour.lose_completions = false);
    setup.unit.detach(device(0)).unwrap();
    // 32 frames of directory and one PASID table.
    assert_eq!(setup.unit.free_frames(), free + 33);
    setup.attach(device(0), false);
}

#[test]
fn a_unit_that_lacks_something_is_refused_by_name() {
    let refused = |change: fn(&mut Personality)| {
        let mut personality = Personality::default();
        change(&mut personality);
        let fake = vtd_fake::Fake::new(personality, Behaviour::default(), 1 << 20, 0);
        Unit::probe(fake.registers(), fake.tables(0x10_0000, 512), vtd::Config::default()).err()
    };
    assert_eq!(refused(|_| ()), None);
    assert_eq!(refused(|p| p.ecap.set_smts(false)), Some(Error::Missing(Feature::ScalableMode)));
    assert_eq!(refused(|p| p.ecap.set_qi(false)), Some(Error::Missing(Feature::QueuedInvalidation)));
    assert_eq!(refused(|p| p.ecap.set_pasid(false)), Some(Error::Missing(Feature::Pasid)));
    assert_eq!(refused(|p| p.cap.set_sagaw(1)), Some(Error::Missing(Feature::AddressWidth)));
    assert_eq!(
        refused(|p| {
            p.ecap.set_ssts(false);
            p.ecap.set_fsts(false);
        }),
        Some(Error::Missing(Feature::SecondStage))
    );
}

#[test]
fn an_answer_that_nobody_asked_for_is_noted_and_nothing_else() {
    let (mut setup, domain) = bound(true);
    setup.behave(|behaviour| behaviour.chatty_devices = true);
    setup.unit.unbind(device(0), pasid(5)).unwrap();
    assert_eq!(setup.fake.with(|hardware| hardware.remembers(device(0), 5)), None);
    assert!(setup.unit.service_fault_event().queue_error);
    assert!(!setup.unit.service_fault_event().queue_error);
    setup.unit.destroy_domain(domain).unwrap();
}

#[test]
fn a_new_life_never_switches_translation_off() {
    let (setup, _) = bound(false);
    let config = vtd::Config { poll_limit: 10_000, ..vtd::Config::default() };
    let tables = setup.fake.tables(qtest::TABLES.0, qtest::TABLES.1);
    let mut unit = Unit::probe(setup.fake.registers(), tables, config).unwrap();
    unit.enable().unwrap();
    assert_eq!(setup.fake.with(|hardware| hardware.counters.disables), 0);
    assert_eq!(setup.lands(device(0), Some(5), DATA, &[PAGES]), None);
}

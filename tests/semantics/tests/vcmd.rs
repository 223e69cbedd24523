// SPDX-License-Identifier: BSD-2-Clause
//! The guest's side of the virtual command register, on a unit that says what a test wants (s32, s42, s51, s88).

use ioasid_core::allocator::vcmd::{IN_PROGRESS, Layout, Registers, VcmdProvider};
use ioasid_core::allocator::{Answer, Provider, ProviderBusy, Ticket};
use ioasid_core::{Pasid, PasidRange};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

const LAYOUT: Layout = Layout::REVISION_3_3;

#[derive(Debug, Default)]
struct Inner {
    capability: u64,
    /// What VCRSP reads; the last one stays.
    responses: VecDeque<u64>,
    reads: usize,
    written: Vec<(u64, u64)>,
}

/// A unit. A clone is the same one.
#[derive(Clone, Debug, Default)]
struct Unit(Rc<RefCell<Inner>>);

impl Unit {
    /// What VCRSP reads from now on.
    fn responds(&self, responses: &[u64]) {
        self.0.borrow_mut().responses = responses.iter().copied().collect();
    }

    /// How often VCRSP was read.
    fn reads(&self) -> usize {
        self.0.borrow().reads
    }

    /// What was written to VCMD since the last time.
    fn commands(&self) -> Vec<u64> {
        let written = std::mem::take(&mut self.0.borrow_mut().written);
        written
            .into_iter()
            .map(|(offset, value)| {
                assert_eq!(offset, LAYOUT.vcmd);
                value
            })
            .collect()
    }
}

impl Registers for Unit {
    fn read(&mut self, offset: u64) -> u64 {
        let mut unit = self.0.borrow_mut();
        if offset == LAYOUT.vccap {
            return unit.capability;
        }
        assert_eq!(offset, LAYOUT.vcrsp);
        unit.reads += 1;
        match unit.responses.len() {
            0 => 0,
            1 => unit.responses[0],
            _ => unit.responses.pop_front().unwrap_or(0),
        }
    }

    fn write(&mut self, offset: u64, value: u64) {
        self.0.borrow_mut().written.push((offset, value));
    }
}

/// A unit and its provider, which looks at the response three times.
fn unit() -> (Unit, VcmdProvider<Unit>) {
    let unit = Unit::default();
    unit.0.borrow_mut().capability = 1;
    let provider = VcmdProvider::new(unit.clone(), LAYOUT, 3).expect("it has the capability");
    (unit, provider)
}

fn alloc(provider: &mut VcmdProvider<Unit>) -> Answer {
    provider.alloc(0, PasidRange::ALL, Ticket::from_word(0))
}

#[test]
fn s88_the_words_of_both_layouts_are_those_of_the_table() {
    let id = 0x1_2345;
    for (layout, free, response, none, all) in [
        (Layout::REVISION_3_3, 0x1_2345_0002, 0x1_2345_0000, 0x20, 0x7f),
        (Layout::OLDER, 0x0123_4502, 0x0123_4500, 0x4, 0x3),
    ] {
        assert_eq!((layout.alloc(), layout.free(id)), (1, free));
        assert_eq!((layout.response(0, id), layout.result(response)), (response, id));
        assert_eq!(layout.response(layout.status_no_pasid, 0), none);
        assert_eq!((layout.status(none), layout.status(response)), (layout.status_no_pasid, 0));
        assert_eq!((layout.status(u64::MAX), layout.result(u64::MAX)), (all, Pasid::MAX.get()));
        assert_eq!(layout.response(u64::MAX, 0), all << 1);
    }
}

#[test]
fn s88_a_unit_without_the_capability_is_no_provider() {
    for (capability, there) in [(0, false), (!1, false), (1, true), (!0, true)] {
        let unit = Unit::default();
        unit.0.borrow_mut().capability = capability;
        assert_eq!(VcmdProvider::new(unit, LAYOUT, 3).is_some(), there);
    }
}

#[test]
fn s88_an_allocation_is_one_command_and_its_answer_follows_from_the_status() {
    let (unit, mut provider) = unit();
    for (response, answer) in [
        (LAYOUT.response(0, 9), Answer::Given(9)),
        (LAYOUT.response(16, 0), Answer::Nothing),
        (LAYOUT.response(1, 9), Answer::Failed),
    ] {
        unit.responds(&[0, IN_PROGRESS, IN_PROGRESS, response]);
        assert_eq!(alloc(&mut provider), answer);
        assert_eq!(unit.commands(), [LAYOUT.alloc()]);
    }
}

#[test]
fn s42_a_hypervisor_that_hangs_is_given_up_after_as_many_looks_as_were_said() {
    let (unit, mut provider) = unit();
    unit.responds(&[IN_PROGRESS]);
    assert_eq!(alloc(&mut provider), Answer::Failed);
    assert_eq!((unit.commands(), unit.reads()), (vec![], 3));
    assert_eq!(provider.free(0, 9), Err(ProviderBusy));
    assert_eq!((unit.commands(), unit.reads()), (vec![], 6));
}

#[test]
fn s32_what_an_earlier_allocation_gave_too_late_goes_back_first_and_once() {
    let (unit, mut provider) = unit();
    let late = |responses: &[u64], provider: &mut VcmdProvider<Unit>| {
        unit.responds(&[0, IN_PROGRESS]);
        assert_eq!(alloc(provider), Answer::Failed);
        assert_eq!(unit.commands(), [LAYOUT.alloc()]);
        unit.responds(responses);
    };
    let given = LAYOUT.response(0, 9);
    late(&[given, 0, LAYOUT.response(0, 10)], &mut provider);
    assert_eq!(alloc(&mut provider), Answer::Given(10));
    assert_eq!(unit.commands(), [LAYOUT.free(9), LAYOUT.alloc()]);
    assert_eq!(alloc(&mut provider), Answer::Given(10));
    assert_eq!(unit.commands(), [LAYOUT.alloc()]);
    // It gave nothing.
    late(&[LAYOUT.response(16, 9)], &mut provider);
    assert_eq!(alloc(&mut provider), Answer::Nothing);
    assert_eq!(unit.commands(), [LAYOUT.alloc()]);
    // What goes back hangs, too.
    late(&[given, IN_PROGRESS], &mut provider);
    assert_eq!(alloc(&mut provider), Answer::Failed);
    assert_eq!(unit.commands(), [LAYOUT.free(9)]);
}

#[test]
fn s51_a_freed_id_reaches_the_host_exactly_once() {
    let (unit, mut provider) = unit();
    unit.responds(&[LAYOUT.response(16, 0)]);
    assert_eq!(provider.free(0, 9), Ok(()));
    assert_eq!(unit.commands(), [LAYOUT.free(9)]);
    assert_eq!(provider.free(0, 10), Ok(()));
    assert_eq!(unit.commands(), [LAYOUT.free(10)]);
}

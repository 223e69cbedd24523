// SPDX-License-Identifier: BSD-2-Clause
//! The machine on a CPU that is a script, with a service that is a list (s81–s86 as a guest sees them).

mod rig;

use ioasid_api::{Event, EventKind, FaultDirection};
use rig::{Came, Rig, Step, allocate, exit, free, hypercall, last_words, read, store};
use vmm_machine::Reason;

const VCMD: u64 = 0xe00;
const VCRSP: u64 = 0xe10;
const NO_PASID: u64 = 16 << 1;

#[test]
fn s81_a_command_has_its_answer_before_the_guest_goes_on() {
    let mut rig = Rig::new(2);
    rig.live(vec![allocate(), read(VCRSP), allocate(), read(VCRSP), allocate(), read(VCRSP), last_words()]);
    // PASIDs 1 and 2, and a refusal: never the bit that says "in progress".
    assert_eq!(rig.reads(), [1 << 16, 2 << 16, NO_PASID]);
}

#[test]
fn an_allocation_is_one_exit_and_one_call_and_reading_the_answer_is_neither() {
    let mut rig = Rig::new(8);
    let idle = rig.live(vec![last_words()]);
    let busy = rig.live(vec![allocate(), read(VCRSP), last_words()]);
    assert_eq!(busy.exits - idle.exits, 1);
    assert_eq!(rig.calls(), ["alloc 1", "free 1"], "the free is the end of the life's");
}

#[test]
fn s82_another_machines_id_is_refused_without_a_call_and_stays_its_owners() {
    let mut theirs = Rig::new(8);
    theirs.live(vec![allocate(), hypercall(0)]);
    let mut rig = theirs.beside();
    rig.live(vec![free(1), read(VCRSP), free(7), read(VCRSP), free(0), read(VCRSP), last_words()]);
    assert_eq!(rig.reads(), [NO_PASID; 3]);
    assert_eq!(rig.calls(), ["alloc 1"]);
    assert_eq!(rig.taken(), [1]);
}

#[test]
fn s83_an_unknown_command_has_an_error_status_and_no_effect() {
    let mut rig = Rig::new(8);
    rig.live(vec![store(VCMD, 0x77), read(VCRSP), store(VCMD, 0), read(VCRSP), last_words()]);
    assert!(
        rig.reads().iter().all(|response| response & 1 == 0 && response >> 1 != 0 && *response != NO_PASID)
    );
    assert!(rig.calls().is_empty());
}

#[test]
fn s84_a_write_narrower_than_four_bytes_has_no_effect() {
    let mut rig = Rig::new(8);
    rig.live(vec![Step::Narrow(VCMD, 1), read(VCRSP), last_words()]);
    assert_eq!(rig.reads(), [0]);
    assert!(rig.calls().is_empty());
}

#[test]
fn s85_an_allocation_over_quota_has_status_16() {
    let mut rig = Rig::new(3);
    let all = [allocate(), allocate(), allocate(), allocate(), read(VCRSP), last_words()];
    rig.live(all.to_vec());
    assert_eq!(rig.reads(), [NO_PASID]);
}

#[test]
fn s86_whatever_ends_a_life_gives_its_ids_back_and_nobody_elses() {
    let hung = vec![exit(52); 100];
    let ends: [(Vec<Step>, Reason); 9] = [
        (vec![exit(2)], Reason::TripleFault),
        (hung, Reason::Hung),
        (vec![exit(12)], Reason::Halted),
        (vec![exit(0xffff_ffff)], Reason::BadState),
        // An exit of no meaning, a read of the unit that is no read of memory, a place where nothing is.
        (vec![exit(0x1234)], Reason::NotUnderstood),
        (vec![Step::Touch(0xfed9_0000, 1)], Reason::NotUnderstood),
        (vec![Step::Touch(0x1_0000_0000, 2)], Reason::NotUnderstood),
        (vec![Step::Touch(0xfed9_1000, 2)], Reason::NotUnderstood),
        // A store of a kind that is not emulated.
        (vec![Step::StrangeStore], Reason::NotUnderstood),
    ];
    for (end, reason) in ends {
        let mut theirs = Rig::new(8);
        theirs.live(vec![allocate(), hypercall(0)]);
        let mut rig = theirs.beside();
        let came = rig.live([vec![allocate(), allocate(), free(2), allocate()], end].concat());
        assert_eq!((came.reason, came.freed), (Some(reason), 2), "{reason:?}");
        assert_eq!(rig.taken(), [1], "{reason:?}");
    }
}

#[test]
fn a_guest_that_asks_for_something_now_and_then_is_not_hung() {
    let mut rig = Rig::new(8);
    let steps: Vec<_> = (0..50).flat_map(|_| [exit(52), exit(52), exit(10)]).chain([last_words()]).collect();
    assert_eq!(rig.live(steps).reason, Some(Reason::Done));
    // The timer is set anew each time that it ran out.
    assert_eq!(rig.vmcs(0x482e), Some(1000));
}

#[test]
fn a_processor_without_features_ports_without_devices_and_no_such_registers() {
    let mut rig = Rig::new(8);
    let registers = |rig: &mut Rig, step: Step| {
        rig.live(vec![step, last_words()]);
        let registers = rig.registers();
        [registers.eax, registers.ebx, registers.ecx, registers.edx]
    };
    let before = [0x1111_2222, 0x33, 0x44, 0x55];
    assert_eq!(registers(&mut rig, Step::Exit(10, 0, before)), [0; 4], "CPUID");
    assert_eq!(registers(&mut rig, Step::Exit(31, 0, before)), [0, 0x33, 0x44, 0], "RDMSR");
    assert_eq!(registers(&mut rig, Step::Exit(30, 1 << 3, before))[0], 0x1111_22ff, "IN AL");
    assert_eq!(registers(&mut rig, Step::Exit(30, 3 | 1 << 3, before))[0], 0xffff_ffff, "IN EAX");
    // What goes out goes nowhere: the registers are not even written.
    for out in [Step::Exit(30, 0, before), Step::Exit(32, 0, before)] {
        assert_eq!(registers(&mut rig, out), [0; 4], "as they were at the start");
    }
    assert_eq!(rig.live(vec![Step::Exit(30, 1 << 4, before)]).reason, Some(Reason::NotUnderstood), "OUTS");
}

/// The fault event's message is vector 0x31, and may be sent.
fn with_fault_interrupt(steps: Vec<Step>) -> Vec<Step> {
    [vec![store(0x3c, 0x31), store(0x38, 0)], steps].concat()
}

fn event(kind: EventKind, pasid: Option<u32>) -> Event {
    let handle = pasid.map(rig::handle);
    Event { kind, handle, device: 3, reason: 0x58, direction: FaultDirection::Read, address: 0x7000 }
}

/// What the guest finds at 0x31: FSTS, and the fault record.
const LOOK: [Step; 3] = [read(0x30), read(0x220), read(0x228)];

#[test]
fn a_fault_of_a_device_reaches_the_guest_as_an_interrupt_and_a_fault_record() {
    let mut rig = Rig::new(8);
    rig.tell(event(EventKind::Fault, Some(5)));
    let steps = [vec![Step::Notified, Step::Window], LOOK.to_vec(), vec![last_words()]].concat();
    let came = rig.live(with_fault_interrupt(steps));
    assert_eq!(came.injected, [0x31]);
    // PPF; the page; function 3 of bus 0, PASID 5, reason 0x58, a read.
    assert_eq!(rig.reads(), [2 << 32, 0x7000, 3 << 3 | 1 << 31 | 0x58 << 32 | 5 << 40 | 1 << 62 | 1 << 63]);
}

#[test]
fn a_revoked_id_is_a_fault_to_the_guest_and_no_longer_its_own() {
    let mut rig = Rig::new(8);
    rig.tell(event(EventKind::Revoke, Some(2)));
    // One that it never had, and one that was freed and allocated anew since: not its business.
    rig.tell(event(EventKind::Revoke, Some(99)));
    rig.tell(Event { handle: Some(rig::stale(1)), ..event(EventKind::Revoke, None) });
    let steps = [
        vec![allocate(), allocate(), Step::Notified, Step::Window],
        LOOK.to_vec(),
        vec![free(2), read(VCRSP), free(1), read(VCRSP), last_words()],
    ];
    let came = rig.live(with_fault_interrupt(steps.concat()));
    assert_eq!(came.injected, [0x31]);
    let [status, _, record, of_2, of_1] = rig.reads()[..] else { panic!("five reads") };
    assert_eq!(status, 2 << 32);
    assert_eq!((record >> 40 & 0xf_ffff, record >> 32 & 0xff), (2, 0x59));
    assert_eq!((of_2, of_1), (NO_PASID, 0));
    assert_eq!(rig.calls(), ["alloc 1", "alloc 2", "free 1"]);
    assert_eq!(came.freed, 0);
}

#[test]
fn a_set_that_is_gone_takes_every_id_along() {
    let mut rig = Rig::new(8);
    rig.tell(event(EventKind::SetGone, None));
    let steps =
        [vec![allocate(), allocate(), Step::Notified, Step::Window], LOOK.to_vec(), vec![last_words()]];
    let came = rig.live(with_fault_interrupt(steps.concat()));
    assert_eq!((came.injected, came.freed), (vec![0x31], 0));
    // One record, and that another fault was lost.
    assert_eq!(rig.reads()[0], 3 << 32);
    assert_eq!(rig.calls(), ["alloc 1", "alloc 2"], "what is gone is not freed");
}

#[test]
fn a_masked_message_waits_until_the_guest_lets_it_through() {
    let mut rig = Rig::new(8);
    rig.tell(event(EventKind::Fault, Some(5)));
    let steps =
        vec![store(0x3c, 0x40), Step::Notified, read(0x38), store(0x38, 0), Step::Window, last_words()];
    let came = rig.live(steps);
    assert_eq!(came.injected, [0x40]);
    assert_eq!(rig.reads(), [0x40 << 32 | 3 << 30], "masked, and pending");
}

#[test]
fn a_message_whose_cause_the_guest_has_cleared_is_not_sent() {
    let mut rig = Rig::new(8);
    rig.tell(event(EventKind::Fault, Some(5)));
    // The record is given back while its message is masked.
    let steps = vec![store(0x3c, 0x40), Step::Notified, store(0x22c, 1 << 31), store(0x38, 0), last_words()];
    assert!(rig.live(steps).injected.is_empty());
}

#[test]
fn no_message_carries_a_vector_of_the_processors_own_or_another_delivery_mode() {
    for data in [0, 15, 0x431, 0x231] {
        let mut rig = Rig::new(8);
        rig.tell(event(EventKind::Fault, Some(5)));
        let steps = vec![store(0x3c, data), store(0x38, 0), Step::Notified, exit(10), last_words()];
        assert!(rig.live(steps).injected.is_empty(), "data {data:#x}");
    }
}

#[test]
fn a_guest_that_halts_sleeps_until_there_is_an_interrupt() {
    let mut rig = Rig::new(8);
    rig.tell(event(EventKind::Fault, Some(5)));
    // STI before HLT: held back for no longer than HLT takes.
    let steps = with_fault_interrupt(vec![Step::Halt { after_sti: true }, last_words()]);
    let came = rig.live(steps);
    assert_eq!((came.injected, came.waits), (vec![0x31], 1));
    assert_eq!(rig.vmcs(0x4824), Some(0));
}

#[test]
fn a_call_is_the_listeners_to_answer_and_its_to_end() {
    let mut rig = Rig::new(8);
    let Came { reason, .. } = rig.live(vec![hypercall(41), last_words()]);
    assert_eq!((rig.registers().eax, reason), (42, Some(Reason::Done)));
}

#[test]
fn the_unit_a_timer_and_memory_are_as_at_first_in_each_life() {
    let mut rig = Rig::new(8);
    rig.live(vec![store(0x38, 0), allocate(), Step::Scribble(0x4000), exit(2)]);
    rig.live(vec![read(0x38), read(VCRSP), Step::Look(0x4000), last_words()]);
    assert_eq!(rig.reads(), [1 << 31, 0, 0]);
    assert_eq!(rig.taken(), []);
}

#[test]
fn any_exits_end_in_a_reason_and_leave_nothing_behind() {
    let mut random = 7u64;
    let mut next = move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        random ^ random >> 31
    };
    for _ in 0..2_000 {
        let mut rig = Rig::new(8);
        let steps = (0..200).map(|_| match next() % 8 {
            0 => allocate(),
            1 => free(next() % 16),
            2 => store((next() % 0x1000) & !3, next()),
            3 => Step::Exit(next() % 64, next(), [next(), next(), next(), next()]),
            4 => Step::Touch(0xfed9_0000 + next() % 0x1800, next() % 4),
            5 => Step::Notified,
            6 => Step::Window,
            _ => Step::Narrow(next() % 0x1000, next()),
        });
        let came = rig.live(steps.chain([last_words()]).collect());
        assert!(came.reason.is_some());
        assert_eq!(rig.taken(), []);
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! What the server writes, a tool reads: every event, around the end of the ring, over lives, and while it is written.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ioasid_api::{Access, RegionOffset};
use ioasid_trace::{
    Choice, Direction, Error, Event, Handle, Name, Record, ShareWhy, Trace, Writer, region_bytes,
};
use proptest::prelude::*;

type Memory = Vec<AtomicU64>;

fn memory(records: usize) -> Memory {
    (0..region_bytes(2, 1, records) / 8).map(|_| AtomicU64::new(0)).collect()
}

fn writer(memory: &Memory) -> Writer<'_> {
    Writer::new(memory, ["guest_a", "guest_b"].map(Name::new), [(Name::new("edu"), 0x18, 1)])
}

fn copy(memory: &Memory) -> Vec<u64> {
    memory.iter().map(|word| word.load(Ordering::Relaxed)).collect()
}

/// The records of a system that stands still.
fn records(memory: &Memory) -> Vec<Record> {
    let words = copy(memory);
    let trace = Trace::read(&words).unwrap();
    trace.records(trace.written()).collect()
}

fn id(pasid: u32) -> Handle {
    Handle { pasid, generation: 2, epoch: 1 }
}

fn events() -> Vec<Event> {
    let id = id(0xf_ffff);
    let source = RegionOffset { region: 4, offset: 0x5000 };
    let fault = |pasid, id, direction| Event::Fault {
        device: 0x18,
        reason: 0x71,
        direction,
        pasid,
        address: 0xffff_ffff_f000,
        id,
    };
    let share = |why| Event::Share { why, reservation: 1, limit: 2, used: 3, peak: 4, faults: 5, refused: 6 };
    let mut events = vec![
        Event::Started { epoch: 7, unit: true },
        Event::Alloc { id },
        Event::Free { id },
        Event::Quarantine { id },
        Event::Bind { id, device: 0x18, tagged: true },
        Event::Unbind { id, device: 0x18, tagged: false },
        Event::Map { id, iova: 0x1000, pages: 4096, access: Access::Write, source },
        Event::Unmap { id, iova: 0x1000, pages: 4096 },
        fault(None, Some(id), Direction::Read),
        fault(Some(0xf_ffff), None, Direction::Write),
        Event::FaultsLost,
        Event::Registered { allocator: 8 },
        Event::Unregistered { allocator: 8, orphans: 9 },
        Event::Asked { ticket: u64::MAX, alloc: true },
        Event::Asked { ticket: 1, alloc: false },
        Event::Answered { ticket: 1, choice: Choice::Given(10) },
        Event::Answered { ticket: 1, choice: Choice::Nothing },
        Event::Answered { ticket: 1, choice: Choice::Failed },
        Event::ProviderGone { orphans: 11 },
        Event::Refused { operation: 0x10, code: 206, times: 1, total: 1 << 40 },
    ];
    let whys = [ShareWhy::Stated, ShareWhy::Opened, ShareWhy::Adjusted, ShareWhy::Ending, ShareWhy::Gone];
    events.extend(whys.map(share));
    events
}

#[test]
fn every_event_is_read_as_it_was_written() {
    let memory = memory(64);
    let mut writer = writer(&memory);
    for (time, event) in (0..).zip(events()) {
        writer.push(time, (time % 2 == 0).then_some(1), event);
    }
    let read = records(&memory);
    assert_eq!(read.iter().map(|record| record.event.unwrap()).collect::<Vec<_>>(), events());
    for (number, record) in (0..).zip(&read) {
        assert_eq!((record.number, u64::from(record.time)), (number + 1, number));
        assert_eq!(record.set, (number % 2 == 0).then_some(1));
    }
}

#[test]
fn names_and_devices_are_read() {
    let memory = memory(8);
    let _ = writer(&memory);
    let words = copy(&memory);
    let trace = Trace::read(&words).unwrap();
    assert_eq!(trace.sets().map(|name| name.as_str().to_owned()).collect::<Vec<_>>(), ["guest_a", "guest_b"]);
    let devices: Vec<_> = trace.devices().collect();
    assert_eq!((devices[0].name.as_str(), devices[0].source, devices[0].set), ("edu", 0x18, 1));
    assert_eq!(trace.room(), 8);
    assert_eq!(Name::new(&"ä".repeat(17)).as_str(), "ä".repeat(12));
}

#[test]
fn the_newest_records_are_kept_and_the_one_whose_place_is_next_is_not_trusted() {
    let memory = memory(4);
    let mut writer = writer(&memory);
    (1..=11).for_each(|pasid| writer.push(pasid, None, Event::Alloc { id: id(pasid) }));
    assert_eq!(records(&memory).iter().map(|record| record.number).collect::<Vec<_>>(), [9, 10, 11]);
    assert!(records(&memory).iter().all(|record| u64::from(record.time) == record.number));
}

#[test]
fn what_was_overwritten_while_the_copy_was_made_is_left_out() {
    let memory = memory(4);
    let mut writer = writer(&memory);
    (1..=6).for_each(|pasid| writer.push(pasid, None, Event::Alloc { id: id(pasid) }));
    let words = copy(&memory);
    let trace = Trace::read(&words).unwrap();
    assert_eq!(trace.records(8).map(|record| record.number).collect::<Vec<_>>(), [6]);
    assert_eq!(trace.records(1000).count(), 0);
    assert_eq!(trace.records(u64::MAX).count(), 0);
}

#[test]
fn a_new_life_goes_on_counting_and_another_system_begins_anew() {
    let memory = memory(8);
    writer(&memory).push(1, None, Event::Started { epoch: 1, unit: true });
    writer(&memory).push(0, None, Event::Started { epoch: 2, unit: true });
    assert_eq!(records(&memory).iter().map(|record| record.number).collect::<Vec<_>>(), [1, 2]);
    Writer::new(&memory, [Name::new("other")], []).push(0, None, Event::FaultsLost);
    assert_eq!(records(&memory).len(), 1);
}

#[test]
fn each_round_is_announced_once() {
    let memory = memory(4);
    let mut writer = writer(&memory);
    let mut begun = Vec::new();
    for record in 0..13 {
        writer.push_with(0, None, Event::FaultsLost, || begun.push(record));
    }
    assert_eq!(begun, [4, 8, 12], "the first begins with the writer");
}

#[test]
fn a_call_that_is_refused_again_and_again_takes_one_record() {
    let memory = memory(16);
    let mut writer = writer(&memory);
    let mut refused =
        |time, set, operation, code, total| writer.refused(time, set, operation, code, total, || ());
    for total in 1..=5 {
        refused(total, 0, 0x10, 206, total.into());
    }
    refused(6, 1, 0x10, 206, 1);
    refused(7, 0, 0x10, 205, 6);
    refused(8, 0, u64::MAX, 205, 7);
    let refused = |operation, code, times, total| Some(Event::Refused { operation, code, times, total });
    let read: Vec<_> = records(&memory).iter().map(|one| (one.time, one.set, one.event)).collect();
    assert_eq!(read[0], (5, Some(0), refused(0x10, 206, 5, 5)));
    assert_eq!(read[1], (6, Some(1), refused(0x10, 206, 1, 1)));
    assert_eq!(read[2], (7, Some(0), refused(0x10, 205, 1, 6)));
    assert_eq!(read[3], (8, Some(0), refused(0xffff, 205, 1, 7)));
    assert_eq!(read.len(), 4);
}

#[test]
fn memory_without_room_is_written_nowhere() {
    for words in [0, 3, 8, 19, 20] {
        let memory: Memory = (0..words).map(|_| AtomicU64::new(0)).collect();
        let mut writer = writer(&memory);
        writer.push(0, None, Event::FaultsLost);
        writer.refused(0, 0, 1, 2, 3, || ());
        assert!(memory.iter().skip(20).all(|word| word.load(Ordering::Relaxed) == 0));
    }
    let mut nowhere = Writer::nowhere();
    nowhere.push_with(0, None, Event::FaultsLost, || panic!("there are no rounds"));
}

#[test]
fn what_is_no_trace_is_said() {
    let memory = memory(8);
    assert_eq!(Trace::read(&copy(&memory)).unwrap_err(), Error::Magic);
    assert_eq!(Trace::read(&[]).unwrap_err(), Error::Magic);
    let _ = writer(&memory);
    let good = copy(&memory);
    assert!(matches!(Trace::read(&good[..good.len() - 1]).unwrap_err(), Error::Short(_)));
    let mut bad = good.clone();
    bad[1] = 99;
    assert_eq!(Trace::read(&bad).unwrap_err(), Error::Version(99));
    bad[1] = good[1];
    bad[3] = u64::MAX;
    assert!(matches!(Trace::read(&bad).unwrap_err(), Error::Short(_)));
}

#[test]
fn a_tool_never_reads_a_torn_record() {
    let memory = memory(32);
    let done = AtomicBool::new(false);
    let mut writer = writer(&memory);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for count in 1..=200_000_u32 {
                let iova = u64::from(count) << 12;
                writer.push(count, None, Event::Unmap { id: id(count & 0xf_ffff), iova, pages: 1 });
            }
            done.store(true, Ordering::Release);
        });
        let mut seen = 0_u64;
        while !done.load(Ordering::Acquire) {
            let words: Vec<_> = memory.iter().map(|word| word.load(Ordering::Acquire)).collect();
            let since = memory[2].load(Ordering::Acquire);
            for record in Trace::read(&words).unwrap().records(since) {
                let Some(Event::Unmap { id, iova, .. }) = record.event else { panic!("{record:?}") };
                assert_eq!(record.number, u64::from(record.time));
                assert_eq!(record.number, iova >> 12);
                assert_eq!(u64::from(id.pasid), record.number & 0xf_ffff);
                seen += 1;
            }
        }
        println!("{seen} records were read");
    });
}

proptest! {
    #[test]
    fn any_memory_can_be_read(mut words in proptest::collection::vec(any::<u64>(), 0..200), since: u64) {
        if let [magic, version, written, room, sets, devices, ..] = &mut words[..] {
            (*magic, *version) = (u64::from_le_bytes(*b"ioasidtr"), 1);
            *written %= 1 << 20;
            (*room, *sets, *devices) = (*room % 64, *sets % 8, *devices % 8);
        }
        if let Ok(trace) = Trace::read(&words) {
            trace.sets().for_each(|name| drop(name.as_str().to_owned()));
            prop_assert!(trace.records(since).count() as u64 <= trace.room());
            prop_assert!(trace.records(trace.written()).count() as u64 <= trace.room());
        }
    }
}

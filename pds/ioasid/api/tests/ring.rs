// SPDX-License-Identifier: BSD-2-Clause
//! The event ring, as one side writes it and the other reads it.

use core::sync::atomic::{AtomicU64, Ordering};
use ioasid_api::{Event, EventKind, EventReader, EventWriter, Handle, RING_ENTRY_WORDS, RING_HEADER_WORDS};

fn memory<const WORDS: usize>() -> [AtomicU64; WORDS] {
    [const { AtomicU64::new(0) }; WORDS]
}

fn event(pasid: u32) -> Event {
    Event::of(EventKind::Free, Handle { pasid, generation: 1, epoch: 1 })
}

#[test]
fn events_arrive_in_order() {
    let memory = memory::<{ RING_HEADER_WORDS + 8 * RING_ENTRY_WORDS }>();
    let mut reader = EventReader::new(&memory);
    let mut writer = EventWriter::new(&memory);
    (0..5).for_each(|pasid| writer.push(event(pasid)));
    assert!((0..5).all(|pasid| reader.pop() == Some(event(pasid))));
    assert_eq!(reader.pop(), None);
}

#[test]
fn s80_an_overrun_ring_says_how_many_it_lost() {
    let memory = memory::<{ RING_HEADER_WORDS + 4 * RING_ENTRY_WORDS }>();
    let mut reader = EventReader::new(&memory);
    let mut writer = EventWriter::new(&memory);
    (0..11).for_each(|pasid| writer.push(event(pasid)));
    assert_eq!(reader.pop(), Some(event(7)));
    assert_eq!(reader.lost(), 7);
    assert!((8..11).all(|pasid| reader.pop() == Some(event(pasid))));
}

#[test]
fn an_event_that_is_being_overwritten_is_lost_not_torn() {
    let memory = memory::<{ RING_HEADER_WORDS + 2 * RING_ENTRY_WORDS }>();
    let mut reader = EventReader::new(&memory);
    let mut writer = EventWriter::new(&memory);
    writer.push(event(1));
    // Its number, while it is being written: two entries fit, and the first event is in the second.
    memory[RING_HEADER_WORDS + RING_ENTRY_WORDS].store(0, Ordering::Relaxed);
    assert_eq!(reader.pop(), None);
    assert_eq!(reader.lost(), 1);
}

#[test]
fn a_restarted_writer_goes_on_counting() {
    let memory = memory::<{ RING_HEADER_WORDS + 4 * RING_ENTRY_WORDS }>();
    let mut reader = EventReader::new(&memory);
    EventWriter::new(&memory).push(event(1));
    EventWriter::new(&memory).push(event(2));
    assert_eq!([reader.pop(), reader.pop()], [Some(event(1)), Some(event(2))]);
}

#[test]
fn memory_too_small_for_a_ring_is_an_empty_one() {
    let memory = memory::<3>();
    EventWriter::new(&memory).push(event(1));
    assert_eq!(EventReader::new(&memory).pop(), None);
}

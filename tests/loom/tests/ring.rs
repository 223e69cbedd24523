// SPDX-License-Identifier: BSD-2-Clause
//! The event ring: whatever the server writes beside it, a reader takes whole events, in order, and counts what it lost.

use ioasid_api::EventKind;
use loom::sync::atomic::AtomicU64;
use loom::thread;
use loom_model::{Event, EventReader, EventWriter, Handle, RING_ENTRY_WORDS, RING_HEADER_WORDS};

fn event(number: u32) -> Event {
    Event::of(EventKind::Free, Handle { pasid: number, generation: 1, epoch: 1 })
}

/// A reader beside a writer, in a ring of `WORDS` words in which one event stands and the next is being written.
fn race<const WORDS: usize>() {
    loom::model(|| {
        let memory: &'static [AtomicU64; WORDS] =
            Box::leak(Box::new(std::array::from_fn(|_| AtomicU64::new(0))));
        let mut reader = EventReader::new(memory);
        let mut writer = EventWriter::new(memory);
        writer.push(event(1));
        let server = thread::spawn(move || writer.push(event(2)));
        let mut seen = 0;
        let mut take = |reader: &mut EventReader<'_>| {
            if let Some(taken) = reader.pop() {
                // Each is whole, and what is missing before it was counted.
                seen += 1;
                assert_eq!(taken, event(u32::try_from(seen + reader.lost()).expect("few")));
            }
        };
        take(&mut reader);
        server.join().expect("the writer ends");
        take(&mut reader);
        take(&mut reader);
        assert_eq!(seen + reader.lost(), 2);
    });
}

#[test]
fn s80_an_event_beside_one_that_is_being_written_is_whole() {
    race::<{ RING_HEADER_WORDS + 2 * RING_ENTRY_WORDS }>();
}

#[test]
fn s80_an_event_that_is_being_overwritten_is_whole_or_counted_as_lost() {
    race::<{ RING_HEADER_WORDS + RING_ENTRY_WORDS }>();
}

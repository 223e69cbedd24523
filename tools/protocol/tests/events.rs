// SPDX-License-Identifier: BSD-2-Clause
//! The C reader of the event ring against the server's own writer.

mod common;

use std::sync::atomic::{AtomicU64, Ordering};

use ioasid_api::{
    Event, EventKind, EventWriter, FaultDirection, Handle, RING_ENTRY_WORDS, RING_HEADER_WORDS,
};

const ENTRIES: usize = 8;
/// A little more than a power of two's entries: the rest stays unused.
const WORDS: usize = RING_HEADER_WORDS + ENTRIES * RING_ENTRY_WORDS + 5;

/// Reads the ring as it was before, then as it is now, and prints what a reader that was opened before takes.
const READER: &str = r#"
#include <ioasid/events.h>
#include <inttypes.h>
#include <stdio.h>
static uint64_t memory[WORDS];
int main(void)
{
    if (fread(memory, sizeof memory, 1, stdin) != 1) {
        return 1;
    }
    struct ioasid_events events = ioasid_events_open(memory, sizeof memory);
    if (fread(memory, sizeof memory, 1, stdin) != 1) {
        return 2;
    }
    struct ioasid_event_entry event;
    while (ioasid_events_take(&events, &event)) {
        printf("%d %d %u %u %" PRIx64 " %" PRIx64 "\n", (int)ioasid_event_head_event(event.head),
               (int)ioasid_event_head_direction(event.head), (unsigned)ioasid_event_head_device(event.head),
               (unsigned)ioasid_event_head_reason(event.head), event.handle, event.address);
    }
    printf("lost %" PRIu64 "\n", events.lost);
    return 0;
}
"#;

fn event(number: u16) -> Event {
    let kinds = EventKind::ALL;
    Event {
        kind: kinds[usize::from(number) % kinds.len()],
        handle: (!number.is_multiple_of(3)).then_some(Handle {
            pasid: number.into(),
            generation: 1,
            epoch: 2,
        }),
        device: number,
        reason: number + 1,
        direction: if number.is_multiple_of(2) { FaultDirection::Read } else { FaultDirection::Write },
        address: u64::from(number) << 12,
    }
}

/// The line that the reader prints for an event.
fn line(event: &Event) -> String {
    let handle = event.handle.map_or(u64::MAX, ioasid_api::Field::to_word);
    let Event { kind, device, reason, direction, address, .. } = *event;
    let write = u8::from(direction == FaultDirection::Write);
    format!("{} {write} {device} {reason} {handle:x} {address:x}", kind as u8)
}

/// What a reader prints that was opened after `before` events and reads after `after` more.
fn read(before: u16, after: u16, damage: impl Fn(&[AtomicU64])) -> Vec<String> {
    let memory = [const { AtomicU64::new(0) }; WORDS];
    let mut writer = EventWriter::new(&memory);
    let mut input = Vec::new();
    let mut next = 0;
    for count in [before, after] {
        (0..count).for_each(|_| {
            writer.push(event(next));
            next += 1;
        });
        if count == after {
            damage(&memory);
        }
        input.extend(memory.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()));
    }
    let program = READER.replace("WORDS", &WORDS.to_string());
    common::run(&program, &input).lines().map(str::to_owned).collect()
}

#[test]
fn events_arrive_in_order_and_once() {
    let mut expected: Vec<_> = (3..10).map(|number| line(&event(number))).collect();
    expected.push("lost 0".to_owned());
    assert_eq!(read(3, 7, |_| ()), expected);
}

#[test]
fn s80_an_overrun_ring_says_how_many_it_lost() {
    let mut expected: Vec<_> = (13..21).map(|number| line(&event(number))).collect();
    expected.push("lost 11".to_owned());
    assert_eq!(read(2, 19, |_| ()), expected);
}

#[test]
fn an_event_that_is_being_overwritten_is_lost_not_torn() {
    // Event 0 has sequence number 1, and stands in entry 1.
    let overwrite = |memory: &[AtomicU64]| {
        memory[RING_HEADER_WORDS + RING_ENTRY_WORDS].store(0, Ordering::Relaxed);
    };
    assert_eq!(read(0, 2, overwrite), [line(&event(1)), "lost 1".to_owned()]);
}

#[test]
fn memory_too_small_for_a_ring_is_an_empty_one() {
    let program = r#"
#include <ioasid/events.h>
#include <stdio.h>
int main(void)
{
    static uint64_t memory[3] = { 9, 9, 9 };
    struct ioasid_events events = ioasid_events_open(memory, sizeof memory);
    struct ioasid_event_entry event;
    puts(ioasid_events_take(&events, &event) ? "event" : "none");
    return 0;
}
"#;
    assert_eq!(common::run(program, b""), "none\n");
}

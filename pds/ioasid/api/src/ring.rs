// SPDX-License-Identifier: BSD-2-Clause
//! The event ring that the server keeps for a client, in memory that the client can only read.
//!
//! One writer, any number of readers, and nobody waits: the writer overwrites the oldest event, and a reader
//! that was too slow learns how many it lost. Every event is behind its own sequence number, which is zero while
//! the event is being written; a reader takes an event only if the number was the same before and after.
//!
//! Layout, in words of 8 bytes: word 0 counts all events ever written; words 1…7 are zero; then entries of four
//! words (sequence number from 1, then the [`Event`]'s three), as many as a power of two allows.

use crate::Event;
use crate::atomic::{AtomicU64, Ordering, fence};

/// Words before the first entry.
pub const RING_HEADER_WORDS: usize = 8;
/// Words of an entry: its sequence number, and the event's.
pub const RING_ENTRY_WORDS: usize = 1 + Event::WORDS.len();

/// Where entry number `sequence` begins, in words, or `None` where the memory holds no ring.
fn entry(memory: &[AtomicU64], sequence: u64) -> Option<&[AtomicU64]> {
    let capacity = capacity(memory)?;
    let index = usize::try_from(sequence % capacity).ok()?;
    memory.get(RING_HEADER_WORDS + index * RING_ENTRY_WORDS..)?.get(..RING_ENTRY_WORDS)
}

/// How many events the memory holds: a power of two, so that numbering survives wrapping around.
fn capacity(memory: &[AtomicU64]) -> Option<u64> {
    let entries = memory.len().checked_sub(RING_HEADER_WORDS)? / RING_ENTRY_WORDS;
    (entries > 0).then(|| 1 << entries.ilog2())
}

/// The server's end of a ring.
#[derive(Debug)]
pub struct EventWriter<'a> {
    memory: &'a [AtomicU64],
    written: u64,
}

impl<'a> EventWriter<'a> {
    /// A ring in `memory`, which only this writer changes. Goes on counting where an earlier writer stopped.
    #[must_use]
    pub fn new(memory: &'a [AtomicU64]) -> Self {
        let written = memory.first().map_or(0, |count| count.load(Ordering::Relaxed));
        Self { memory, written }
    }

    /// Append an event. Never waits and never fails; where the memory holds no ring there is nobody to tell.
    pub fn push(&mut self, event: Event) {
        let sequence = self.written + 1;
        let Some([number, words @ ..]) = entry(self.memory, sequence) else { return };
        number.store(0, Ordering::Relaxed);
        // A reader that sees a new word below also sees the zero above.
        fence(Ordering::Release);
        for (word, value) in words.iter().zip(event.to_words()) {
            word.store(value, Ordering::Relaxed);
        }
        number.store(sequence, Ordering::Release);
        self.written = sequence;
        if let Some(count) = self.memory.first() {
            count.store(sequence, Ordering::Release);
        }
    }
}

/// A client's end of a ring.
#[derive(Debug)]
pub struct EventReader<'a> {
    memory: &'a [AtomicU64],
    taken: u64,
    lost: u64,
}

impl<'a> EventReader<'a> {
    /// A reader that begins with the next event to be written.
    #[must_use]
    pub fn new(memory: &'a [AtomicU64]) -> Self {
        let taken = memory.first().map_or(0, |count| count.load(Ordering::Acquire));
        Self { memory, taken, lost: 0 }
    }

    /// How many events were overwritten before they could be taken.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// The oldest event that was not yet taken, if there is one.
    pub fn pop(&mut self) -> Option<Event> {
        let written = self.memory.first()?.load(Ordering::Acquire);
        let oldest = written.saturating_sub(capacity(self.memory)?);
        if self.taken < oldest {
            self.lost += oldest - self.taken;
            self.taken = oldest;
        }
        // Bounded: each turn takes an event or gives one up.
        while self.taken < written {
            self.taken += 1;
            if let Some(event) = self.read(self.taken) {
                return Some(event);
            }
            self.lost += 1;
        }
        None
    }

    fn read(&self, sequence: u64) -> Option<Event> {
        let [number, words @ ..] = entry(self.memory, sequence)? else { return None };
        if number.load(Ordering::Acquire) != sequence {
            return None;
        }
        let mut copy = [0; 3];
        for (value, word) in copy.iter_mut().zip(words) {
            *value = word.load(Ordering::Relaxed);
        }
        // The words above were read before the number is read again.
        fence(Ordering::Acquire);
        if number.load(Ordering::Relaxed) != sequence {
            return None;
        }
        Event::from_words(copy)
    }
}

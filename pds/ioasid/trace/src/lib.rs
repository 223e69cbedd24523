// SPDX-License-Identifier: BSD-2-Clause
//! The trace: what the server did, in a ring that is always on. It is for tools, since a release build prints nothing.
//!
//! It lies in a memory region that the server alone maps, for it speaks of everybody; a tool reads the region from
//! outside the machine, while the system runs or when it has ended. The server writes and never waits: the oldest
//! record makes room for the newest. What a set uses is not kept beside the ring but in it: the first records of each
//! round are a [`Event::Share`] of every set, and whatever changes a set's use afterwards is a record too.
//!
//! Layout, in entries of four words of 8 bytes:
//!
//! | entries | words |
//! | --- | --- |
//! | 1 | magic "ioasidtr", version, records ever written, records that there is room for |
//! | 1 | sets, devices, 0, 0 |
//! | one a set | name (3 words, UTF-8, zeros behind), 0 |
//! | one a device | name (3 words), requester id in 15:0 and the number of its set in 31:16 |
//! | the rest | record n (from 1) in place (n - 1) modulo the room: head, and what the event says |
//!
//! The head: kind in 7:0, number of the set in 15:8 (255: of none), a small number in 31:16, time in 63:32. Time is the
//! server's own: it counts calls and interrupts.
//!
//! ```
//! use core::sync::atomic::{AtomicU64, Ordering};
//! use ioasid_trace::{Event, Handle, Name, Trace, Writer};
//!
//! let memory = [const { AtomicU64::new(0) }; 512];
//! let mut writer = Writer::new(&memory, [Name::new("guest")], []);
//! writer.push(7, Some(0), Event::Alloc { id: Handle { pasid: 1, generation: 0, epoch: 1 } });
//!
//! // Outside:
//! let words = memory.each_ref().map(|word| word.load(Ordering::Relaxed));
//! let trace = Trace::read(&words)?;
//! assert_eq!(trace.sets().next().unwrap().as_str(), "guest");
//! assert_eq!(trace.records(trace.written()).next().unwrap().time, 7);
//! # Ok::<(), ioasid_trace::Error>(())
//! ```
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod event;
mod name;
mod reader;
mod writer;

pub use event::{Choice, Direction, Event, ShareWhy};
pub use ioasid_api::Handle;
pub use name::Name;
pub use reader::{Device, Error, Record, Trace};
pub use writer::Writer;

/// "ioasidtr", read as a little-endian word.
const MAGIC: u64 = u64::from_le_bytes(*b"ioasidtr");
/// Grows with every change of the layout or of a record.
pub const VERSION: u64 = 2;
/// Words of an entry.
const ENTRY_WORDS: usize = 4;
/// Bytes of an entry.
pub const ENTRY_BYTES: usize = 8 * ENTRY_WORDS;
/// Entries before the first set.
const HEADER_ENTRIES: usize = 2;
/// The set of a record that is of none.
const NO_SET: u8 = u8::MAX;

/// The length of a region, in bytes, that has room for `records`, with so many sets and devices.
#[must_use]
pub const fn region_bytes(sets: usize, devices: usize, records: usize) -> usize {
    (HEADER_ENTRIES + sets + devices + records) * ENTRY_BYTES
}

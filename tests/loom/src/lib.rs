// SPDX-License-Identifier: BSD-2-Clause
//! The find page and the event ring of `ioasid-api`, built on loom's atomics: the same files, word for word. `tests/` runs a
//! writer beside a reader in every interleaving, with every reordering that the memory model allows.
#![forbid(unsafe_code)]

#[path = "../../../pds/ioasid/api/src/find.rs"]
mod find;
#[path = "../../../pds/ioasid/api/src/ring.rs"]
mod ring;

mod atomic {
    pub use loom::sync::atomic::{AtomicU64, Ordering, fence};
}

pub use find::{FindReader, FindWriter};
pub use ioasid_api::{Event, Field, Handle};
pub use ring::{EventReader, EventWriter, RING_ENTRY_WORDS, RING_HEADER_WORDS};

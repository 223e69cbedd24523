// SPDX-License-Identifier: BSD-2-Clause
//! Reads the ioasid server's trace from outside the machine, and shows it as text, JSON or one page of HTML.
//!
//! The trace is a ring in a memory region of the system ([`ioasid_trace`]). [`Place`] says where: `system.xml` and
//! `ioasid.toml` tell. A [`Snapshot`] copies it out of a file, which is the machine's memory while it runs, or the region
//! alone. A [`History`] is what follows from the records: what each set had at each time, what each device is bound to,
//! and everything that happened.
#![forbid(unsafe_code)]

mod history;
mod html;
mod json;
mod place;
mod snapshot;
mod text;
mod words;

pub use history::{Device, Entry, History, Life, Set, Share, Step};
pub use place::Place;
pub use snapshot::{Snapshot, SnapshotError};
pub use words::{Class, class, kind};

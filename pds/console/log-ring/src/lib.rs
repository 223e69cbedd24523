// SPDX-License-Identifier: BSD-2-Clause
//! How a protection domain's log reaches the console: a ring of bytes for each domain, in a memory region that
//! the domain writes and the console only reads.
//!
//! The writer never waits: it overwrites the oldest bytes, and the console says how many it missed. So nobody's
//! log can hold anybody up, and a release kernel, which prints nothing, makes no difference.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod directory;
mod ring;

pub use directory::{Directory, Entry, MAX_CHANNELS};
pub use ring::{LogReader, LogRing, LogWriter, RING_BYTES};

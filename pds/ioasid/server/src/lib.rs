// SPDX-License-Identifier: BSD-2-Clause
//! The ioasid service, apart from the kernel: a message and the channel that it came on go in, a reply comes out.
//!
//! The walk of a request: [`Server::call`] finds the caller by its channel (`clients`), decodes the message
//! ([`ioasid_api::Call`]) and hands it to `ids` (the registry), `spaces` (the unit), `batch` (many of either),
//! `sets` or `providers`. Faults come the other way: [`Server::fault_event`] finds whose device it was and tells that
//! client alone (`faults`, `outbox`). What was done goes into a ring for tools (`trace`).
//!
//! What a caller may do follows from its channel and the configuration, never from the message. Nothing here waits
//! without a bound, allocates memory, or panics on what a message says.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod batch;
mod clients;
mod codes;
mod due;
mod faults;
mod firmware;
mod ids;
mod outbox;
mod providers;
mod server;
mod sets;
mod space_table;
mod spaces;
mod start;
mod trace;

pub use server::Server;
pub use space_table::Spaces;
pub use start::{Pages, Parts, StartError};

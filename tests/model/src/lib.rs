// SPDX-License-Identifier: BSD-2-Clause
//! The registry held against a model of it.
//!
//! [`Model`] says what the registry must do, written from docs/semantics.md and not from the registry: ordered maps
//! and linear searches, everything that can be computed computed anew. A [`Lockstep`] does each [`Op`] to both and
//! compares the whole reply and then everything that can be seen: each id, each set, the totals, the allocators, what
//! was delivered to whom, what the providers were asked; and lets the registry check itself.
//!
//! Three searches use it: [`random`] (long random sequences, shrunk when they fail), [`exhaustive`] (all
//! short ones in a small world) and the fuzz target (`tests/fuzz`: sequences out of bytes, guided by coverage).
#![forbid(unsafe_code)]

pub mod exhaustive;
mod lockstep;
mod model;
mod op;
pub mod random;
mod shrink;

pub use lockstep::{Lockstep, Mismatch, Stage};
pub use model::Model;
pub use op::{Choice, Id, Op, Scenario, World};
pub use shrink::Failure;

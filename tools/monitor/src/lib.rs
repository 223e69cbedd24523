// SPDX-License-Identifier: BSD-2-Clause
//! Watches the ioasid server of a running system, in a terminal.
//!
//! [`Source`] finds the run's memory, notices when the run ends and when the next begins; [`App`] is what a person sees
//! and has chosen; [`draw`] puts it on a screen of any size; [`with_terminal`] gives the terminal back whatever happens.
#![forbid(unsafe_code)]

mod app;
mod source;
mod terminal;
mod view;

pub use app::{Act, App};
pub use source::{Source, State};
pub use terminal::with_terminal;
pub use view::draw;

// SPDX-License-Identifier: BSD-2-Clause
//! Compiles `ioasid.toml` and `system.xml` to what the protection domains read at their start: the ioasid PD's
//! configuration, and the console's directory of log rings.
//!
//! Whatever the two files say against each other is an error here, with file, line, column and remedy, so that the
//! server starts with nothing left to doubt.
#![forbid(unsafe_code)]

mod compile;
mod console;
mod problem;
mod schema;
mod spelling;

pub use compile::compile;
pub use console::console_directory;
pub use problem::{Problem, Problems};
pub use schema::{BarRegion, Client, Device, Grant, Rights, Schema, Unit};

/// What `ioasid.toml` is called where it lies beside a `system.xml`.
pub const FILE_NAME: &str = "ioasid.toml";

// SPDX-License-Identifier: BSD-2-Clause
//! The `log` backend of a protection domain: lines go into its ring, and the console is notified of each.
//!
//! ```ignore
//! static LOGGER: Logger = Logger::new(CONSOLE, memory_region_symbol!(log_ring: *mut LogRing));
//! ```
#![no_std]
#![forbid(unsafe_code)]

use core::fmt::Write;

use log::{Level, LevelFilter, Log, Metadata, Record};
pub use log_ring::LogRing;
use log_ring::LogWriter;
use sel4_microkit::Channel;

/// A ring and who reads it.
#[derive(Debug)]
pub struct Logger {
    ring: &'static LogRing,
    console: Channel,
}

impl Logger {
    /// A logger into `ring`, whose reader is behind `console`.
    #[must_use]
    pub const fn new(ring: &'static LogRing, console: Channel) -> Self {
        Self { ring, console }
    }

    /// Makes this the domain's logger, for `info` and everything graver.
    ///
    /// A second call changes nothing: a domain that was restarted keeps its first logger.
    pub fn install(&'static self) {
        if log::set_logger(self).is_ok() {
            log::set_max_level(LevelFilter::Info);
        }
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let grave = match record.level() {
            Level::Error => "error: ",
            Level::Warn => "warning: ",
            Level::Info | Level::Debug | Level::Trace => "",
        };
        // Writing to a ring does not fail; a Display that does loses its own line.
        let _ = writeln!(LogWriter::new(self.ring), "{grave}{}", record.args());
        self.console.notify();
    }

    fn flush(&self) {}
}

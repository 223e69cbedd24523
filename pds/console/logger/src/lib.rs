// SPDX-License-Identifier: BSD-2-Clause
//! The `log` backend of a protection domain: lines go into its ring, and the console is notified of each.
#![no_std]

use core::fmt::Write;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use log::{Level, LevelFilter, Log, Metadata, Record};
pub use log_ring::LogRing;
use log_ring::LogWriter;
use once_cell::race::OnceRef;
use sel4_microkit::Channel;

struct Logger {
    ring: OnceRef<'static, LogRing>,
    console: AtomicUsize,
    /// Where it is left that there are lines, rather than to wake the console.
    due: OnceRef<'static, AtomicU64>,
}

static LOGGER: Logger = Logger { ring: OnceRef::new(), console: AtomicUsize::new(0), due: OnceRef::new() };

/// From now on a line does not notify the console, but sets the bit of its channel in `due`: for a domain that logs while
/// its message registers are borrowed, when no system call can be made, and that notifies for each bit afterwards.
pub fn leave_to(due: &'static AtomicU64) {
    // Only the first counts.
    let _ = LOGGER.due.set(due);
}

/// Logs into `ring` from now on, for `info` and everything graver; `console` is the channel to its reader.
///
/// Only the first call counts. The usual one is
/// `unsafe { install(memory_region_symbol!(log_ring: *mut LogRing), CONSOLE) }`.
///
/// # Safety
/// `ring` is mapped for as long as the domain lives, readable and writable, and no other domain writes to it.
pub unsafe fn install(ring: NonNull<LogRing>, console: Channel) {
    // SAFETY: the caller vouches for the mapping, and a ring consists of atomics alone.
    let ring = unsafe { ring.as_ref() };
    if LOGGER.ring.set(ring).is_ok() && log::set_logger(&LOGGER).is_ok() {
        LOGGER.console.store(console.index(), Ordering::Relaxed);
        log::set_max_level(LevelFilter::Info);
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        let Some(ring) = self.ring.get() else { return };
        if !self.enabled(record.metadata()) {
            return;
        }
        let grave = match record.level() {
            Level::Error => "error: ",
            Level::Warn => "warning: ",
            Level::Info | Level::Debug | Level::Trace => "",
        };
        // Writing to a ring does not fail; a Display that does loses its own line.
        let _ = writeln!(LogWriter::new(ring), "{grave}{}", record.args());
        let console = Channel::new(self.console.load(Ordering::Relaxed));
        match self.due.get() {
            Some(due) => drop(due.fetch_or(1 << console.index(), Ordering::Relaxed)),
            None => console.notify(),
        }
    }

    fn flush(&self) {}
}

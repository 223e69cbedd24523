// SPDX-License-Identifier: BSD-2-Clause
//! The `log` backend of a protection domain: lines go into its ring, and the console is notified of each.
#![no_std]

use core::fmt::Write;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use log::{Level, LevelFilter, Log, Metadata, Record};
pub use log_ring::LogRing;
use log_ring::LogWriter;
use once_cell::race::OnceRef;
use sel4_microkit::Channel;

struct Logger {
    ring: OnceRef<'static, LogRing>,
    console: AtomicUsize,
    /// Whether lines wait for [`wake`], and whether there are any.
    lazy: AtomicBool,
    unread: AtomicBool,
}

static LOGGER: Logger = Logger {
    ring: OnceRef::new(),
    console: AtomicUsize::new(0),
    lazy: AtomicBool::new(false),
    unread: AtomicBool::new(false),
};

/// From now on the console is not woken by each line, but by [`wake`]: for a domain that logs while it has its message
/// registers borrowed, when no system call can be made.
pub fn be_lazy() {
    LOGGER.lazy.store(true, Ordering::Relaxed);
}

/// Wakes the console if there are lines that it was not woken for.
#[inline(always)]
pub fn wake() {
    if LOGGER.unread.load(Ordering::Relaxed) {
        LOGGER.wake();
    }
}

impl Logger {
    #[cold]
    fn wake(&self) {
        self.unread.store(false, Ordering::Relaxed);
        Channel::new(self.console.load(Ordering::Relaxed)).notify();
    }
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
        if self.lazy.load(Ordering::Relaxed) {
            self.unread.store(true, Ordering::Relaxed);
        } else {
            self.wake();
        }
    }

    fn flush(&self) {
        wake();
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! Whom the IPC buffer is lent to: many readers, or one writer.
//!
//! rust-sel4 lends it as a `RefCell` lends its value, and takes every system call with a message for a writer, because
//! the kernel writes there. The same is refused here, by a panic, where debug assertions are on: in tests, and in
//! programs for a debug kernel (the profile `checked` of embedded.toml). In a release this module is not there.

use core::sync::atomic::{AtomicIsize, Ordering};

/// The number of readers, or [`WRITTEN`]. A program has one thread, so that nothing changes between a load and a store.
pub(crate) struct Lending(AtomicIsize);

/// There is a writer.
const WRITTEN: isize = -1;

/// What was lent; dropping it gives it back.
pub(crate) struct Loan<'a>(&'a Lending);

impl Lending {
    /// Lent to nobody.
    pub(crate) const fn new() -> Self {
        Self(AtomicIsize::new(0))
    }

    /// Lends to a reader.
    #[track_caller]
    pub(crate) fn read(&self) -> Loan<'_> {
        let lent = self.0.load(Ordering::Relaxed);
        assert!(lent != WRITTEN, "the message registers are read while they are borrowed to be written");
        self.0.store(lent + 1, Ordering::Relaxed);
        Loan(self)
    }

    /// Lends to a writer: `what` does something to the buffer.
    #[track_caller]
    pub(crate) fn write(&self, what: &str) -> Loan<'_> {
        assert!(self.0.load(Ordering::Relaxed) == 0, "{what} while the message registers are borrowed");
        self.0.store(WRITTEN, Ordering::Relaxed);
        Loan(self)
    }

    /// Forgets whom it was lent to: a program that is started once more has its variables as they were.
    pub(crate) fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        let Lending(lent) = self.0;
        // A writer is the only one; of readers there is one less.
        lent.store((lent.load(Ordering::Relaxed) - 1).max(0), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Lending;

    #[test]
    fn many_read_at_a_time_and_then_one_writes() {
        let lending = Lending::new();
        drop((lending.read(), lending.read()));
        drop(lending.write("a system call"));
        drop(lending.read());
    }

    #[test]
    #[should_panic(expected = "a system call while the message registers are borrowed")]
    fn nobody_writes_beside_a_reader() {
        let lending = Lending::new();
        let _readers = (lending.read(), lending.read());
        drop(lending.read());
        lending.write("a system call");
    }

    #[test]
    #[should_panic(expected = "a second borrow while the message registers are borrowed")]
    fn nobody_writes_beside_a_writer() {
        let lending = Lending::new();
        let _writer = lending.write("a system call");
        lending.write("a second borrow");
    }

    #[test]
    #[should_panic(expected = "read while they are borrowed to be written")]
    fn nobody_reads_beside_a_writer() {
        let lending = Lending::new();
        let _writer = lending.write("a system call");
        lending.read();
    }

    #[test]
    fn a_new_start_finds_nothing_lent() {
        let lending = Lending::new();
        core::mem::forget(lending.write("a system call"));
        lending.reset();
        lending.write("a system call");
    }
}

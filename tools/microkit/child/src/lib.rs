// SPDX-License-Identifier: BSD-2-Clause
//! Stopping and restarting a child domain.
//!
//! rust-sel4's `sel4-microkit` hands out a child's thread and has nothing for what libmicrokit calls
//! `microkit_pd_stop` and `microkit_pd_restart`. With `microkit-ioport` this crate is what a domain needs beside
//! `sel4-microkit`; each platform has its own of the same names.
#![no_std]
#![forbid(unsafe_code)]

use sel4_microkit::Child;

/// The kernel refused: there is no such child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the domain has no such child")
    }
}

impl core::error::Error for Refused {}

/// Lets the program be started again, by [`restart`] at its ELF file's entry point.
///
/// For an item of its own in `main.rs`. On this platform every program can be: statics keep their values.
#[macro_export]
macro_rules! restartable {
    () => {};
}

/// Lets the child run from `entry_point`; its other registers stay as they are.
///
/// # Errors
/// [`Refused`] when there is no such child.
pub fn restart(child: Child, entry_point: usize) -> Result<(), Refused> {
    child.tcb().restart_at(entry_point as u64).map_err(|_| Refused)
}

/// Stops the child.
///
/// # Errors
/// [`Refused`] when there is no such child.
pub fn stop(child: Child) -> Result<(), Refused> {
    child.tcb().suspend().map_err(|_| Refused)
}

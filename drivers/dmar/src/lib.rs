// SPDX-License-Identifier: BSD-2-Clause
//! The ACPI DMAR table: remapping units, which devices are behind them, and the memory that firmware reserved for
//! devices (VT-d 8).
//!
//! The table comes from firmware, so nothing in it is trusted: [`Dmar::parse`] looks at every byte once and
//! refuses a table that is cut off, inconsistent or not of segment 0. What it accepted can be walked without
//! errors.
//!
//! ```
//! # fn show(table: &[u8]) -> Result<(), dmar::Error> {
//! let dmar = dmar::Dmar::parse(table)?;
//! for unit in dmar.units() {
//!     log(unit.base, unit.include_all);
//! }
//! # fn log(_: u64, _: bool) {}
//! # Ok(())
//! # }
//! ```
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod layout;
mod scope;
mod table;

pub use scope::{Bridges, Function, Scope, ScopeKind, Scopes};
pub use table::{Dmar, Error, ReservedRegion, Unit};

// SPDX-License-Identifier: BSD-2-Clause
//! Intel VT-d in scalable mode: PASID tables, page tables, invalidation queue, faults.
//!
//! One [`Unit`] is one remapping unit. It is generic over how its registers are reached ([`Registers`]) and
//! where its tables live ([`TableMemory`]), so that the very same code runs on MMIO, on a fake that caches as
//! hardware may, and on QEMU's device model over qtest.
//!
//! What holds everywhere:
//! - Before translation is on, nothing is allowed; afterwards only what [`Unit::bind`] allowed.
//! - The tables are the state: there is no copy beside them that could disagree. They live in memory that
//!   only the owner of the unit maps.
//! - An id, a page or a frame is reported free only after the invalidation of every cached use of it has
//!   completed. What could not be confirmed stays where it is, denied, and says so ([`Error::Unconfirmed`]).
//! - No heap, no panic on what hardware or a caller says, no poll without a bound.
//!
//! Sections are those of the "Intel Virtualization Technology for Directed I/O" architecture specification,
//! revision 4.1; "VT-d 9.6" means its section 9.6.
#![cfg_attr(not(test), no_std)]

mod access;
mod batch;
mod capabilities;
mod domain;
mod error;
mod faults;
mod frames;
mod ids;
#[cfg(target_arch = "x86_64")]
pub mod mapped;
mod paging;
mod policy;
mod queue;
mod quirks;
pub mod registers;
pub mod tables;
mod unit;

pub use access::{Registers, TableMemory};
pub use batch::{BATCH, Binding};
pub use capabilities::Capabilities;
pub use domain::{Stage, Target};
pub use error::{Error, Feature};
pub use faults::{Cause, Direction, Fault, FaultEvent, FaultReason, Msi, Place};
pub use ids::{DomainId, Pasid, Share, SourceId};
pub use paging::{Access, Mapping, PageSize};
pub use policy::{FaultPolicy, Outcome};
pub use quirks::Quirks;
pub use unit::{Config, Device, Faults, Filling, SHARES, Unit};

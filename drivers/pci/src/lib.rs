// SPDX-License-Identifier: BSD-2-Clause
//! PCI configuration space, as far as the owner of an IOMMU needs it: which functions are there, where their BARs
//! lie, whom they interrupt, and whether they may master the bus.
//!
//! Whoever can write configuration space can move a BAR over somebody's memory, so one trusted domain maps it and
//! nobody else does. The driver is generic over the access: [`ConfigSpace`] is memory-mapped ([`Ecam`]) or a fake.
//!
//! Offsets and bits: PCI Local Bus 3.0, chapter 6; ECAM: PCI Express Base 7.2.2.
#![cfg_attr(not(test), no_std)]

mod address;
mod ecam;
mod function;

pub use address::Address;
pub use ecam::{ConfigSpace, Ecam};
pub use function::{Error, Function, Msi, buses_behind, functions};

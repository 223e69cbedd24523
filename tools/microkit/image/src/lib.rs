// SPDX-License-Identifier: BSD-2-Clause
//! The packed system: the binary description that the packer writes into the root task and the initialiser builds
//! every object from.
//!
//! It is position-independent: a [`Header`], tables of fixed-size [records](record) and bytes, all found by offset
//! from its start. Words are little-endian and tables aligned to 8 bytes. Whatever a protection domain's memory
//! holds (ELF segments, stack, IPC buffer, mapped regions) is a region, mappings of it and bytes that fill it.
//!
//! [`layout`] is what packer, initialiser and the domains' runtime agree on.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

pub mod layout;
pub mod paint;
mod read;
pub mod record;

pub use read::{Image, ReadError};
pub use record::Header;

/// First bytes of a packed system.
pub const MAGIC: [u8; 8] = *b"MKPACKED";
/// Version of the format: another one is refused.
pub const VERSION: u32 = 3;

/// The symbol of the initialiser that the packer patches: two words, address and bytes of the packed system.
pub const IMAGE_SYMBOL: &str = "microkit_image";

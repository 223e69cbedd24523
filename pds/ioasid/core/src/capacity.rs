// SPDX-License-Identifier: BSD-2-Clause
//! How much there can be of everything: the one place where the registry is sized.
//!
//! Only the number of ids is not here: it follows from the memory that the registry is given, 16 bytes and one
//! bit for each id ([`Memory`](crate::Memory)). Beside these, a set costs 2,080 bytes to
//! find its ids by, and [`SPIDS_PER_SET`] words for its SPIDs.

/// Ids, at most: PASIDs have 20 bits (PCIe 6.20).
pub const IDS: usize = 1 << 20;

/// Ids in a block: the bits of a word.
pub const BLOCK: usize = 64;

/// Blocks, at most.
pub const BLOCKS: usize = IDS / BLOCK;

/// Sets. A power of two, at most [`BLOCK`]: each slot of a block counts for one of them.
pub const SETS: usize = 32;

const _: () = assert!(SETS.is_power_of_two() && SETS <= BLOCK);

/// Custom allocators that can be registered at once.
pub const ALLOCATORS: usize = 8;

/// Groups of allocators that are told apart: the default one, those that are registered, and those that are gone
/// and have left ids.
pub const GROUPS: usize = 32;

const _: () = assert!(ALLOCATORS < GROUPS && GROUPS <= 32);

/// Set-private ids for each set: SPIDs are below this.
pub const SPIDS_PER_SET: usize = 256;

/// Subscribers to events.
pub const SUBSCRIBERS: usize = 32;

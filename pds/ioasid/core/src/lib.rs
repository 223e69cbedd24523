// SPDX-License-Identifier: BSD-2-Clause
//! The PASID registry: who owns which id, who may have how many, and when an id may be handed out again.
//!
//! [`Registry`] is the whole of it: sets with a reservation and a limit, ids with an owner, a generation,
//! references and private data, and the rule that no id comes back before its teardown was confirmed. It is pure
//! logic: it knows no kernel and no hardware, holds no lock, allocates no memory, and every call does a bounded
//! amount of work.
//!
//! ```
//! use ioasid_core::{Allocation, Config, Freed, Memory, Registry, SetConfig};
//!
//! let mut words = vec![0; Memory::words_for(4096)];
//! let mut registry = Registry::new(Memory { words: &mut words }, Config::default())?;
//! let set = registry.create_set(SetConfig { reservation: 16, limit: 64 })?;
//!
//! let Allocation::Ready(handle) = registry.alloc(set, 1..=4095, 7)? else { unreachable!() };
//! assert_eq!(registry.find(set, handle), Ok(7));
//!
//! assert_eq!(registry.free(set, handle), Ok(Freed::Teardown));
//! // … the driver clears what the hardware holds of this PASID, and then:
//! registry.reclaim(handle)?;
//! # Ok::<(), ioasid_core::Error>(())
//! ```
//!
//! The lowest free number is handed out here. Where others are to choose, see [`allocator`], which has a whole example;
//! who is to be told what happens, and waited for before a teardown, is in [`event`]; how much there can be of
//! everything, in [`capacity`].
//!
//! The registry believes who it is told is asking: a client's server names the client's own set in each call. Calls that
//! speak of others' affairs are called *privileged*: the server makes them for nobody but those it trusts.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

pub mod allocator;
mod block_map;
pub mod capacity;
mod error;
pub mod event;
mod id_map;
mod memory;
mod pasid;
mod registry;
mod set;
mod slot;

pub use error::Error;
pub use memory::Memory;
pub use pasid::{Generation, Handle, Pasid, PasidRange};
pub use registry::{
    Allocation, Completion, Config, Drain, Freed, Inconsistency, Inspection, Progress, Registry, Snapshot,
    Totals, Work,
};
pub use set::{SetConfig, SetId, SetStats};
pub use slot::State;

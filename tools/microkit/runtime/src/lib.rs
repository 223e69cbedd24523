// SPDX-License-Identifier: BSD-2-Clause
//! The protection domain runtime of the embedded default.
//!
//! It has the public names and meanings of rust-sel4's crate `sel4-microkit` (v5.0.0), so that the very same
//! protection domain builds against either: here on this project's own kernel image, there with the Microkit SDK.
//! A domain is a crate with
//!
//! ```ignore
//! #![no_std]
//! #![no_main]
//! use sel4_microkit::{Handler, NullHandler, debug_println, protection_domain};
//!
//! #[protection_domain]
//! fn init() -> impl Handler {
//!     debug_println!("hello");
//!     NullHandler::new()
//! }
//! ```
//!
//! What this kernel lacks changes no name: a passive domain behaves as an active one, and a deferred action is
//! sent just before the next receive instead of together with it.
#![no_std]

// Where the workspace is only checked for the host (embedded.toml states static linking for its target), other crates
// may bring the standard library and its panic handler in: then it is used.
#[cfg(not(any(target_os = "none", target_feature = "crt-static")))]
extern crate std;

mod channel;
mod child;
mod defer;
pub mod entry;
mod handler;
mod ipc;
mod message;
pub mod panicking;
mod printing;
mod symbols;

pub use channel::{Channel, IrqAckError};
pub use child::Child;
pub use defer::{DeferredAction, DeferredActionInterface, DeferredActionSlot};
pub use handler::{Handler, Infallible, Never, NullHandler};
pub use ipc::{ChannelSet, ChannelSetIter, DisplayChannelSet};
pub use message::{
    MessageInfo, MessageLabel, MessageRegisterValue, get_mr, set_mr, with_msg_bytes, with_msg_bytes_mut,
    with_msg_regs, with_msg_regs_mut,
};
pub use sel4_abi::Fault;
pub use symbols::{pd_is_passive, pd_name};

/// Makes a function the initialisation function of the protection domain: `fn() -> impl Handler`.
///
/// The domain runs on the stack that system.xml gives it (`stack_size` there). With
/// `#[protection_domain(stack_size = …)]` (bytes) it has one of its own in its image instead. `heap_size` is
/// refused: domains here have no heap.
pub use sel4_microkit_macros::protection_domain;

/// What the macros expand to.
#[doc(hidden)]
pub mod _private {
    pub use microkit_image::layout::STACK_TOP;

    pub use crate::{
        entry::{Stack, run_main},
        printing::print,
        symbols::ImmutableCell,
    };
}

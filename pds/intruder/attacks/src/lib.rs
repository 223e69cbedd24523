// SPDX-License-Identifier: BSD-2-Clause
//! Random attacks on the ioasid service.
//!
//! An [`Attacker`] makes messages of every label, length and content: most spell an operation, many nearly do. It
//! remembers what it was answered, so that handles, tickets and numbers that are its own, were its own, or are another's
//! come back in the wrong place. It knows what no answer may say: everything else is judged by whoever watches over the
//! victims. One seed gives the same attacks, word for word, on the host and in a booted image.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod attacker;
mod desk;
mod random;

pub use attacker::{Attack, Attacker, Impossible, MAX_LEN};
pub use desk::{Desk, Order};
pub use random::Random;

/// What victims keep in their data. It is in no answer to anybody else, and on no page of anybody else's.
pub const SECRET: u64 = 0x5ec2_e750_0000_0000;

/// Whether a word tells a secret.
#[must_use]
pub fn is_secret(word: u64) -> bool {
    word >> 32 == SECRET >> 32
}

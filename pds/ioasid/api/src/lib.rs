// SPDX-License-Identifier: BSD-2-Clause
//! The ioasid protocol, version 1: what a client may ask, in which words, and what it is told.
//!
//! A call is one protected procedure call: the message's label is the operation, and at most four words go
//! each way. The reply's label is 0 for success or a [`Code`]. Everything here follows from one table
//! of operations: the request types, [`Request::decode`], and [`OPERATIONS`], from which the C header and the
//! reference in `docs/protocol.md` are checked.
//!
//! A message never says who sent it. The server learns that from the channel.
//!
//! ```
//! use ioasid_api::{Alloc, Call, Request};
//!
//! let alloc = Alloc { min: 1, max: 0xfffff, data: 7 };
//! let message = alloc.encode();
//! assert_eq!(Request::decode(message.label, message.words()), Ok(Request::Alloc(alloc)));
//! ```
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod atomic;
mod code;
mod define;
mod event;
mod field;
mod find;
mod operations;
mod replies;
mod ring;
mod table;

pub use code::{Code, Family};
pub use define::{Call, Reply, Right};
pub use event::{Event, EventKind, EventMask, FaultDirection};
pub use field::{Access, Extent, Field, Handle, RegionOffset};
pub use find::{FindReader, FindWriter};
pub use operations::*;
pub use replies::*;
pub use ring::{EventReader, EventWriter, RING_ENTRY_WORDS, RING_HEADER_WORDS};
pub use table::{OperationInfo, PartInfo, ReplyInfo, TypeInfo, ValueInfo, WordInfo};

/// The version of the protocol that this crate speaks.
pub const VERSION: u32 = 1;

/// The most words that a message carries, either way.
pub const MAX_WORDS: usize = 4;

/// The size of a page, and the unit of every length on the wire, in bytes.
pub const PAGE_SIZE: u64 = 4096;

/// The message registers that the protocol uses: a message's words come first.
pub type Registers = [u64; MAX_WORDS];

/// What is said of an answer beside its words, in one word: how many they are in bits 11:0, the label above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag(u64);

impl Tag {
    const LABEL_SHIFT: u32 = 12;
    const COUNT: u64 = (1 << Self::LABEL_SHIFT) - 1;

    /// That of an answer with a label and so many words. What does not fit is cut off.
    #[inline(always)]
    #[must_use]
    pub const fn new(label: u64, count: usize) -> Self {
        Self(label << Self::LABEL_SHIFT | count as u64 & Self::COUNT)
    }

    /// That of a refusal: the code alone.
    #[inline]
    #[must_use]
    pub fn refusal(code: Code) -> Self {
        Self::new(code.to_label(), 0)
    }

    /// 0 or a [`Code`].
    #[inline(always)]
    #[must_use]
    pub const fn label(self) -> u64 {
        self.0 >> Self::LABEL_SHIFT
    }

    /// How many words there are.
    #[inline(always)]
    #[must_use]
    pub const fn count(self) -> usize {
        (self.0 & Self::COUNT) as usize
    }
}

/// A message, ready to be sent: a label and at most [`MAX_WORDS`] words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// An operation in a request; 0 or a [`Code`] in a reply.
    pub label: u64,
    words: [u64; MAX_WORDS],
    len: usize,
}

impl Message {
    /// A message of `words`.
    ///
    /// # Panics
    /// At compile time where there are more than [`MAX_WORDS`].
    #[inline(always)]
    #[must_use]
    pub fn new<const N: usize>(label: u64, words: [u64; N]) -> Self {
        const { assert!(N <= MAX_WORDS, "a message carries at most four words") };
        let mut all = [0; MAX_WORDS];
        all[..N].copy_from_slice(&words);
        Self { label, words: all, len: N }
    }

    /// The answer that stands in the first registers, as its tag says.
    #[must_use]
    pub fn of(tag: Tag, registers: &Registers) -> Self {
        Self { label: tag.label(), words: *registers, len: tag.count().min(MAX_WORDS) }
    }

    /// The words that are sent.
    #[inline]
    #[must_use]
    pub fn words(&self) -> &[u64] {
        &self.words[..self.len]
    }

    /// How many words are sent.
    #[inline]
    #[must_use]
    pub fn count(&self) -> usize {
        self.len
    }
}

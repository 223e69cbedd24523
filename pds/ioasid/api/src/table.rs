// SPDX-License-Identifier: BSD-2-Clause
//! What the protocol is made of, as data: for documentation and for clients in other languages.

use crate::{Code, Right};

/// One operation: a row of [`OPERATIONS`](crate::OPERATIONS).
#[derive(Debug)]
pub struct OperationInfo {
    /// The message's label.
    pub number: u64,
    /// The request's name.
    pub name: &'static str,
    /// Who may call it.
    pub right: Right,
    /// The words that are sent.
    pub request: &'static [WordInfo],
    /// The answer's name.
    pub reply: &'static str,
    /// How else it is answered, beside what can be said of any message: that it is none of the protocol's, that the
    /// channel has no right to it, or that HELLO comes first.
    pub refusals: &'static [Code],
    /// What it does, line by line.
    pub doc: &'static [&'static str],
}

/// One kind of answer: a row of [`REPLIES`](crate::REPLIES).
#[derive(Debug)]
pub struct ReplyInfo {
    /// The answer's name.
    pub name: &'static str,
    /// Its words.
    pub words: &'static [WordInfo],
    /// What it says, line by line.
    pub doc: &'static [&'static str],
}

/// One word of a message or of an entry in shared memory.
#[derive(Debug)]
pub struct WordInfo {
    /// What it is called.
    pub name: &'static str,
    /// What stands in it.
    pub ty: &'static TypeInfo,
    /// What it says, line by line.
    pub doc: &'static [&'static str],
}

/// What stands in a word. Bits beyond it are zero.
#[derive(Debug)]
pub struct TypeInfo {
    /// What the type is called.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// How many bits of the word it takes, from bit 0 on.
    pub bits: u32,
    /// Where it has parts, which; a plain unsigned integer has none.
    pub parts: &'static [PartInfo],
}

impl TypeInfo {
    /// The bits of a word that may be set.
    #[must_use]
    pub fn mask(&self) -> u64 {
        match self.parts {
            [] => ones(self.bits),
            parts => parts.iter().fold(0, |mask, part| mask | ones(part.bits) << part.shift),
        }
    }
}

/// The `bits` lowest bits; at most 64.
fn ones(bits: u32) -> u64 {
    u64::MAX.checked_shr(64 - bits).unwrap_or(0)
}

/// A part of a word.
#[derive(Debug)]
pub struct PartInfo {
    /// What it is called.
    pub name: &'static str,
    /// Its lowest bit.
    pub shift: u32,
    /// How many bits it has.
    pub bits: u32,
    /// Where only some values are allowed, which.
    pub values: &'static [ValueInfo],
}

impl PartInfo {
    pub(crate) const fn new(name: &'static str, shift: u32, bits: u32) -> Self {
        Self { name, shift, bits, values: &[] }
    }
}

/// A value with a name.
#[derive(Debug)]
pub struct ValueInfo {
    /// What it is called.
    pub name: &'static str,
    /// The value.
    pub value: u64,
    /// What it means, line by line.
    pub doc: &'static [&'static str],
}

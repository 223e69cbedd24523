// SPDX-License-Identifier: BSD-2-Clause
//! Twelve bytes as an action. Most messages are well-formed, of handles and places that mean something: others end at
//! the decoder.

use super::world::{Client, World};
use ioasid_api::{OPERATIONS, WordInfo};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A message comes in.
    Message { channel: usize, label: u64, words: [u64; 6], len: usize },
    /// A client writes its batch page.
    Write { client: Client, at: usize, word: u64 },
    /// A client's device reads or writes memory.
    Dma { device: Client, address: u64, write: bool },
    /// The unit refuses the next descriptor of a type.
    Refuse { descriptor: u64 },
}

impl Action {
    /// The channel of who does it; none where it is the unit.
    pub fn actor(&self) -> Option<usize> {
        match *self {
            Self::Message { channel, .. } => Some(channel),
            Self::Write { client, .. } | Self::Dma { device: client, .. } => Some(client.channel()),
            Self::Refuse { .. } => None,
        }
    }
}

/// The bytes, and the world that they are read in.
pub struct Input<'a> {
    bytes: &'a [u8; 12],
    world: &'a World<'a>,
}

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8; 12], world: &'a World<'a>) -> Self {
        Self { bytes, world }
    }

    pub fn action(&self) -> Action {
        let client = Client::of(self.bytes[1]);
        match self.bytes[0] % 32 {
            0..24 => self.message(client, false),
            24..26 => self.message(client, true),
            26..28 => Action::Write { client, at: usize::from(self.bytes[2]), word: self.written(3) },
            28..31 => Action::Dma {
                device: client,
                address: u64::from(self.bytes[2] % 8) << 12 | u64::from(self.bytes[3] % 4) << 20,
                write: self.bytes[4] < 128,
            },
            _ => Action::Refuse { descriptor: u64::from(self.bytes[2] % 10) },
        }
    }

    /// Eight bytes from somewhere on.
    fn raw(&self, from: usize) -> u64 {
        (0..8).fold(0, |word, at| word << 8 | u64::from(self.bytes[(from + at) % 12]))
    }

    fn message(&self, client: Client, wild: bool) -> Action {
        let operation = &OPERATIONS[usize::from(self.bytes[2]) % OPERATIONS.len()];
        let mut words: [u64; 6] = std::array::from_fn(|at| self.raw(at * 2));
        if wild {
            let label = if self.bytes[4] < 128 { operation.number } else { self.raw(4) };
            let (channel, len) = (usize::from(self.bytes[3]) % 80, usize::from(self.bytes[5]) % 7);
            return Action::Message { channel, label, words, len };
        }
        for (at, (word, info)) in words.iter_mut().zip(operation.request).enumerate() {
            *word = self.word(info, 3 + 2 * at);
        }
        let (channel, label) = (client.channel(), operation.number);
        Action::Message { channel, label, words, len: operation.request.len() }
    }

    /// A word of a field's type.
    fn word(&self, info: &WordInfo, at: usize) -> u64 {
        let (one, other) = (self.bytes[at % 12], self.bytes[(at + 1) % 12]);
        match (info.ty.name, info.name) {
            ("handle", _) => self.world.handle(one, other),
            ("region_offset", _) => u64::from(one % 3) << 48 | u64::from(other % 4) << 12,
            ("extent", _) => u64::from(one % 4) | u64::from(1 + other % 3) << 32,
            (_, "iova") => u64::from(one % 8) << 12 | u64::from(other % 4) << 20,
            (_, "ticket") => self.world.ticket(one),
            (_, "version") => u64::from(one % 16 != 0),
            (_, "max") => u64::from(if one < 192 { 63 } else { one % 66 }),
            (_, "min") => u64::from(if one < 192 { 1 } else { one % 66 }),
            (_, "limit") => u64::from(one % 16),
            (_, "count") => u64::from(if one < 250 { one % 8 } else { one }),
            (_, "pdata" | "data") => self.raw(at),
            _ => u64::from(if other < 250 { one % 8 } else { one }),
        }
    }

    /// What a client writes into its page: a handle, part of a mapping, anything.
    fn written(&self, at: usize) -> u64 {
        let (one, other) = (self.bytes[at + 1], self.bytes[at + 2]);
        match self.bytes[at] % 5 {
            0 | 1 => self.world.handle(one, other),
            2 => u64::from(one % 8) << 12,
            3 => u64::from(one % 4) | u64::from(1 + other % 3) << 32,
            _ => self.raw(at),
        }
    }
}

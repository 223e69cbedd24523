// SPDX-License-Identifier: BSD-2-Clause
//! The part of a provider behind a custom allocator: what it is asked, and what it answers.

use core::ops::RangeInclusive;

use ioasid_api::{Answer, Fetch, RegisterAllocator, UnregisterAllocator};
use ioasid_microkit::{Client, Code, Error, Handle, Result};

use crate::ALL_IDS;

/// What a provider is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// To choose an id in a range.
    Alloc {
        /// Comes back with the answer.
        ticket: u64,
        /// The allocator's word.
        pdata: u64,
        /// The lowest and the highest id that will do.
        range: (u32, u32),
    },
    /// To take an id back.
    Free {
        /// The allocator's word.
        pdata: u64,
        /// The id.
        id: u64,
    },
}

/// A client that stands behind custom allocators.
pub trait Provider {
    /// The next question.
    ///
    /// # Errors
    /// As the operation's.
    fn ask(&self) -> Result<Option<Ask>>;

    /// Answers with an id.
    ///
    /// # Errors
    /// As the operation's.
    fn give(&self, ticket: u64, id: u32) -> Result<()>;

    /// Answers with no id: 1, none is left; 2, the provider failed.
    ///
    /// # Errors
    /// As the operation's.
    fn decline(&self, ticket: u64, outcome: u16) -> Result<()>;
}

impl Provider for Client {
    fn ask(&self) -> Result<Option<Ask>> {
        let question = self.call(&Fetch {})?;
        let half = |shift: u32| u32::try_from(question.range >> shift & 0xffff_ffff).unwrap_or(0);
        let (ticket, pdata) = (question.ticket, question.pdata);
        Ok(match question.operation {
            1 => Some(Ask::Alloc { ticket, pdata, range: (half(0), half(32)) }),
            2 => Some(Ask::Free { pdata, id: ticket }),
            _ => None,
        })
    }

    fn give(&self, ticket: u64, id: u32) -> Result<()> {
        self.call(&Answer { ticket, outcome: 0, id }).map(drop)
    }

    fn decline(&self, ticket: u64, outcome: u16) -> Result<()> {
        self.call(&Answer { ticket, outcome, id: 0 }).map(drop)
    }
}

/// An administrator that registers custom allocators.
pub trait Registrar {
    /// Registers an allocator made of these two providers, whose word is ten times its name.
    ///
    /// # Errors
    /// As the operation's.
    fn register(&self, allocator: u32, alloc: u16, free: u16) -> Result<()>;

    /// Unregisters one, and counts its orphans.
    ///
    /// # Errors
    /// As the operation's.
    fn unregister(&self, allocator: u32) -> Result<u32>;
}

impl Registrar for Client {
    fn register(&self, allocator: u32, alloc: u16, free: u16) -> Result<()> {
        let pdata = word_of(allocator);
        self.call(&RegisterAllocator { allocator, alloc, free, pdata }).map(drop)
    }

    fn unregister(&self, allocator: u32) -> Result<u32> {
        Ok(self.call(&UnregisterAllocator { allocator })?.count)
    }
}

/// The word of an allocator that [`Registrar::register`] registered.
#[must_use]
pub fn word_of(allocator: u32) -> u64 {
    u64::from(allocator) * 10
}

/// Asks for an id as `client`, and says what `provider` is asked then.
///
/// # Errors
/// What the client or the provider is refused with, but `Pending`.
pub fn asks(client: &Client, provider: &Client) -> Result<Option<Ask>> {
    asks_in(client, provider, ALL_IDS)
}

/// The same in a range.
///
/// # Errors
/// As [`asks`].
pub fn asks_in(client: &Client, provider: &Client, range: RangeInclusive<u32>) -> Result<Option<Ask>> {
    match client.alloc(range, 0) {
        Err(Error::Refused(Code::Pending)) => provider.ask(),
        Err(error) => Err(error),
        Ok(_) => Ok(None),
    }
}

/// The client's new id, where the provider chose `id`.
///
/// # Errors
/// What the client or the provider is refused with.
pub fn chosen(client: &Client, provider: &Client, id: u32) -> Result<Handle> {
    match asks(client, provider)? {
        Some(Ask::Alloc { ticket, .. }) => provider.give(ticket, id)?,
        _ => return Err(Error::Refused(Code::NotFound)),
    }
    client.alloc_result()
}

/// Whether the provider is told that this id is free again, with this word, and nothing else.
///
/// # Errors
/// What the provider is refused with.
pub fn takes_back(provider: &Client, pdata: u64, id: Handle) -> Result<bool> {
    let told = provider.ask()? == Some(Ask::Free { pdata, id: id.pasid.into() });
    Ok(told && provider.ask()?.is_none())
}

// SPDX-License-Identifier: BSD-2-Clause
//! The part of a provider behind a custom allocator: what it is asked, and what it answers.

use core::ops::RangeInclusive;

use ioasid_microkit::{Client, Code, Error, Handle, Result, Task};

use crate::ALL_IDS;

/// Registers an allocator made of these two providers, whose word is [`word_of`] its name.
///
/// # Errors
/// As [`Client::register_allocator`].
pub fn register(admin: &Client, allocator: u32, alloc: u16, free: u16) -> Result<()> {
    admin.register_allocator(allocator, alloc, free, word_of(allocator))
}

/// The word of an allocator: ten times its name.
#[must_use]
pub fn word_of(allocator: u32) -> u64 {
    u64::from(allocator) * 10
}

/// Asks for an id as `client`, and says what `provider` is asked then.
///
/// # Errors
/// What the client or the provider is refused with, but `Pending`.
pub fn asks(client: &Client, provider: &Client) -> Result<Option<Task>> {
    asks_in(client, provider, ALL_IDS)
}

/// The same in a range.
///
/// # Errors
/// As [`asks`].
pub fn asks_in(client: &Client, provider: &Client, range: RangeInclusive<u32>) -> Result<Option<Task>> {
    match client.alloc(range, 0) {
        Err(Error::Refused(Code::Pending)) => provider.next_task(),
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
        Some(Task::Choose { ticket, .. }) => provider.give(ticket, id)?,
        _ => return Err(Error::Refused(Code::NotFound)),
    }
    client.alloc_result()
}

/// Whether the provider is told that this id is free again, with this word, and nothing else.
///
/// # Errors
/// What the provider is refused with.
pub fn takes_back(provider: &Client, pdata: u64, id: Handle) -> Result<bool> {
    let told = provider.next_task()? == Some(Task::TakeBack { pdata, id: id.pasid });
    Ok(told && provider.next_task()?.is_none())
}

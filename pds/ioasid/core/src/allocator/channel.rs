// SPDX-License-Identifier: BSD-2-Clause
//! A provider that is another protection domain.
//!
//! The server never calls it and never waits for it. Questions stand in a bounded queue until the provider comes to
//! fetch them, and it brings its answers with a call of its own. A set has one allocation under way at
//! most, so as many places as there are sets are enough, and no set can fill another's.

use super::{Answer, Provider, ProviderBusy, Ticket};
use crate::PasidRange;
use crate::capacity::SETS;

/// Frees that can wait to be fetched.
const FREES: usize = 64;

/// What the provider is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Choose a number, and answer with the ticket.
    Alloc {
        /// Comes back with the answer.
        ticket: Ticket,
        /// The allocator's word.
        pdata: u64,
        /// Where the number is to be.
        range: PasidRange,
    },
    /// Take a number back. Needs no answer.
    Free {
        /// The allocator's word.
        pdata: u64,
        /// The number.
        id: u32,
    },
}

/// The server's side of a provider in another protection domain.
#[derive(Debug, Default)]
pub struct ChannelProvider {
    allocs: heapless::Deque<(Ticket, u64, PasidRange), SETS>,
    frees: heapless::Deque<(u64, u32), FREES>,
}

impl ChannelProvider {
    /// A provider that was asked nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { allocs: heapless::Deque::new(), frees: heapless::Deque::new() }
    }

    /// The next question, for the provider that comes to fetch it. Frees come first: they make room.
    pub fn fetch(&mut self) -> Option<Question> {
        if let Some((pdata, id)) = self.frees.pop_front() {
            return Some(Question::Free { pdata, id });
        }
        let (ticket, pdata, range) = self.allocs.pop_front()?;
        Some(Question::Alloc { ticket, pdata, range })
    }

    /// Whether there is something to fetch, and so a reason to notify the provider.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        !self.frees.is_empty() || !self.allocs.is_empty()
    }
}

impl Provider for ChannelProvider {
    fn alloc(&mut self, pdata: u64, range: PasidRange, ticket: Ticket) -> Answer {
        // What the set asked before has timed out, or it could not ask again.
        self.allocs.retain(|(earlier, ..)| earlier.set.index() != ticket.set.index());
        match self.allocs.push_back((ticket, pdata, range)) {
            Ok(()) => Answer::Later,
            Err(_) => Answer::Failed,
        }
    }

    fn free(&mut self, pdata: u64, id: u32) -> Result<(), ProviderBusy> {
        self.frees.push_back((pdata, id)).map_err(|_| ProviderBusy)
    }
}

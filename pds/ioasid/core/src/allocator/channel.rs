// SPDX-License-Identifier: BSD-2-Clause
//! A provider that is another protection domain.
//!
//! The server never calls it and never waits for it. Questions stand in a bounded queue until the provider comes to
//! fetch them, and it brings its answers with a call of its own. A set has one allocation under way at
//! most, so as many places as there are sets are enough, and no set can fill another's.
//!
//! ```
//! use ioasid_core::allocator::channel::{ChannelProvider, Question};
//! use ioasid_core::allocator::{Allocator, AllocatorId, Answer, Helpers};
//! use ioasid_core::{Allocation, Config, Memory, PasidRange, Registry, SetConfig, Work};
//!
//! let mut words = vec![0; Memory::words_for(4096)];
//! let config = Config { provider_bound: 10, ..Config::default() };
//! let mut providers = [ChannelProvider::new()];
//! let mut registry = Registry::with(Memory { words: &mut words }, config, &mut providers, ())?;
//! let helpers = Helpers { alloc: 0, free: 0 };
//! registry.register_allocator(Allocator { id: AllocatorId(1), helpers, pdata: 0 })?;
//! let set = registry.create_set(SetConfig { reservation: 0, limit: 8 })?;
//!
//! // A client asks. The provider is notified, and the client waits for its ticket.
//! let Allocation::Pending(ticket) = registry.alloc(set, 1..=99, 7)? else { unreachable!("it says later") };
//! assert!(registry.provider(0).is_some_and(|provider| provider.is_asking()));
//!
//! // The provider fetches what it is asked, and answers. Who it is follows from the channel that it calls on.
//! let question = registry.provider(0).and_then(ChannelProvider::fetch);
//! assert_eq!(question, Some(Question::Alloc { ticket, pdata: 0, range: PasidRange::new(1, 99)? }));
//! let completion = registry.complete(0, ticket, Answer::Given(12))?;
//! assert_eq!((completion.ticket, registry.find(set, completion.result?)), (ticket, Ok(7)));
//!
//! // One that does not answer in time has failed.
//! let Allocation::Pending(ticket) = registry.alloc(set, 1..=99, 7)? else { unreachable!("it says later") };
//! assert_eq!(registry.poll(9), None);
//! assert!(matches!(registry.poll(10), Some(Work::Failed(failed)) if failed.ticket == ticket));
//! # Ok::<(), ioasid_core::Error>(())
//! ```

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

// SPDX-License-Identifier: BSD-2-Clause
//! Custom allocators: who chooses the numbers where the default allocator may not.
//!
//! A [`Provider`] is whatever can choose: a piece of code in the same program, another protection domain
//! ([`channel`]), or the virtual command register of a hypervisor further out ([`vcmd`]). An [`Allocator`] that is
//! registered names two providers, one that allocates and one that frees (its [`Helpers`], most often the same
//! one), and a word that they are handed at each call (`pdata`). Allocators with the same helpers are a group and share
//! one id space.
//!
//! The registry keeps the account in every case: it checks each number that it is given, and it keeps owner,
//! generation, references and quarantine itself. A provider only chooses.
//!
//! # Writing one
//! An allocator that hands out the numbers of a window of its own, each in its turn:
//!
//! ```
//! use ioasid_core::allocator::{Allocator, AllocatorId, Answer, Helpers, Provider, ProviderBusy, Ticket};
//! use ioasid_core::{Allocation, Config, Error, Freed, Memory, Pasid, PasidRange, Registry, SetConfig};
//!
//! struct RoundRobin {
//!     first: u32,
//!     taken: [bool; 3],
//!     turn: usize,
//! }
//!
//! impl Provider for RoundRobin {
//!     fn alloc(&mut self, _pdata: u64, range: PasidRange, _ticket: Ticket) -> Answer {
//!         for step in 0..self.taken.len() {
//!             let place = (self.turn + step) % self.taken.len();
//!             let id = self.first + place as u32;
//!             if !self.taken[place] && Pasid::new(id).is_some_and(|pasid| range.contains(pasid)) {
//!                 self.taken[place] = true;
//!                 self.turn = place + 1;
//!                 return Answer::Given(id);
//!             }
//!         }
//!         Answer::Nothing
//!     }
//!
//!     fn free(&mut self, _pdata: u64, id: u32) -> Result<(), ProviderBusy> {
//!         self.taken[(id - self.first) as usize] = false;
//!         Ok(())
//!     }
//! }
//!
//! let mut words = vec![0; Memory::words_for(4096)];
//! let memory = Memory { words: &mut words };
//! let mut providers = [RoundRobin { first: 1000, taken: [false; 3], turn: 0 }];
//! let mut registry = Registry::with(memory, Config::default(), &mut providers, ())?;
//!
//! // The provider at place 0 allocates and frees. From here on it chooses, for every set.
//! let name = AllocatorId(1);
//! registry.register_allocator(Allocator { id: name, helpers: Helpers { alloc: 0, free: 0 }, pdata: 0 })?;
//!
//! let set = registry.create_set(SetConfig { reservation: 0, limit: 8 })?;
//! let any = 1..=registry.max_pasid().get();
//! let Allocation::Ready(first) = registry.alloc(set, any.clone(), 0)? else { unreachable!("it never says later") };
//! let Allocation::Ready(second) = registry.alloc(set, any, 0)? else { unreachable!("it never says later") };
//! assert_eq!((first.pasid.get(), second.pasid.get()), (1000, 1001));
//! // Where a client's range and the window have nothing in common, there is nothing.
//! assert_eq!(registry.alloc(set, 7..=100, 0), Err(Error::NoSpace));
//!
//! // A number goes back to the provider when its teardown is confirmed, not before.
//! assert_eq!(registry.free(set, first), Ok(Freed::Teardown));
//! assert!(registry.provider(0).is_some_and(|provider| provider.taken[0]));
//! registry.reclaim(first)?;
//! assert!(registry.provider(0).is_some_and(|provider| !provider.taken[0]));
//!
//! // When the allocator goes, the ids that it gave are orphans: nobody finds them or is given them …
//! assert_eq!(registry.unregister_allocator(name), Ok(1));
//! assert_eq!(registry.find(set, second), Err(Error::NotFound));
//! // … until each is revoked, torn down and reclaimed. A call looks at some of the numbers only.
//! let mut from = Pasid::RESERVED;
//! while let Some(found) = registry.next_orphan(from) {
//!     from = match found {
//!         Ok(orphan) => {
//!             registry.revoke(orphan.handle)?;
//!             // … the driver clears what the hardware holds of this PASID, and then:
//!             registry.reclaim(orphan.handle)?;
//!             // Nobody stands for an orphan, so no provider was told. This one is to be used again.
//!             registry.provider(0).map(|provider| provider.free(0, orphan.handle.pasid.get()));
//!             orphan.handle.pasid
//!         }
//!         Err(on) => on,
//!     };
//! }
//! assert_eq!((registry.totals().orphaned, registry.stats(set)?.used), (0, 0));
//! # Ok::<(), Error>(())
//! ```
//!
//! Providers of several kinds are an `enum`, or `&mut dyn Provider` where nothing more is wanted of them.

pub mod channel;
mod table;
pub mod vcmd;

pub use table::AllocatorStats;
pub(crate) use table::{Table, Taken};

use crate::{PasidRange, SetId};

/// What chooses numbers, and is told when they are free again.
pub trait Provider {
    /// Chooses a number in `range`, which has nothing to do with what the provider has: it is what the client will take.
    /// A number that is somebody's, or is not in the range, is refused, and counted as a fault of the provider's.
    ///
    /// `pdata` is the word of the allocator that stands for its group now.
    ///
    /// Where the answer has to come from elsewhere, this sends the question with the ticket, returns
    /// [`Answer::Later`] at once, and the answer is brought to
    /// [`Registry::complete`](crate::Registry::complete).
    fn alloc(&mut self, pdata: u64, range: PasidRange, ticket: Ticket) -> Answer;

    /// Takes a number back: its teardown is complete, or it was refused. These are only numbers that `alloc` or an
    /// answer with a ticket gave, of the same group's other helper where they are two. Each comes back once at most:
    /// one whose group has no member any more does not.
    ///
    /// # Errors
    /// [`ProviderBusy`] where it cannot be told now. The id then stays where it is, and the registry's caller
    /// tries again; a number that was refused is counted as [leaked](crate::Totals::leaked).
    fn free(&mut self, pdata: u64, id: u32) -> Result<(), ProviderBusy>;
}

impl<P: Provider + ?Sized> Provider for &mut P {
    fn alloc(&mut self, pdata: u64, range: PasidRange, ticket: Ticket) -> Answer {
        (**self).alloc(pdata, range, ticket)
    }

    fn free(&mut self, pdata: u64, id: u32) -> Result<(), ProviderBusy> {
        (**self).free(pdata, id)
    }
}

/// The provider of a registry that has none.
#[derive(Clone, Copy, Debug)]
pub enum NoProvider {}

impl Provider for NoProvider {
    fn alloc(&mut self, _pdata: u64, _range: PasidRange, _ticket: Ticket) -> Answer {
        match *self {}
    }

    fn free(&mut self, _pdata: u64, _id: u32) -> Result<(), ProviderBusy> {
        match *self {}
    }
}

/// What a provider answers to an allocation. The number is not trusted: it may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This number.
    Given(u32),
    /// None is left in the range.
    Nothing,
    /// The provider failed.
    Failed,
    /// The answer follows, with the ticket.
    Later,
}

/// A provider cannot take a message now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the provider cannot take a message now")]
pub struct ProviderBusy;

/// An allocation that is under way: whose, through which allocator, and which of that set's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    pub(crate) set: SetId,
    pub(crate) sequence: u16,
    pub(crate) allocator: AllocatorId,
}

impl Ticket {
    /// As a word, for a message.
    #[must_use]
    pub fn to_word(self) -> u64 {
        u64::from(self.set.raw()) | u64::from(self.sequence) << 16 | u64::from(self.allocator.0) << 32
    }

    /// The ticket of a word. Whether there is such an allocation is for the registry to say.
    #[must_use]
    pub fn from_word(word: u64) -> Self {
        Self {
            set: SetId::from_raw((word & 0xffff) as u16),
            sequence: (word >> 16 & 0xffff) as u16,
            allocator: AllocatorId((word >> 32) as u32),
        }
    }
}

/// What an allocator is called. Whoever registers it chooses the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AllocatorId(pub u32);

/// Which providers an allocator is made of, by their place in the slice that the registry was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Helpers {
    /// Which one allocates.
    pub alloc: u8,
    /// Which one frees.
    pub free: u8,
}

/// A custom allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Allocator {
    /// Its name.
    pub id: AllocatorId,
    /// What it is made of.
    pub helpers: Helpers,
    /// What the helpers are handed at each call.
    pub pdata: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tickets_word_has_its_three_parts() {
        let ticket =
            Ticket { set: SetId::from_raw(0x1234), sequence: 0x5678, allocator: AllocatorId(0x9abc_def1) };
        assert_eq!(ticket.to_word(), 0x9abc_def1_5678_1234);
        assert_eq!(Ticket::from_word(ticket.to_word()), ticket);
    }
}

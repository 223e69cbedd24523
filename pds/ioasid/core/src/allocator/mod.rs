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
//! An allocator that hands out even numbers only, registered and used:
//!
//! ```
//! use ioasid_core::allocator::{Allocator, AllocatorId, Answer, Helpers, Provider, ProviderBusy, Ticket};
//! use ioasid_core::{Allocation, Config, Freed, Memory, PasidRange, Registry, SetConfig};
//!
//! /// One bit for each even number below 128.
//! #[derive(Default)]
//! struct Even {
//!     taken: u64,
//! }
//!
//! impl Provider for Even {
//!     fn alloc(&mut self, _pdata: u64, range: PasidRange, _ticket: Ticket) -> Answer {
//!         let free = |&id: &u32| id % 2 == 0 && self.taken >> (id / 2) & 1 == 0;
//!         match (range.min().get()..=range.max().get().min(127)).find(free) {
//!             Some(id) => {
//!                 self.taken |= 1 << (id / 2);
//!                 Answer::Given(id)
//!             }
//!             None => Answer::Nothing,
//!         }
//!     }
//!
//!     fn free(&mut self, _pdata: u64, id: u32) -> Result<(), ProviderBusy> {
//!         self.taken &= !(1 << (id / 2));
//!         Ok(())
//!     }
//! }
//!
//! let mut words = vec![0; Memory::words_for(4096)];
//! let memory = Memory { words: &mut words };
//! let mut providers = [Even::default()];
//! let mut registry = Registry::with(memory, Config::default(), &mut providers, ())?;
//!
//! let even = Allocator { id: AllocatorId(1), helpers: Helpers { alloc: 0, free: 0 }, pdata: 0 };
//! registry.register_allocator(even)?;
//!
//! let set = registry.create_set(SetConfig { reservation: 0, limit: 8 })?;
//! let Allocation::Ready(handle) = registry.alloc(set, PasidRange::new(7, 100)?, 0)? else { unreachable!() };
//! assert_eq!(handle.pasid.get(), 8);
//!
//! // The number goes back to `Even` when its teardown is confirmed, not before.
//! assert_eq!(registry.free(set, handle), Ok(Freed::Teardown));
//! registry.reclaim(handle)?;
//! # Ok::<(), ioasid_core::Error>(())
//! ```

pub mod channel;
mod table;
pub mod vcmd;

pub use table::AllocatorStats;
pub(crate) use table::{Table, Taken};

use crate::{PasidRange, SetId};

/// What chooses numbers, and is told when they are free again.
pub trait Provider {
    /// Chooses a number in `range`.
    ///
    /// Where the answer has to come from elsewhere, this sends the question with the ticket, returns
    /// [`Answer::Later`] at once, and the answer is brought to
    /// [`Registry::complete`](crate::Registry::complete).
    fn alloc(&mut self, pdata: u64, range: PasidRange, ticket: Ticket) -> Answer;

    /// Takes a number back: its teardown is complete.
    ///
    /// # Errors
    /// [`ProviderBusy`] where it cannot be told now. The id then stays where it is, and the registry's caller
    /// tries again.
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

// SPDX-License-Identifier: BSD-2-Clause
//! A registry to try statements on, a provider that does as it is told, and an ear that hears every event.
//!
//! The statements are in docs/semantics.md; `tests/` has one test of each number.
#![forbid(unsafe_code)]

mod script;

pub use script::{Call, Script};

use ioasid_core::event::{Event, EventKind, Events, SubscriberId};
use ioasid_core::{
    Allocation, Config, Error, Freed, Handle, Memory, Pasid, Progress, Registry, SetConfig, SetId,
};
use std::cell::RefCell;
use std::rc::Rc;

/// The registry that the statements are tried on.
pub type Registered<'m> = Registry<'m, Script, Ear>;

/// Hears every event, in order, with the subscriber that it was delivered to.
#[derive(Clone, Debug, Default)]
pub struct Ear(Rc<RefCell<Vec<(SubscriberId, Event)>>>);

impl Ear {
    /// What was heard since the last time.
    #[must_use]
    pub fn heard(&self) -> Vec<(SubscriberId, EventKind, Option<Handle>)> {
        self.0.take().into_iter().map(|(to, event)| (to, event.kind, event.handle)).collect()
    }
}

impl Events for Ear {
    fn deliver(&mut self, to: SubscriberId, event: &Event) {
        self.0.borrow_mut().push((to, *event));
    }
}

/// What a registry needs: memory, providers, and somebody who listens.
#[derive(Debug)]
pub struct Stage {
    words: Vec<u64>,
    config: Config,
    providers: Vec<Script>,
    /// Who listens.
    pub ear: Ear,
}

/// Ticks that acknowledgements and providers are waited for.
pub const BOUND: u32 = 100;

impl Stage {
    /// For the ids 1…`max`.
    #[must_use]
    pub fn new(max: u32) -> Self {
        Self {
            words: vec![0; Memory::words_for(max as usize + 1)],
            config: Config { max_pasid: pasid(max), ack_bound: BOUND, provider_bound: BOUND },
            providers: Vec::new(),
            ear: Ear::default(),
        }
    }

    /// The same with providers, numbered from 0.
    #[must_use]
    pub fn with<const N: usize>(max: u32, providers: [&Script; N]) -> Self {
        Self { providers: providers.map(Script::clone).to_vec(), ..Self::new(max) }
    }

    /// A registry on it.
    ///
    /// # Panics
    /// Where the registry does not accept its memory.
    pub fn registry(&mut self) -> Registered<'_> {
        let memory = Memory { words: &mut self.words };
        Registry::with(memory, self.config, &mut self.providers, self.ear.clone()).expect("the memory fits")
    }
}

/// The PASID of a number.
///
/// # Panics
/// Where the number is none.
#[must_use]
pub fn pasid(number: u32) -> Pasid {
    Pasid::new(number).expect("a PASID has 20 bits")
}

/// A share with nothing guaranteed.
#[must_use]
pub fn up_to(limit: u32) -> SetConfig {
    SetConfig { reservation: 0, limit }
}

/// A guaranteed share, and no more.
#[must_use]
pub fn exactly(reservation: u32) -> SetConfig {
    SetConfig { reservation, limit: reservation }
}

/// An id of a set's in [min, max].
///
/// # Errors
/// What the registry refuses with.
///
/// # Panics
/// Where the allocation waits for a provider.
pub fn alloc(registry: &mut Registered<'_>, set: SetId, min: u32, max: u32) -> Result<Handle, Error> {
    match registry.alloc(set, min..=max, 0)? {
        Allocation::Ready(handle) => Ok(handle),
        Allocation::Pending(ticket) => panic!("{ticket:?} waits for a provider"),
    }
}

/// Frees an id whose teardown nothing is in the way of, and confirms it.
///
/// # Panics
/// Where the registry refuses, or somebody has to let go first.
pub fn free(registry: &mut Registered<'_>, set: SetId, handle: Handle) {
    assert_eq!(registry.free(set, handle), Ok(Freed::Teardown));
    registry.reclaim(handle).expect("it was given out for teardown");
}

/// Ends a set, with every teardown confirmed at once; says how many ids it had.
///
/// # Panics
/// Where the set does not end.
pub fn end(registry: &mut Registered<'_>, set: SetId) -> usize {
    registry.free_set(set).expect("the set is there");
    let mut out = [Handle { pasid: pasid(0), generation: Default::default() }; 8];
    let mut count = 0;
    for _ in 0..10_000 {
        let drained = registry.drain_set(set, &mut out).expect("the set is on its way out");
        out[..drained.filled]
            .iter()
            .for_each(|&handle| registry.reclaim(handle).expect("given out for teardown"));
        count += drained.filled;
        if drained.progress == Progress::Gone {
            return count;
        }
    }
    panic!("the set does not end");
}

/// What `act` answers, and that it left everything as it was.
///
/// # Panics
/// Where something changed.
pub fn unchanged<T>(registry: &mut Registered<'_>, act: impl FnOnce(&mut Registered<'_>) -> T) -> T {
    let before = registry.fingerprint();
    let answer = act(registry);
    assert_eq!(registry.fingerprint(), before, "the state changed");
    assert_eq!(registry.check(), Ok(()));
    answer
}

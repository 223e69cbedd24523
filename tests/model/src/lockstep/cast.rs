// SPDX-License-Identifier: BSD-2-Clause
//! What a registry needs around it: memory, providers that say what they are told to, an ear.

use crate::model::{Asked, Said};
use crate::op::{PROVIDERS, World};
use ioasid_core::allocator::{self, Answer, ProviderBusy, Ticket};
use ioasid_core::event::{Event, Events, SubscriberId};
use ioasid_core::{Config, Memory, Pasid, PasidRange, Registry, SetId};
use std::cell::RefCell;
use std::rc::Rc;

/// The registry under test.
pub type Real<'m> = Registry<'m, Provider, Ear>;

/// What the registry calls by names of its own, in the order in which they came.
#[derive(Debug, Default)]
pub struct Names {
    pub sets: Vec<SetId>,
    pub tickets: Vec<Ticket>,
    pub subscribers: Vec<SubscriberId>,
    pub log: Rc<RefCell<Log>>,
}

/// What the providers were asked.
#[derive(Debug, Default)]
pub struct Log {
    pub asked: Vec<Asked>,
    pub ticket: Option<Ticket>,
}

#[derive(Debug)]
pub struct Provider {
    number: u8,
    pub next: Answer,
    pub busy: bool,
    log: Rc<RefCell<Log>>,
}

impl allocator::Provider for Provider {
    fn alloc(&mut self, pdata: u64, range: PasidRange, ticket: Ticket) -> Answer {
        let (min, max) = (range.min().get(), range.max().get());
        let mut log = self.log.borrow_mut();
        log.asked.push(Asked::Alloc { provider: self.number, pdata, min, max });
        log.ticket = Some(ticket);
        self.next
    }

    fn free(&mut self, pdata: u64, id: u32) -> Result<(), ProviderBusy> {
        if self.busy {
            return Err(ProviderBusy);
        }
        self.log.borrow_mut().asked.push(Asked::Free { provider: self.number, pdata, id });
        Ok(())
    }
}

/// Hears every event.
#[derive(Debug, Default)]
pub struct Ear(pub Vec<(usize, Event)>);

impl Events for Ear {
    fn deliver(&mut self, to: SubscriberId, event: &Event) {
        self.0.push((to.index(), *event));
    }
}

/// What a provider says, in the registry's words.
pub fn answer(said: Said) -> Answer {
    match said {
        Said::Given(number) => Answer::Given(number),
        Said::Nothing => Answer::Nothing,
        Said::Failed => Answer::Failed,
        Said::Later => Answer::Later,
    }
}

/// Memory and providers, for one registry after the other.
#[derive(Debug)]
pub struct Stage {
    words: Vec<u64>,
    providers: Vec<Provider>,
}

impl Stage {
    /// For registries of up to 127 ids.
    #[must_use]
    pub fn new() -> Self {
        Self { words: vec![0; Memory::words_for(128)], providers: Vec::new() }
    }

    /// A registry of a world. The memory holds what the last one left.
    pub(super) fn open(&mut self, world: World) -> (Real<'_>, Names) {
        let names = Names::default();
        let provider =
            |number| Provider { number, next: Answer::Nothing, busy: false, log: names.log.clone() };
        self.providers.clear();
        self.providers.extend((0..PROVIDERS).map(provider));
        let config = Config {
            max_pasid: Pasid::new(world.max).expect("a small world"),
            ack_bound: World::ACK_BOUND,
            provider_bound: World::PROVIDER_BOUND,
        };
        let numbers = usize::try_from(world.max).expect("a small world") + 1;
        let memory = Memory { words: &mut self.words[..Memory::words_for(numbers)] };
        let mut registry = Registry::with(memory, config, &mut self.providers, Ear::default())
            .expect("the memory is of that size");
        // Nothing is due in a fresh registry; it learns what time it is.
        assert_eq!(registry.poll(world.start), None);
        (registry, names)
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

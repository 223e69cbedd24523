// SPDX-License-Identifier: BSD-2-Clause
//! Custom allocators whose numbers another protection domain chooses. The server never waits for it: a question
//! stands until the provider fetches it, and the client that asked for an id comes back for the outcome.

use ioasid_api::{
    Allocated, Answer as ProviderAnswer, Code, Count, Done, Event, EventKind, Progress, Question,
    RegisterAllocator,
};
use ioasid_core::allocator::{Allocator, AllocatorId, Answer as Choice, Helpers, Ticket, channel};
use ioasid_core::{Completion, Pasid, State};
use ioasid_trace::Event as Traced;
use vtd::{BATCH, Registers, TableMemory};

use crate::clients::ClientId;
use crate::codes;
use crate::server::{Answer, Server};

impl<R: Registers, M: TableMemory> Server<'_, R, M> {
    pub(crate) fn register_allocator(&mut self, register: &RegisterAllocator) -> Answer<Done> {
        let provider = |place: u16| u8::try_from(place).map_err(|_| Code::NoSuchPeer);
        let helpers = Helpers { alloc: provider(register.alloc)?, free: provider(register.free)? };
        let allocator = Allocator { id: AllocatorId(register.allocator), helpers, pdata: register.pdata };
        self.registry.register_allocator(allocator).map_err(codes::registry)?;
        self.clients.share_out(false);
        self.trace_of_none(Traced::Registered { allocator: register.allocator });
        log::info!("custom allocator {} is registered", register.allocator);
        Ok(Done {})
    }

    pub(crate) fn unregister_allocator(&mut self, allocator: u32) -> Answer<Count> {
        let orphans = self.registry.unregister_allocator(AllocatorId(allocator)).map_err(codes::registry)?;
        self.trace_of_none(Traced::Unregistered { allocator, orphans });
        self.orphaned(orphans);
        self.give_up_waiting();
        self.settle();
        log::info!("custom allocator {allocator} is unregistered, and leaves {orphans} orphans");
        Ok(Count { count: orphans })
    }

    /// Allocators are gone, and have left orphans. Nobody finds these: all ids that can be found are of the one group that
    /// allocates, so where there are orphans every id is one.
    pub(crate) fn orphaned(&mut self, orphans: u32) {
        self.clients.share_out(self.registry.allocators().next().is_none());
        if orphans > 0 {
            self.clients.clear_find_pages();
        }
    }

    /// Tears orphans down, those of one client a call: they are unbound from its devices.
    pub(crate) fn reclaim_orphans(&mut self) -> Answer<Progress> {
        let mut done = 0;
        let mut from = self.orphans_from;
        for _ in 0..BATCH {
            match self.registry.next_orphan(from) {
                None => {
                    self.orphans_from = Pasid::RESERVED;
                    return Ok(Progress { done, more: 0 });
                }
                Some(Err(next)) => from = next,
                Some(Ok(orphan)) => {
                    self.registry.revoke(orphan.handle).map_err(codes::registry)?;
                    match orphan.owner.and_then(|set| self.clients.with_set(set)) {
                        Some(client) => {
                            // What fails is in the log, and the id in quarantine.
                            let _ = self.tear_down(client, &[orphan.handle]);
                            let revoked = Event::of(EventKind::Revoke, self.wire(orphan.handle));
                            self.registry.events().push(client, revoked);
                        }
                        None => self.registry.reclaim(orphan.handle).map_err(codes::registry)?,
                    }
                    done += 1;
                    from = orphan.handle.pasid;
                }
            }
        }
        self.orphans_from = from;
        Ok(Progress { done, more: 1 })
    }

    fn provider_of(&self, client: ClientId) -> Answer<u8> {
        self.clients.account(client).provider.ok_or(Code::NoSuchPeer)
    }

    pub(crate) fn fetch(&mut self, client: ClientId) -> Answer<Question> {
        let provider = self.provider_of(client)?;
        let question = self.registry.provider(provider).ok_or(Code::NoSuchPeer)?.fetch();
        match question {
            None => {}
            Some(channel::Question::Alloc { ticket, .. }) => {
                self.trace(client, Traced::Asked { ticket: ticket.to_word(), alloc: true });
            }
            Some(channel::Question::Free { id, .. }) => {
                self.trace(client, Traced::Asked { ticket: id.into(), alloc: false });
            }
        }
        // There is room for another.
        self.settle();
        Ok(match question {
            None => Question { operation: 0, ticket: 0, pdata: 0, range: 0 },
            Some(channel::Question::Alloc { ticket, pdata, range }) => Question {
                operation: 1,
                ticket: ticket.to_word(),
                pdata,
                range: u64::from(range.min().get()) | u64::from(range.max().get()) << 32,
            },
            Some(channel::Question::Free { pdata, id }) => {
                Question { operation: 2, ticket: u64::from(id), pdata, range: 0 }
            }
        })
    }

    pub(crate) fn provider_answer(&mut self, client: ClientId, answer: &ProviderAnswer) -> Answer<Done> {
        let provider = self.provider_of(client)?;
        let (choice, traced) = match answer.outcome {
            0 => (Choice::Given(answer.id), ioasid_trace::Choice::Given(answer.id)),
            1 => (Choice::Nothing, ioasid_trace::Choice::Nothing),
            2 => (Choice::Failed, ioasid_trace::Choice::Failed),
            _ => return Err(Code::BadField),
        };
        self.trace(client, Traced::Answered { ticket: answer.ticket, choice: traced });
        let ticket = Ticket::from_word(answer.ticket);
        let completion = self.registry.complete(provider, ticket, choice).map_err(codes::registry)?;
        self.completed(completion);
        Ok(Done {})
    }

    /// Keeps the outcome for the client that waits for it, and wakes it.
    pub(crate) fn completed(&mut self, completion: Completion) {
        let Some(client) = self.clients.with_set(completion.set()) else { return };
        self.clients.account_mut(client).waits = false;
        let outcome = match completion.result {
            Ok(handle) => {
                let data = self.registry.find(completion.set(), handle).unwrap_or(0);
                Ok(self.allocated(client, handle, data))
            }
            Err(error) => Err(codes::registry(error)),
        };
        self.clients.account_mut(client).outcome = Some(outcome);
        self.registry.events().wake(client);
    }

    #[inline(never)]
    pub(crate) fn alloc_result(&mut self, client: ClientId) -> Answer<Allocated> {
        let account = self.clients.account_mut(client);
        match account.outcome.take() {
            Some(outcome) => Ok(Allocated { handle: outcome? }),
            None if account.waits => Err(Code::Pending),
            None => Err(Code::NotFound),
        }
    }

    /// A provider is gone: the allocations that it was asked for have failed, and those who wait for them are told.
    pub(crate) fn give_up_waiting(&mut self) {
        for client in self.clients.all() {
            let set = self.set(client);
            if self.clients.account(client).waits
                && let Some(work) = self.registry.poll_set(set, 0)
            {
                self.work_on(set, work);
            }
        }
    }

    /// Tells providers of the ids that they had no room to be told of when these were torn down. Done by the calls of those
    /// who make room, providers and administrators.
    pub(crate) fn settle(&mut self) {
        self.clients.all().for_each(|client| self.settle_of(client));
    }

    /// The same of a client's, a batch of which is looked at. Where a provider is gone nobody makes room: it is done by the
    /// calls of whoever wants the numbers, too. Nobody else pays for it.
    pub(crate) fn settle_of(&mut self, client: ClientId) {
        for _ in 0..BATCH {
            let (set, account) = (self.set(client), self.clients.account(client));
            let from = account.settled_to;
            if account.unsettled == 0 {
                break;
            }
            let found = self.registry.next_id(set, from);
            let told = found.is_some_and(|found| {
                found.state == State::Teardown && self.registry.reclaim(found.handle).is_ok()
            });
            if let Some(found) = found.filter(|_| told) {
                self.trace(client, Traced::Free { id: self.wire(found.handle) });
            }
            let next = found.and_then(|found| found.handle.pasid.next());
            let account = self.clients.account_mut(client);
            account.unsettled -= u32::from(told);
            account.settled_to = next.unwrap_or(Pasid::RESERVED);
        }
    }

    /// Wakes the providers that have something to fetch.
    #[inline(never)]
    pub(crate) fn ask_providers(&mut self) {
        for client in self.clients.all() {
            let asked = self.clients.account(client).provider.and_then(|one| self.registry.provider(one));
            if asked.is_some_and(|provider| provider.is_asking()) {
                self.registry.events().wake(client);
            }
        }
    }
}

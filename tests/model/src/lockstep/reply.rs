// SPDX-License-Identifier: BSD-2-Clause
//! One operation done to both, and what both answer.

use super::cast::answer;
use super::{Lockstep, Mismatch, same};
use crate::model::{Allocator, Due, Outcome, Said, SetName};
use crate::op::{Op, PROVIDERS, World};
use ioasid_core::allocator::{self, AllocatorId, Helpers};
use ioasid_core::event::{Event, Subscription};
use ioasid_core::{
    Allocation, Error, Freed, Generation, Handle, Pasid, PasidRange, Progress, SetConfig, Work,
};

/// An answer, in the model's names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// There is nothing that the operation could mean.
    Skipped,
    Done(Result<(), Error>),
    Set(Result<SetName, Error>),
    Place(Result<usize, Error>),
    Data(Result<u64, Error>),
    Flag(Result<bool, Error>),
    Freed(Result<Freed, Error>),
    Handle(Result<Handle, Error>),
    Count(Result<u32, Error>),
    Allocated(Result<Outcome, Error>),
    Given(Vec<Handle>),
    Completed(Result<Result<Handle, Error>, Error>),
    Drained(Result<(Vec<Handle>, Progress), Error>),
    Due(Option<Due>),
    Snapshot(Result<Vec<(SetName, Handle)>, Error>),
}

impl Reply {
    /// Whether it says that nothing was done.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Skipped => true,
            Self::Done(result) => result.is_err(),
            Self::Set(result) => result.is_err(),
            Self::Place(result) => result.is_err(),
            Self::Data(result) => result.is_err(),
            Self::Flag(result) => result.is_err(),
            Self::Freed(result) => result.is_err(),
            Self::Handle(result) => result.is_err(),
            Self::Count(result) => result.is_err(),
            Self::Allocated(result) => result.is_err(),
            Self::Given(handles) => handles.is_empty(),
            Self::Completed(result) => result.is_err(),
            Self::Drained(result) => result.is_err(),
            Self::Due(due) => due.is_none(),
            Self::Snapshot(result) => result.is_err(),
        }
    }
}

/// One among those that there are.
fn pick(number: usize, len: usize) -> Option<usize> {
    number.checked_rem(len)
}

/// A window as the registry is told it.
fn within((min, max): (u32, u32)) -> PasidRange {
    PasidRange::new(min, max).unwrap_or(PasidRange::EMPTY)
}

/// A time as the registry is told it.
fn wrapped(now: u64) -> u32 {
    u32::try_from(now & u64::from(u32::MAX)).unwrap_or(0)
}

impl Lockstep<'_> {
    /// What both answer.
    pub(super) fn reply(&mut self, op: Op) -> Result<(Reply, Reply), Mismatch> {
        Ok(self.do_it(op)?.unwrap_or((Reply::Skipped, Reply::Skipped)))
    }

    fn do_it(&mut self, op: Op) -> Result<Option<(Reply, Reply)>, Mismatch> {
        /// The name of a set, or nothing to be done.
        macro_rules! set {
            ($number:expr) => {
                match pick($number, self.names.sets.len()) {
                    Some(name) => (name, self.names.sets[name]),
                    None => return Ok(None),
                }
            };
        }
        macro_rules! subscriber {
            ($number:expr) => {
                match pick($number, self.names.subscribers.len()) {
                    Some(name) => self.names.subscribers[name],
                    None => return Ok(None),
                }
            };
        }
        /// The same call of both, on a set's id.
        macro_rules! both {
            ($kind:ident, $call:ident, $set:expr, $id:expr $(, $argument:expr)*) => {{
                let (name, set) = set!($set);
                let handle = self.handle($id);
                (
                    Reply::$kind(self.registry.$call(set, handle $(, $argument)*)),
                    Reply::$kind(self.model.$call(name, handle $(, $argument)*)),
                )
            }};
        }
        /// The same call of both, on an id whoever's it is.
        macro_rules! any {
            ($call:ident, $id:expr) => {{
                let handle = self.handle($id);
                (Reply::Done(self.registry.$call(handle)), Reply::Done(self.model.$call(handle)))
            }};
        }
        Ok(Some(match op {
            Op::CreateSet { reservation, limit } => {
                let real = self.registry.create_set(SetConfig { reservation, limit });
                let should = self.model.create_set(reservation, limit);
                if let (Ok(set), Ok(name)) = (real, should) {
                    same("the set's place", &set.index(), &self.model.sets[name].index)?;
                    same("whether the set's name is new", &!self.names.sets.contains(&set), &true)?;
                    self.names.sets.push(set);
                }
                let name = |_| self.names.sets.len() - 1;
                (Reply::Set(real.map(name)), Reply::Set(should))
            }
            Op::AdjustSet { set, reservation, limit } => {
                let (name, set) = set!(set);
                let real = self.registry.adjust_set(set, SetConfig { reservation, limit });
                (Reply::Done(real), Reply::Done(self.model.adjust_set(name, reservation, limit)))
            }
            Op::FreeSet { set } => {
                let (name, set) = set!(set);
                (Reply::Done(self.registry.free_set(set)), Reply::Done(self.model.free_set(name)))
            }
            Op::DrainSet { set, slice } => {
                let (name, set) = set!(set);
                let nothing = Handle { pasid: Pasid::RESERVED, generation: Generation::from_raw(0) };
                let mut out = vec![nothing; slice];
                let real = self.registry.drain_set(set, &mut out).map(|drain| {
                    out.truncate(drain.filled);
                    (out, drain.progress)
                });
                (Reply::Drained(real), Reply::Drained(self.model.drain_set(name, slice)))
            }
            Op::Alloc { set, min, max, data, choice } => {
                let (name, set) = set!(set);
                let said = self.said(choice, min, max);
                (0..PROVIDERS).for_each(|number| self.will_say(number, said));
                let real = self.registry.alloc(set, min..=max, data).map(|allocation| match allocation {
                    Allocation::Ready(handle) => Outcome::Ready(handle),
                    Allocation::Pending(ticket) => {
                        self.names.tickets.push(ticket);
                        Outcome::Pending(self.names.tickets.len() - 1)
                    }
                });
                if let Ok(Outcome::Pending(_)) = real {
                    let asked_with = self.names.log.borrow().ticket;
                    same("the ticket", &self.names.tickets.last().copied(), &asked_with)?;
                    let times = self.names.tickets.iter().filter(|&&one| Some(one) == asked_with).count();
                    same("how often the ticket was given out", &times, &1)?;
                }
                let should = if min.max(1) > max {
                    Err(Error::InvalidRange)
                } else {
                    self.model.alloc(name, (min, max), data, said)
                };
                (Reply::Allocated(real), Reply::Allocated(should))
            }
            Op::AllocAtOnce { set, window, min, max, data } => {
                let (name, set) = set!(set);
                let real = self.registry.alloc_at_once(set, within(window), min..=max, data);
                let should = self.model.alloc_at_once(name, window, (min, max), data);
                (Reply::Given(real.into_iter().collect()), Reply::Given(should.into_iter().collect()))
            }
            Op::AllocMany { set, window, min, max, data, most } => {
                let (name, set) = set!(set);
                let mut real = Vec::new();
                let each = |handle| real.push(handle);
                let given = self.registry.alloc_many(set, within(window), min..=max, data, most, each);
                same("how many are given", &usize::try_from(given), &Ok(real.len()))?;
                (
                    Reply::Given(real),
                    Reply::Given(self.model.alloc_many(name, window, (min, max), data, most)),
                )
            }
            Op::Find { set, id } => both!(Data, find, set, id),
            Op::SetData { set, id, data } => both!(Done, set_data, set, id, data),
            Op::Get { set, id } => both!(Done, get, set, id),
            Op::Free { set, id } => both!(Freed, free, set, id),
            Op::FreeUnbound { set, id } => both!(Freed, free_unbound, set, id),
            Op::Put { set, id } => both!(Freed, put, set, id),
            Op::GetIf { set, id, accept } => {
                let (name, set) = set!(set);
                let handle = self.handle(id);
                let mut seen = None;
                let real = self.registry.get_if(set, handle, |data| {
                    seen = Some(data);
                    accept
                });
                same("what the getter saw", &seen, &self.model.find(name, handle).ok())?;
                (Reply::Flag(real), Reply::Flag(self.model.get_if(name, handle, accept)))
            }
            Op::Reclaim { id } => any!(reclaim, id),
            Op::Quarantine { id } => any!(quarantine, id),
            Op::Revoke { id } => any!(revoke, id),
            Op::AttachSpid { set, spid, id } => {
                let (name, set) = set!(set);
                let handle = self.handle(id);
                let real = self.registry.attach_spid(set, spid, handle);
                (Reply::Done(real), Reply::Done(self.model.attach_spid(name, spid, handle)))
            }
            Op::DetachSpid { set, spid } => {
                let (name, set) = set!(set);
                let real = self.registry.detach_spid(set, spid);
                (Reply::Done(real), Reply::Done(self.model.detach_spid(name, spid)))
            }
            Op::FindSpid { set, spid } => {
                let (name, set) = set!(set);
                let real = self.registry.find_spid(set, spid);
                (Reply::Handle(real), Reply::Handle(self.model.find_spid(name, spid)))
            }
            Op::Register { name, alloc, free } => {
                // Each has a word of its own.
                let pdata = u64::from(name) + 100;
                let one =
                    allocator::Allocator { id: AllocatorId(name), helpers: Helpers { alloc, free }, pdata };
                let should = Allocator { name, alloc, free, pdata, group: 0, faults: 0 };
                (Reply::Done(self.registry.register_allocator(one)), Reply::Done(self.model.register(should)))
            }
            Op::Unregister { name } => (
                Reply::Count(self.registry.unregister_allocator(AllocatorId(name))),
                Reply::Count(self.model.unregister(name)),
            ),
            Op::ProviderGone { provider } => (
                Reply::Count(Ok(self.registry.provider_gone(provider))),
                Reply::Count(Ok(self.model.provider_gone(provider))),
            ),
            Op::Busy { provider, busy } => {
                if let Some(one) = self.registry.provider(provider) {
                    one.busy = busy;
                }
                self.model.busy[usize::from(provider)] = busy;
                (Reply::Skipped, Reply::Skipped)
            }
            Op::Complete { provider, ticket, choice } => {
                let Some(ticket) = pick(ticket, self.names.tickets.len()) else { return Ok(None) };
                // 0 is the last one.
                let ticket = self.names.tickets.len() - 1 - ticket;
                let said = self.said(choice, 1, self.model.world.max);
                let real = self.registry.complete(provider, self.names.tickets[ticket], answer(said));
                if let Ok(completion) = real {
                    same("the ticket", &completion.ticket, &self.names.tickets[ticket])?;
                    let set = self.names.sets[self.model.requests[ticket].set];
                    same("the ticket's set", &completion.set(), &set)?;
                }
                let should = self.model.complete(provider, ticket, said);
                (Reply::Completed(real.map(|one| one.result)), Reply::Completed(should))
            }
            Op::Subscribe { set, role, acknowledges } => {
                let (name, set) = match set {
                    Some(number) => {
                        let (name, set) = set!(number);
                        (Some(name), Some(set))
                    }
                    None => (None, None),
                };
                let real = self.registry.subscribe(Subscription { set, role, acknowledges });
                if let Ok(subscriber) = real
                    && !self.names.subscribers.contains(&subscriber)
                {
                    self.names.subscribers.push(subscriber);
                }
                let should = self.model.subscribe(name, role, acknowledges);
                (Reply::Place(real.map(|one| one.index())), Reply::Place(should))
            }
            Op::Unsubscribe { subscriber } => {
                let one = subscriber!(subscriber);
                let real = self.registry.unsubscribe(one);
                (Reply::Done(real), Reply::Done(self.model.unsubscribe(one.index())))
            }
            Op::Acknowledge { subscriber, id } => {
                let one = subscriber!(subscriber);
                let handle = self.handle(id);
                let real = self.registry.acknowledge(one, handle);
                (Reply::Done(real), Reply::Done(self.model.acknowledge(one.index(), handle)))
            }
            Op::Publish { set, kind, id } => {
                let (name, set) = set!(set);
                let handle = Some(self.handle(id));
                let real = self.registry.publish(&Event::new(kind, set, handle));
                (Reply::Done(real), Reply::Done(self.model.publish(name, kind, handle)))
            }
            Op::Snapshot { subscriber, slice } => {
                let one = subscriber!(subscriber);
                let should = self.model.snapshot(one.index());
                let bound = should.as_ref().map_or(0, Vec::len) + 2;
                let mut real = Ok(Vec::new());
                let mut from = None;
                for _ in 0..bound {
                    // Any set and handle: what is not filled is not looked at.
                    let nothing = self.handle(crate::op::Id { number: 0, age: 0 });
                    let Some(&any) = self.names.sets.first() else { break };
                    let mut out = vec![(any, nothing); slice];
                    match self.registry.snapshot(one, from, &mut out) {
                        Err(error) => real = Err(error),
                        Ok((filled, rest)) => {
                            let name = |set| self.names.sets.iter().position(|&other| other == set);
                            let named = out[..filled].iter().filter_map(|&(set, id)| Some((name(set)?, id)));
                            real = real.map(|all: Vec<_>| all.into_iter().chain(named).collect());
                            from = rest;
                        }
                    }
                    if from.is_none() {
                        break;
                    }
                }
                same("whether the snapshot ended", &from.is_none(), &true)?;
                let should = if self.names.sets.is_empty() { Ok(Vec::new()) } else { should };
                (Reply::Snapshot(real), Reply::Snapshot(should))
            }
            Op::Poll { ticks } => {
                let should = self.model.poll(ticks);
                let real = self.registry.poll(wrapped(self.model.now[0])).map(|work| self.named(work));
                (Reply::Due(real), Reply::Due(should))
            }
            Op::PollSet { set, ticks } => {
                let (name, set) = set!(set);
                let should = self.model.poll_set(name, ticks);
                let real = self.registry.poll_set(set, ticks).map(|work| self.named(work));
                (Reply::Due(real), Reply::Due(should))
            }
        }))
    }

    fn will_say(&mut self, number: u8, said: Said) {
        if let Some(provider) = self.registry.provider(number) {
            provider.next = answer(said);
        }
    }

    fn named(&self, work: Work) -> Due {
        match work {
            Work::Teardown(handle) => Due::Teardown(handle),
            Work::Announced(handle) => Due::Announced(handle),
            Work::Failed(completion) => {
                let ticket = self.names.tickets.iter().position(|&one| one == completion.ticket);
                assert_eq!(completion.result, Err(Error::ProviderFault), "a failed allocation");
                Due::Failed(ticket.expect("a ticket that was given out"))
            }
        }
    }
}

const _: () = assert!(World::ACK_BOUND > World::PROVIDER_BOUND, "they are told apart");

// SPDX-License-Identifier: BSD-2-Clause
//! The server: what it is made of, and which request goes where.

use core::hint::cold_path;
use ioasid_api::{
    self as api, Call, Code, Hello, OPERATIONS, Registers as Words, Reply, Right, Tag, VERSION, Welcome,
};

use ioasid_config::Client;
use ioasid_core::allocator::channel::ChannelProvider;
use ioasid_core::{Pasid, Registry, SetId, Work};
use vtd::{Registers, TableMemory, Unit};

use crate::clients::{ClientId, Clients};
use crate::faults::Strays;
use crate::outbox::Outbox;
use crate::space_table::Spaces;
use crate::spaces::Requests;

/// Things that have become due and are done behind one call at the most. More have their turn behind the next.
const WORK_PER_CALL: usize = 8;

/// How the server wakes a client: a notification on a channel, which never waits.
pub trait Notify {
    /// Notifies whoever is behind the channel.
    fn notify(&mut self, channel: u32);
}

/// The service. Generic over how the unit's registers and tables are reached and how clients are woken, so that the
/// very same code runs in the PD and in tests.
#[derive(Debug)]
pub struct Server<'m, R, M, N> {
    pub(crate) clients: Clients<'m>,
    pub(crate) registry: Registry<'m, ChannelProvider, Outbox<'m>>,
    /// The unit, where there is one. Without it ids are served, and nothing that takes a device or a table.
    pub(crate) unit: Option<Unit<R, M>>,
    pub(crate) spaces: &'m mut Spaces,
    pub(crate) notify: N,
    pub(crate) strays: Strays,
    pub(crate) trace: ioasid_trace::Writer<'m>,
    /// This life of the server.
    pub(crate) epoch: u16,
    /// Time as the trace has it, in calls and interrupts.
    pub(crate) now: u32,
    /// Where the search for orphans goes on.
    pub(crate) orphans_from: Pasid,
}

/// An answer: words, or a refusal.
pub(crate) type Answer<T> = Result<T, Code>;

/// The request that a message spells.
#[inline(always)]
fn decode<C: Call>(count: usize, words: &Words) -> Answer<C> {
    // One question for all words; what was wrong is asked where something is.
    words.get(..count).and_then(|words| C::decode(words).ok()).ok_or_else(|| misspelt(count == C::WORDS))
}

/// Why a message spells no request.
#[cold]
#[inline(never)]
fn misspelt(has_its_length: bool) -> Code {
    if has_its_length { Code::BadField } else { Code::WrongLength }
}

/// Leaves the answer to an operation in the message registers. That its words are the operation's is checked here.
#[inline(always)]
fn write<C: Call>(answer: Answer<C::Reply>, words: &mut Words) -> Tag {
    match answer {
        Ok(reply) => Tag::new(0, reply.write(words)),
        Err(code) => {
            cold_path();
            Tag::refusal(code)
        }
    }
}

/// Decides by a message's label: one jump to the operation's arm, which asks whether the client may, reads the words
/// and answers.
macro_rules! answer {
    ($server:ident, $client:ident, $tag:ident, $words:ident; $($operation:ident($request:pat) => $answer:expr,)*) => {{
        const _: () = assert!([$(api::$operation::NUMBER),*].len() == OPERATIONS.len(), "an arm for each");
        match $tag.label() {
            $(<api::$operation as Call>::NUMBER => {
                let request = $server.admit($client, api::$operation::RIGHT);
                let request = request.and_then(|()| decode::<api::$operation>($tag.count(), $words));
                write::<api::$operation>(request.and_then(|$request| $answer), $words)
            })*
            unknown => {
                let admitted = $server.admit($client, Right::of(unknown));
                Tag::refusal(admitted.err().unwrap_or(Code::UnknownOperation))
            }
        }
    }};
}

impl<R: Registers, M: TableMemory, N: Notify> Server<'_, R, M, N> {
    /// Answers the message that came in on `channel`: its words stand in the message registers, and so do the answer's
    /// afterwards. Once they are where they go out from, [`Server::wake`] is to be called.
    #[inline]
    pub fn call(&mut self, channel: usize, message: Tag, words: &mut Words) -> Tag {
        match self.clients.behind(channel) {
            Some(client) => {
                let reply = self.answer(client, message, words);
                self.answered(client, message, reply)
            }
            None => self.call_before_hello(channel, message, words),
        }
    }

    /// The same from somebody who has not said HELLO in this life of the server. It may do that.
    #[cold]
    #[inline(never)]
    fn call_before_hello(&mut self, channel: usize, message: Tag, words: &mut Words) -> Tag {
        let Some(client) = self.clients.configured(channel) else {
            return Tag::refusal(Code::NotPermitted);
        };
        let reply = match self.admit(client, Right::of(message.label())) {
            Ok(()) if message.label() == Hello::NUMBER => self.answer_hello(client, message.count(), words),
            Ok(()) => Tag::refusal(Code::ServerRestarted),
            Err(code) => Tag::refusal(code),
        };
        self.answered(client, message, reply)
    }

    /// What is done behind each call.
    #[inline(always)]
    fn answered(&mut self, client: ClientId, message: Tag, reply: Tag) -> Tag {
        if reply.label() != 0 {
            let counters = &mut self.clients.account_mut(client).counters;
            counters.refused += 1;
            let refused = counters.refused;
            self.trace_refusal(client, message.label(), reply.label(), refused);
        }
        self.time_passes(client);
        self.work();
        reply
    }

    /// Wakes whoever has something to read: most of the time nobody has.
    #[inline(always)]
    pub fn wake(&mut self) {
        if self.registry.events().has_wakes() {
            self.wake_all();
        }
    }

    /// Whether the client may ask for what takes this right.
    #[inline(always)]
    fn admit(&self, client: ClientId, right: Right) -> Answer<()> {
        let permitted = match right {
            Right::Client => true,
            Right::Admin => self.clients.entry(client).may(Client::ADMIN),
            Right::Provider => self.clients.entry(client).may(Client::PROVIDER),
        };
        if permitted { Ok(()) } else { Err(Code::NotPermitted) }
    }

    #[inline(always)]
    fn answer(&mut self, client: ClientId, message: Tag, words: &mut Words) -> Tag {
        answer! { self, client, message, words;
            Hello(hello) => self.hello(client, hello.version),
            Alloc(alloc) => self.alloc(client, &alloc),
            Free(free) => self.free(client, free.handle),
            Get(get) => self.get(client, get.handle),
            Put(put) => self.put(client, put.handle),
            Find(find) => self.find(client, find.pasid),
            SetData(set) => self.set_data(client, set.handle, set.data),
            AttachSpid(attach) => self.attach_spid(client, attach.spid, attach.handle),
            DetachSpid(detach) => self.detach_spid(client, detach.spid),
            FindSpid(find) => self.find_spid(client, find.spid),
            AllocResult(_) => self.alloc_result(client),
            AllocBatch(batch) => self.alloc_batch(client, &batch),
            FreeBatch(batch) => self.free_batch(client, batch.count),
            List(list) => self.list(client, list.from),
            Bind(bind) => self.bind(client, bind.handle, bind.device, Requests::Untagged),
            Unbind(unbind) => self.unbind(client, unbind.handle, unbind.device, Requests::Untagged),
            BindTagged(bind) => self.bind(client, bind.handle, bind.device, Requests::Tagged),
            UnbindTagged(unbind) => self.unbind(client, unbind.handle, unbind.device, Requests::Tagged),
            Replace(replace) => self.replace(client, replace.handle, replace.device),
            Map(map) => self.map(client, &map),
            Unmap(unmap) => self.unmap(client, &unmap),
            MapBatch(batch) => self.map_batch(client, batch.handle, batch.count),
            OwnUsage(_) => self.usage(client),
            Subscribe(subscribe) => self.subscribe(client, &subscribe),
            Unsubscribe(_) => self.unsubscribe(client),
            Acknowledge(acknowledge) => self.acknowledge(client, acknowledge.handle),
            SetUsage(set) => self.set_usage(set.set),
            SetCounters(set) => self.set_counters(set.set),
            Check(_) => self.check(),
            SetAdjust(set) => self.set_adjust(&set),
            SetFree(set) => self.set_free(set.set),
            SetOpen(set) => self.set_open(&set),
            RegisterAllocator(register) => self.register_allocator(&register),
            UnregisterAllocator(one) => self.unregister_allocator(one.allocator),
            ReclaimOrphans(_) => self.reclaim_orphans(),
            Fetch(_) => self.fetch(client),
            Answer(answer) => self.provider_answer(client, &answer),
        }
    }

    fn answer_hello(&mut self, client: ClientId, count: usize, words: &mut Words) -> Tag {
        let hello = decode::<Hello>(count, words);
        write::<Hello>(hello.and_then(|hello| self.hello(client, hello.version)), words)
    }

    fn hello(&mut self, client: ClientId, version: u32) -> Answer<Welcome> {
        if version != VERSION {
            return Err(Code::UnsupportedVersion);
        }
        self.clients.greet(client, true);
        let count = |len: usize| u16::try_from(len).map_err(|_| Code::Internal);
        Ok(Welcome {
            epoch: self.epoch,
            pasid_bits: self.pasid_bits(),
            devices: count(self.clients.devices(client).len())?,
            regions: count(self.clients.regions(client).len())?,
        })
    }

    /// The width of PASIDs: the unit's, or without one that of the highest that there is.
    fn pasid_bits(&self) -> u16 {
        let highest = || u32::BITS - self.registry.max_pasid().get().leading_zeros();
        let bits = self.unit.as_ref().map_or_else(highest, |unit| unit.capabilities().pasid_bits().into());
        u16::try_from(bits).unwrap_or(u16::MAX)
    }

    /// The unit, for what cannot be done without.
    pub(crate) fn unit(&mut self) -> Answer<&mut Unit<R, M>> {
        self.unit.as_mut().ok_or(Code::NoUnit)
    }

    /// Frames of 4 KiB that are free for the unit's tables.
    pub(crate) fn free_frames(&self) -> usize {
        self.unit.as_ref().map_or(0, Unit::free_frames)
    }

    /// Another call for this client, or once its set ends one that ends it: does what has become due for it by that. Time is
    /// a client's own, so that nobody's calls cost more, or take something from somebody sooner, for what others do.
    #[inline(always)]
    pub(crate) fn time_passes(&mut self, client: ClientId) {
        let set = self.set(client);
        if let Some(work) = self.registry.poll_set(set, 1) {
            self.work_on(set, work);
        }
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn work_on(&mut self, set: SetId, first: Work) {
        self.due(first);
        for _ in 1..WORK_PER_CALL {
            let Some(work) = self.registry.poll_set(set, 0) else { break };
            self.due(work);
        }
    }

    /// What is done behind each call and interrupt.
    #[inline(always)]
    pub(crate) fn work(&mut self) {
        self.now = self.now.wrapping_add(1);
        if self.trace.round() {
            self.trace_shares();
        }
    }

    /// Wakes clients, a bit each, and providers that have something to fetch among them.
    #[cold]
    #[inline(never)]
    fn wake_all(&mut self) {
        if self.clients.have_providers() {
            self.ask_providers();
        }
        let mut wakes = self.registry.events().take_wakes();
        while wakes != 0 {
            let index = u16::try_from(wakes.trailing_zeros()).unwrap_or(u16::MAX);
            if let Ok(client) = self.clients.of_set(index) {
                self.notify.notify(self.clients.entry(client).channel);
            }
            wakes &= wakes - 1;
        }
    }
}

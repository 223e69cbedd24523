// SPDX-License-Identifier: BSD-2-Clause
//! The server: what it is made of, and which request goes where.

use core::sync::atomic::AtomicU64;

use ioasid_api::{Code, FindWriter, Message, Reply, Request, Right, VERSION, Welcome};
use ioasid_config::{Client, MAX_CLIENTS};
use ioasid_core::allocator::channel::ChannelProvider;
use ioasid_core::{Pasid, Registry};
use vtd::{Registers, TableMemory, Unit};

use crate::clients::{ClientId, Clients};
use crate::faults::Strays;
use crate::outbox::Outbox;
use crate::spaces::{Requests, Spaces};

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
    pub(crate) spaces: Spaces,
    pub(crate) find: [Option<FindWriter<'m>>; MAX_CLIENTS],
    pub(crate) batch: [Option<&'m [AtomicU64]>; MAX_CLIENTS],
    pub(crate) notify: N,
    pub(crate) strays: Strays,
    /// This life of the server.
    pub(crate) epoch: u16,
    /// Time, in calls and interrupts. Whoever waits for something asks for it, so time goes on while anybody waits.
    pub(crate) now: u32,
    /// Where the search for orphans goes on.
    pub(crate) orphans_from: Pasid,
}

/// The one operation that comes before HELLO.
const HELLO: u64 = 0x01;

/// An answer: words, or a refusal.
pub(crate) type Answer<T> = Result<T, Code>;

fn encode<T: Reply>(answer: Answer<T>) -> Message {
    match answer {
        Ok(reply) => reply.encode(),
        Err(code) => Message::refusal(code),
    }
}

impl<R: Registers, M: TableMemory, N: Notify> Server<'_, R, M, N> {
    /// Answers the message with `label` and `words` that came in on `channel`.
    pub fn call(&mut self, channel: usize, label: u64, words: &[u64]) -> Message {
        let Some(client) = self.clients.behind(channel) else {
            return Message::refusal(Code::NotPermitted);
        };
        let reply = match self.admit(client, label).and_then(|()| Request::decode(label, words)) {
            Ok(request) => self.answer(client, request),
            Err(code) => Message::refusal(code),
        };
        if reply.label != 0 {
            let counters = &mut self.clients.account_mut(client).counters;
            counters.refused = counters.refused.saturating_add(1);
        }
        self.work();
        reply
    }

    /// Whether the client may ask anything, and this.
    #[inline]
    fn admit(&self, client: ClientId, label: u64) -> Answer<()> {
        let permitted = match Right::of(label) {
            Right::Client => true,
            Right::Admin => self.clients.entry(client).may(Client::ADMIN),
            Right::Provider => self.clients.entry(client).may(Client::PROVIDER),
        };
        if !permitted {
            return Err(Code::NotPermitted);
        }
        if !self.clients.account(client).greeted && label != HELLO {
            return Err(Code::ServerRestarted);
        }
        Ok(())
    }

    #[inline(always)]
    fn answer(&mut self, client: ClientId, request: Request) -> Message {
        match request {
            Request::Hello(hello) => encode(self.hello(client, hello.version)),
            Request::Alloc(alloc) => encode(self.alloc(client, &alloc)),
            Request::Free(free) => encode(self.free(client, free.handle)),
            Request::Get(get) => encode(self.get(client, get.handle)),
            Request::Put(put) => encode(self.put(client, put.handle)),
            Request::Find(find) => encode(self.find(client, find.pasid)),
            Request::SetData(set) => encode(self.set_data(client, set.handle, set.data)),
            Request::AttachSpid(attach) => encode(self.attach_spid(client, attach.spid, attach.handle)),
            Request::DetachSpid(detach) => encode(self.detach_spid(client, detach.spid)),
            Request::FindSpid(find) => encode(self.find_spid(client, find.spid)),
            Request::AllocResult(_) => encode(self.alloc_result(client)),
            Request::AllocBatch(batch) => encode(self.alloc_batch(client, &batch)),
            Request::FreeBatch(batch) => encode(self.free_batch(client, batch.count)),
            Request::List(list) => encode(self.list(client, list.from)),
            Request::Bind(bind) => encode(self.bind(client, bind.handle, bind.device, Requests::Untagged)),
            Request::Unbind(unbind) => {
                encode(self.unbind(client, unbind.handle, unbind.device, Requests::Untagged))
            }
            Request::BindTagged(bind) => {
                encode(self.bind(client, bind.handle, bind.device, Requests::Tagged))
            }
            Request::UnbindTagged(unbind) => {
                encode(self.unbind(client, unbind.handle, unbind.device, Requests::Tagged))
            }
            Request::Replace(replace) => encode(self.replace(client, replace.handle, replace.device)),
            Request::Map(map) => encode(self.map(client, &map)),
            Request::Unmap(unmap) => encode(self.unmap(client, &unmap)),
            Request::MapBatch(batch) => encode(self.map_batch(client, batch.handle, batch.count)),
            Request::OwnUsage(_) => encode(self.usage(client)),
            Request::Subscribe(subscribe) => encode(self.subscribe(client, &subscribe)),
            Request::Unsubscribe(_) => encode(self.unsubscribe(client)),
            Request::Acknowledge(acknowledge) => encode(self.acknowledge(client, acknowledge.handle)),
            Request::SetUsage(set) => encode(self.set_usage(set.set)),
            Request::SetCounters(set) => encode(self.set_counters(set.set)),
            Request::Check(_) => encode(self.check()),
            Request::SetAdjust(set) => encode(self.set_adjust(&set)),
            Request::SetFree(set) => encode(self.set_free(set.set)),
            Request::SetOpen(set) => encode(self.set_open(&set)),
            Request::RegisterAllocator(register) => encode(self.register_allocator(&register)),
            Request::UnregisterAllocator(one) => encode(self.unregister_allocator(one.allocator)),
            Request::ReclaimOrphans(_) => encode(self.reclaim_orphans()),
            Request::Fetch(_) => encode(self.fetch(client)),
            Request::Answer(answer) => encode(self.provider_answer(client, &answer)),
        }
    }

    fn hello(&mut self, client: ClientId, version: u32) -> Answer<Welcome> {
        if version != VERSION {
            return Err(Code::UnsupportedVersion);
        }
        self.clients.account_mut(client).greeted = true;
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

    /// Does what has become due, and wakes whoever has something to read.
    pub(crate) fn work(&mut self) {
        self.now = self.now.wrapping_add(1);
        for _ in 0..WORK_PER_CALL {
            let Some(work) = self.registry.poll(self.now) else { break };
            self.due(work);
        }
        self.ask_providers();
        let mut wakes = self.registry.events().take_wakes();
        while wakes != 0 {
            if let Ok(client) = self.clients.of_set(u16::try_from(wakes.trailing_zeros()).unwrap_or(u16::MAX))
            {
                self.notify.notify(self.clients.entry(client).channel);
            }
            wakes &= wakes - 1;
        }
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! The server: what it is made of, and which request goes where.

use ioasid_api::{
    Code, Counters, EventWriter, Handle, Health, Message, Reply, Request, Right, Usage, VERSION, Welcome,
};
use ioasid_config::MAX_CLIENTS;
use ioasid_core::Registry;
use vtd::{Registers, TableMemory, Unit};

use crate::clients::{ClientId, Clients};
use crate::codes;
use crate::faults::Strays;
use crate::spaces::Spaces;

/// How the server wakes a client: a notification on a channel, which never waits.
pub trait Notify {
    /// Notifies whoever is behind the channel.
    fn notify(&mut self, channel: u32);
}

/// The service. Generic over how the unit's registers and tables are reached and how clients are woken, so that the
/// very same code runs in the PD and in tests.
#[derive(Debug)]
pub struct Server<'m, R, M, N> {
    pub(crate) clients: Clients,
    pub(crate) registry: Registry<'m>,
    pub(crate) unit: Unit<R, M>,
    pub(crate) spaces: Spaces,
    pub(crate) events: [Option<EventWriter<'m>>; MAX_CLIENTS],
    pub(crate) notify: N,
    pub(crate) strays: Strays,
    /// This life of the server.
    pub(crate) epoch: u16,
}

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
        let reply = match self.admit(client, label, words) {
            Ok(request) => self.answer(client, request),
            Err(code) => Message::refusal(code),
        };
        if reply.label != 0 {
            let counters = &mut self.clients.account_mut(client).counters;
            counters.refused = counters.refused.saturating_add(1);
        }
        reply
    }

    /// The request, where the client may ask it.
    fn admit(&self, client: ClientId, label: u64, words: &[u64]) -> Answer<Request> {
        let request = Request::decode(label, words)?;
        if request.right() == Right::Admin && self.clients.entry(client).admin == 0 {
            return Err(Code::NotPermitted);
        }
        if !self.clients.account(client).greeted && !matches!(request, Request::Hello(_)) {
            return Err(Code::ServerRestarted);
        }
        Ok(request)
    }

    fn answer(&mut self, client: ClientId, request: Request) -> Message {
        match request {
            Request::Hello(hello) => encode(self.hello(client, hello.version)),
            Request::Alloc(alloc) => encode(self.alloc(client, &alloc)),
            Request::Free(free) => encode(self.free(client, free.handle)),
            Request::Get(get) => encode(self.get(client, get.handle)),
            Request::Put(put) => encode(self.put(client, put.handle)),
            Request::Find(find) => encode(self.find(client, find.pasid)),
            Request::SetData(set) => encode(self.set_data(client, set.handle, set.data)),
            Request::Bind(bind) => encode(self.bind(client, bind.handle, bind.device)),
            Request::Unbind(unbind) => encode(self.unbind(client, unbind.handle, unbind.device)),
            Request::Map(map) => encode(self.map(client, &map)),
            Request::Unmap(unmap) => encode(self.unmap(client, &unmap)),
            Request::OwnUsage(_) => encode(self.usage(client)),
            Request::SetUsage(set) => {
                encode(self.clients.of_set(set.set).and_then(|client| self.usage(client)))
            }
            Request::SetCounters(set) => encode(self.counters(set.set)),
            Request::Check(_) => encode(self.check()),
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
            pasid_bits: u16::from(self.unit.capabilities().pasid_bits()),
            devices: count(self.clients.devices(client).len())?,
            regions: count(self.clients.regions(client).len())?,
        })
    }

    fn usage(&self, client: ClientId) -> Answer<Usage> {
        let stats = self.registry.stats(self.clients.account(client).set).map_err(codes::registry)?;
        Ok(Usage { reservation: stats.reservation, limit: stats.limit, used: stats.used, peak: stats.peak })
    }

    fn counters(&self, set: u16) -> Answer<Counters> {
        Ok(self.clients.account(self.clients.of_set(set)?).counters)
    }

    fn check(&self) -> Answer<Health> {
        if let Err(inconsistency) = self.registry.check() {
            log::error!("the registry is inconsistent: {inconsistency:?}");
            return Err(Code::Internal);
        }
        Ok(Health {
            quarantined: self.registry.totals().quarantined,
            stray_faults: self.strays.count(),
            free_frames: self.unit.free_frames() as u64,
        })
    }

    /// The registry's form of a handle of this life of the server.
    pub(crate) fn handle(&self, handle: Handle) -> Answer<ioasid_core::Handle> {
        if handle.epoch != self.epoch {
            return Err(Code::ServerRestarted);
        }
        Ok(ioasid_core::Handle {
            pasid: ioasid_core::Pasid::new(handle.pasid).ok_or(Code::BadField)?,
            generation: ioasid_core::Generation::from_raw(handle.generation),
        })
    }

    /// The protocol's form of a handle.
    pub(crate) fn wire(&self, handle: ioasid_core::Handle) -> Handle {
        Handle { pasid: handle.pasid.get(), generation: handle.generation.raw(), epoch: self.epoch }
    }
}

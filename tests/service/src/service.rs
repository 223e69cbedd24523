// SPDX-License-Identifier: BSD-2-Clause
//! The service while it runs.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};

use ioasid_api::{EventReader, FindReader, Message};
use ioasid_client::{Batch, Peer};
use ioasid_config::Config;
use ioasid_server::{Pages, Server};
use vtd::SourceId;
use vtd_fake::{Fake, FakeDevice, FakeRegisters, FakeTables};

use crate::Client;

/// The server, and everything that surrounds it.
#[derive(Debug)]
pub struct Service<'m> {
    pub(crate) server: RefCell<Server<'m, FakeRegisters, FakeTables>>,
    pub(crate) config: &'m Config,
    pub(crate) unit: Fake,
    pub(crate) due: &'m AtomicU64,
    /// Who was notified: a bit for each channel.
    pub(crate) notified: Cell<u64>,
    pub(crate) events: Pages<'m>,
    pub(crate) find: Pages<'m>,
    pub(crate) batch: Pages<'m>,
    pub(crate) trace: &'m [AtomicU64],
}

impl<'m> Service<'m> {
    fn place(&self, name: &str) -> usize {
        let mut clients = self.config.clients().iter();
        clients.position(|client| client.name.as_str() == name).expect("a client that was granted something")
    }

    /// What carries the messages of the client with this name.
    ///
    /// # Panics
    /// Here and below: where no client has the name.
    pub fn peer(&self, name: &str) -> Line<'_, 'm> {
        Line { service: self, channel: self.place(name) }
    }

    /// The client with this name, after its HELLO.
    ///
    /// # Panics
    /// Where it is refused.
    pub fn client(&self, name: &str) -> Client<'_, 'm> {
        Client::connect(self.peer(name)).expect("HELLO")
    }

    /// A client's batch page.
    pub fn batch<'s>(&'s self, client: Client<'s, 'm>, name: &str) -> Batch<'m, Line<'s, 'm>> {
        Batch::new(client, self.batch_page(name))
    }

    /// The same as memory.
    pub fn batch_page(&self, name: &str) -> &'m [AtomicU64] {
        self.batch[self.place(name)].expect("a page")
    }

    /// A client's events from now on.
    pub fn events(&self, name: &str) -> EventReader<'m> {
        EventReader::new(self.events[self.place(name)].expect("a page"))
    }

    /// A client's find page.
    pub fn find(&self, name: &str) -> FindReader<'m> {
        FindReader::new(self.find[self.place(name)].expect("a page"))
    }

    /// Whether the client was notified since this was last asked.
    pub fn was_notified(&self, name: &str) -> bool {
        let bit = 1 << self.place(name);
        let bits = self.notified.get();
        self.notified.set(bits & !bit);
        bits & bit != 0
    }

    /// A device, by its requester id.
    pub fn device(&self, source: u16) -> FakeDevice {
        self.unit.device(SourceId::from(source))
    }

    /// The unit.
    pub fn unit(&self) -> &Fake {
        &self.unit
    }

    /// The unit's fault interrupt arrives.
    pub fn fault_event(&self) {
        self.server.borrow_mut().fault_event();
        self.finish();
    }

    /// What the domain does when a call or an interrupt is over.
    fn finish(&self) {
        if self.due.load(Ordering::Relaxed) != 0 {
            let channels = self.server.borrow_mut().finish();
            self.notified.set(channels.fold(self.notified.get(), |bits, channel| bits | 1 << channel));
        }
    }

    /// A copy of the memory that the trace lies in.
    pub fn trace(&self) -> Vec<u64> {
        self.trace.iter().map(|word| word.load(Ordering::Relaxed)).collect()
    }

    /// Sends any message on any channel.
    pub fn send(&self, channel: usize, label: u64, words: &[u64]) -> Message {
        // What is beyond the registers is never looked at.
        let mut registers = core::array::from_fn(|place| words.get(place).copied().unwrap_or(0));
        let reply = self.server.borrow_mut().call(channel, label, words.len(), &mut registers);
        self.finish();
        Message::of(reply, &registers)
    }

    /// Physical address of a client's region `index`.
    pub fn region(&self, name: &str, index: usize) -> u64 {
        let owner = self.place(name);
        let mut regions = self.config.regions().iter().filter(|region| region.client as usize == owner);
        regions.nth(index).expect("a region").paddr
    }
}

/// A client's channel to the service. Clones are the same channel.
#[derive(Clone, Copy, Debug)]
pub struct Line<'s, 'm> {
    service: &'s Service<'m>,
    channel: usize,
}

impl Peer for Line<'_, '_> {
    fn call<T>(&self, request: &Message, read: impl FnOnce(u64, &[u64]) -> T) -> T {
        let reply = self.service.send(self.channel, request.label, request.words());
        read(reply.label, reply.words())
    }
}

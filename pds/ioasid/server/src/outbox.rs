// SPDX-License-Identifier: BSD-2-Clause
//! What goes to clients of the server's own accord: events into their rings, and that they are to be notified of them.
//! Nobody is ever waited for.

use ioasid_api::{Event, EventKind, EventWriter, FaultDirection, Handle};
use ioasid_config::{Config, MAX_CLIENTS};
use ioasid_core::capacity::SUBSCRIBERS;
use ioasid_core::event::SubscriberId;

use crate::clients::ClientId;
use crate::due::Due;
use crate::ids::handle_of;

/// The clients' rings, and who listens to what.
#[derive(Debug)]
pub struct Outbox<'m> {
    config: &'m Config,
    rings: [Option<EventWriter<'m>>; MAX_CLIENTS],
    subscribers: [Option<ClientId>; SUBSCRIBERS],
    due: Due<'m>,
    epoch: u16,
}

impl<'m> Outbox<'m> {
    /// An outbox with these rings, by place of the client, in this life of the server.
    pub fn new(
        config: &'m Config,
        rings: [Option<EventWriter<'m>>; MAX_CLIENTS],
        due: Due<'m>,
        epoch: u16,
    ) -> Self {
        Self { config, rings, subscribers: [None; SUBSCRIBERS], due, epoch }
    }

    /// Whether the client has a ring.
    pub fn has_ring(&self, client: ClientId) -> bool {
        self.rings.get(client.index()).is_some_and(Option::is_some)
    }

    /// Events for this subscriber go to that client.
    pub fn route(&mut self, subscriber: SubscriberId, client: Option<ClientId>) {
        if let Some(place) = self.subscribers.get_mut(subscriber.index()) {
            *place = client;
        }
    }

    /// Appends an event to the client's ring, and remembers to wake it.
    pub fn push(&mut self, client: ClientId, event: Event) {
        if let Some(Some(ring)) = self.rings.get_mut(client.index()) {
            ring.push(event);
            self.wake(client);
        }
    }

    /// Remembers to wake a client when the call is over.
    pub fn wake(&self, client: ClientId) {
        if let Some(client) = self.config.clients().get(client.index()) {
            self.due.notify(client.channel);
        }
    }

    /// The protocol's form of a handle.
    pub fn wire(&self, handle: ioasid_core::Handle) -> Handle {
        handle_of(handle, self.epoch)
    }
}

impl ioasid_core::event::Events for Outbox<'_> {
    fn deliver(&mut self, to: SubscriberId, event: &ioasid_core::event::Event) {
        let Some(client) = self.subscribers.get(to.index()).copied().flatten() else { return };
        use ioasid_core::event::EventKind as Core;
        let kind = match event.kind {
            Core::Alloc => EventKind::Alloc,
            Core::Free => EventKind::Free,
            Core::Bind => EventKind::Bind,
            Core::Unbind => EventKind::Unbind,
            // These go to the owner without a subscription, from where they happen.
            Core::Fault | Core::Revoke | Core::SetGone => return,
        };
        let [device, _] = event.detail;
        let event = Event {
            kind,
            handle: event.handle.map(|handle| self.wire(handle)),
            device: u16::try_from(device).unwrap_or(u16::MAX),
            reason: 0,
            direction: FaultDirection::Read,
            address: 0,
        };
        self.push(client, event);
    }
}

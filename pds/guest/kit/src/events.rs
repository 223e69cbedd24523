// SPDX-License-Identifier: BSD-2-Clause
//! A client's events, as they come.

use ioasid_microkit::{Event, EventKind, EventReader};
use sel4_microkit::Channel;

use crate::script::signal;

/// A client's events.
#[derive(Debug)]
pub struct Events {
    reader: EventReader<'static>,
    server: Channel,
}

impl Events {
    /// What `reader` reads, where the server is behind the channel `server`.
    #[must_use]
    pub fn new(reader: EventReader<'static>, server: Channel) -> Self {
        Self { reader, server }
    }

    /// The next event, if there is one already.
    pub fn pop(&mut self) -> Option<Event> {
        self.reader.pop()
    }

    /// The next event of that kind; events of other kinds before it are passed over.
    pub async fn next(&mut self, kind: EventKind) -> Event {
        loop {
            match self.reader.pop() {
                Some(event) if event.kind == kind => return event,
                Some(_) => {}
                None => signal(self.server).await,
            }
        }
    }

    /// How many were lost because the ring was overrun.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.reader.lost()
    }
}

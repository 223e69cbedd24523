// SPDX-License-Identifier: BSD-2-Clause
//! What was done, for tools outside the machine. Nothing here is ever waited for, and no client can see it.

use core::sync::atomic::AtomicU64;

use ioasid_api::Code;
use ioasid_config::Config;
use ioasid_core::SetStats;
use ioasid_trace::{Direction, Event, Name, ShareWhy, Writer};
use vtd::{Fault, Registers, TableMemory};

use crate::clients::ClientId;
use crate::due::Due;
use crate::server::Server;

/// The trace, and the time as it has it.
#[derive(Debug)]
pub struct Trace<'m> {
    writer: Writer<'m>,
    /// In calls and interrupts.
    now: u32,
    due: Due<'m>,
}

impl<'m> Trace<'m> {
    /// The trace in `memory`, with everybody's name.
    pub fn new(config: &Config, memory: &'m [AtomicU64], due: Due<'m>) -> Self {
        let sets = config.clients().iter().map(|client| Name::new(client.name.as_str()));
        let devices = config.devices().iter();
        let devices = devices.map(|device| (Name::new(device.name.as_str()), device.source, device.client));
        Self { writer: Writer::new(memory, sets, devices), now: 0, due }
    }

    /// Another call or interrupt is over.
    #[inline(always)]
    pub fn time_passes(&mut self) {
        self.now = self.now.wrapping_add(1);
    }

    /// Writes that something happened in or to a client's set, in place: 16 instructions.
    #[inline(always)]
    pub fn push(&mut self, client: ClientId, event: Event) {
        self.push_of(Some(client), event);
    }

    /// The same of any set, or of none.
    #[inline(always)]
    pub fn push_of(&mut self, client: Option<ClientId>, event: Event) {
        let due = self.due;
        self.writer.push_with(self.now, client.map(ClientId::number), event, || due.begin_round());
    }

    /// Writes that a call was refused.
    pub fn refused(&mut self, client: ClientId, operation: u64, code: Code, total: u64) {
        let due = self.due;
        self.writer.refused(self.now, client.number(), operation, code as u16, total, || due.begin_round());
    }
}

impl<R: Registers, M: TableMemory> Server<'_, R, M> {
    /// Writes that something happened in or to a client's set, where it matters less how long that takes.
    #[inline(never)]
    pub(crate) fn trace(&mut self, client: ClientId, event: Event) {
        self.trace.push(client, event);
    }

    /// Writes that something happened that is of no set.
    #[inline(never)]
    pub(crate) fn trace_of_none(&mut self, event: Event) {
        self.trace.push_of(None, event);
    }

    /// Writes what a client's set may have and has.
    pub(crate) fn trace_share(&mut self, client: ClientId, why: ShareWhy) {
        let account = self.clients.account(client);
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let (faults, refused) = (small(account.counters.faults), small(account.counters.refused));
        let nothing = SetStats { reservation: 0, limit: 0, used: 0, peak: 0 };
        let SetStats { reservation, limit, used, peak } =
            self.registry.stats(self.set(client)).unwrap_or(nothing);
        // An id that a provider has not given yet is charged already; its record comes when it is there.
        let used = used - u32::from(account.waits).min(used);
        self.trace(client, Event::Share { why, reservation, limit, used, peak, faults, refused });
    }

    /// Writes what each set may have and has: from here on, the trace says it without what came before.
    #[cold]
    pub(crate) fn trace_shares(&mut self) {
        for client in self.clients.all() {
            self.trace_share(client, ShareWhy::Stated);
        }
    }

    /// Writes that a device was stopped.
    pub(crate) fn trace_fault(&mut self, owner: Option<ClientId>, fault: &Fault) {
        let event = Event::Fault {
            device: fault.device.get(),
            reason: fault.reason.code(),
            direction: match fault.direction {
                vtd::Direction::Read => Direction::Read,
                _ => Direction::Write,
            },
            pasid: fault.pasid.filter(|&pasid| pasid != vtd::Pasid::UNTAGGED).map(vtd::Pasid::get),
            address: fault.address,
            id: owner.and_then(|_| self.bound_id(fault)).map(|handle| self.wire(handle)),
        };
        self.trace.push_of(owner, event);
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! Faults: the unit names the device, the configuration its owner, and the owner alone is told.

use ioasid_api::{Event, EventKind, FaultDirection};
use ioasid_trace::Event as Traced;
use vtd::{Direction, Fault, Registers, SourceId, TableMemory, Target};

use crate::clients::ClientId;
use crate::server::Server;

/// Fault records that are read in one turn.
const FAULTS_PER_TURN: usize = 64;
/// Turns that are taken at one time: enough to read all records that a unit can have twice. What devices still fill
/// then waits until the next call is over, as no interrupt comes while a record is full.
const TURNS: usize = 8;
/// Faults of a device after which the unit records no more of them, until the device is bound or unbound: each takes an
/// interrupt, and so the time of all. What is denied stays denied. Counted for each device in a place of its own: the list
/// of the driver's own policy is everybody's, and who binds a device would feel how many others fault.
const PATIENCE: u16 = 1024;

/// Faults of sources that nobody was granted.
#[derive(Debug, Default)]
pub struct Strays {
    count: u32,
}

impl Strays {
    /// How many there were.
    pub fn count(&self) -> u32 {
        self.count
    }

    fn note(&mut self, fault: &Fault) {
        self.count = self.count.saturating_add(1);
        // The 1st, 2nd, 4th, 8th …: a source that storms does not fill the log.
        if self.count.is_power_of_two() {
            log::warn!("a source that nobody was granted was blocked ({} so far): {fault}", self.count);
        }
    }
}

impl<R: Registers, M: TableMemory> Server<'_, R, M> {
    /// The unit's fault interrupt came: reads what it recorded and tells the owners.
    pub fn fault_event(&mut self) {
        self.faults_left = (0..TURNS).all(|_| self.serve_faults());
        if self.faults_left {
            self.due.look();
        }
        self.trace.time_passes();
    }

    /// A turn. Says whether there is more.
    fn serve_faults(&mut self) -> bool {
        let mut faults = heapless::Vec::<Fault, FAULTS_PER_TURN>::new();
        let Some(unit) = &mut self.unit else { return false };
        faults.extend(unit.faults().take(FAULTS_PER_TURN));
        for fault in &faults {
            let owner = self.clients.owner_of(fault.device.get());
            self.trace_fault(owner.map(|(client, _)| client), fault);
            match owner {
                Some((client, device)) => self.tell(client, device, fault),
                None => self.strays.note(fault),
            }
        }
        let Some(unit) = &mut self.unit else { return false };
        let event = unit.service_fault_event();
        if event.overflow {
            self.trace_of_none(Traced::FaultsLost);
            log::warn!("the unit had more faults than records");
        }
        if event.queue_error {
            log::error!("the unit's invalidation queue had stopped on an error, and was restarted");
        }
        event.more
    }

    fn tell(&mut self, client: ClientId, device: u16, fault: &Fault) {
        let counters = &mut self.clients.account_mut(client).counters;
        counters.faults = counters.faults.saturating_add(1);
        let event = Event {
            kind: EventKind::Fault,
            handle: self.bound_id(fault).map(|handle| self.wire(handle)),
            device,
            reason: u16::from(fault.reason.code()),
            direction: match fault.direction {
                Direction::Read => FaultDirection::Read,
                Direction::Write | Direction::PageRequest | Direction::Atomic => FaultDirection::Write,
            },
            address: fault.address,
        };
        self.registry.events().push(client, event);
        if let Some(count) = self.clients.faults_mut(client, device) {
            *count = count.saturating_add(1);
            if *count >= PATIENCE {
                self.hear(fault.device, false);
            }
        }
    }

    /// The owner of a device has bound or unbound it: its faults are heard, whatever it did before.
    #[inline(always)]
    pub(crate) fn forgive(&mut self, client: ClientId, index: u16, device: SourceId) {
        let count = self.clients.faults_mut(client, index).map_or(0, core::mem::take);
        if count >= PATIENCE {
            self.hear(device, true);
        }
    }

    /// Has the unit record the faults of a device, or not.
    #[cold]
    #[inline(never)]
    fn hear(&mut self, device: SourceId, whether: bool) {
        let what =
            if whether { "are heard again" } else { "were too many: no more, until it is bound or unbound" };
        let done = self.unit.as_mut().map(|unit| unit.set_quiet(device, !whether));
        match done {
            Some(Err(error)) => log::error!("faults of {device} {what}; {error}"),
            _ => log::warn!("faults of {device} {what}"),
        }
    }

    /// The id that the faulting device runs under, where it still does.
    pub(crate) fn bound_id(&self, fault: &Fault) -> Option<ioasid_core::Handle> {
        let entry = fault.pasid.unwrap_or(vtd::Pasid::UNTAGGED);
        let domain = match self.unit.as_ref()?.binding(SourceId::from(fault.device.get()), entry)? {
            Target::Domain(domain) => domain,
            Target::Nested { parent, .. } => parent,
        };
        Some(self.registry.inspect(self.spaces.id_of(domain)?)?.handle)
    }
}

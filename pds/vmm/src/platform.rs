// SPDX-License-Identifier: BSD-2-Clause
//! What a machine needs, out of what a protection domain has.

use ioasid_microkit::{Client, Code, Error, Event, EventKind, EventReader, Handle, Result};
use microkit_vcpu::Vcpu;
use sel4_microkit::Channel;
use vmm_machine::{Cpu, Entry, Left, Refused, Registers, Service};

/// The domain's own thread, which is the guest while it runs.
#[derive(Debug)]
pub struct Thread(Vcpu);

impl Thread {
    pub(crate) fn new(vcpu: Vcpu) -> Self {
        // Where that is refused the first entry fails, and says so.
        let _ = vcpu.enter_32_bit();
        Self(vcpu)
    }
}

impl Cpu for Thread {
    fn enter(&mut self, entry: &mut Entry) -> Left {
        microkit_vcpu::enter(entry)
    }

    fn wait(&mut self) {
        // Whatever channel it was: the machine looks at all that could have happened.
        let _ = microkit_vcpu::wait();
    }

    fn read_vmcs(&mut self, field: u64) -> core::result::Result<u64, Refused> {
        self.0.read_vmcs(field)
    }

    fn write_vmcs(&mut self, field: u64, value: u64) -> core::result::Result<(), Refused> {
        self.0.write_vmcs(field, value).map(drop)
    }

    fn write_registers(&mut self, registers: &Registers) -> core::result::Result<(), Refused> {
        self.0.write_registers(registers)
    }
}

/// The service behind a channel. It is greeted when it is first needed, and again when it has forgotten this domain:
/// because it was restarted, or because the domain's set was ended and opened anew.
#[derive(Debug)]
pub struct Connection {
    channel: Channel,
    client: Option<Client>,
    events: EventReader<'static>,
}

/// The most that the outcome of an allocation is asked for, where a provider PD allocates. A provider that is to serve
/// machines runs at a priority above their monitors', and so has answered when it is asked for the first time.
const PATIENCE: usize = 64;

impl Connection {
    pub(crate) fn new(channel: Channel, events: EventReader<'static>) -> Self {
        Self { channel, client: None, events }
    }

    fn client(&mut self) -> Result<Client> {
        match self.client {
            Some(client) => Ok(client),
            None => Ok(*self.client.insert(ioasid_microkit::connect(self.channel)?)),
        }
    }

    fn try_alloc(&mut self) -> Result<Handle> {
        let client = self.client()?;
        let highest = (1 << client.welcome().pasid_bits.min(20)) - 1;
        let [pending, busy] = [Code::Pending, Code::ProviderBusy].map(|code| Err(Error::Refused(code)));
        match client.alloc(1..=highest, 0) {
            // Busy: with what this asked for before, and had no patience for.
            first if first == pending || first == busy => (0..PATIENCE)
                .map(|_| client.alloc_result())
                .find(|answer| *answer != pending)
                .unwrap_or(pending),
            first => first,
        }
    }
}

impl Service for Connection {
    fn alloc(&mut self) -> Option<Handle> {
        match self.try_alloc() {
            Err(Error::Refused(Code::ServerRestarted)) => {
                self.client = None;
                self.try_alloc().ok()
            }
            first => first.ok(),
        }
    }

    fn free(&mut self, handle: Handle) {
        // From here on the id is the service's: where its teardown is not confirmed it stays out of use there.
        if let Err(error) = self.client().and_then(|client| client.free(handle)) {
            log::warn!("PASID {:#x}: {error}", handle.pasid);
        }
    }

    fn event(&mut self) -> Option<Event> {
        let event = self.events.pop();
        if event.is_some_and(|event| event.kind == EventKind::SetGone) {
            self.client = None;
        }
        event
    }
}

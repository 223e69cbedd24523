// SPDX-License-Identifier: BSD-2-Clause
//! What stays when the service is restarted: the unit, the bus, and all memory.

use std::cell::{Cell, RefCell};
use std::sync::atomic::AtomicU64;

use ioasid_config::{Client, Config, Device, MAX_CLIENTS, Name, Region, Unit, Window};
use ioasid_core::Memory;
use ioasid_core::allocator::channel::ChannelProvider;
use ioasid_server::{Pages, Parts, Server, Spaces, StartError};
use vtd_fake::{Behaviour, Fake, Personality};
use zerocopy::FromZeros;

use crate::service::Service;
use crate::{Bus, Grant};

/// Frames of the unit's tables, from physical address 0.
const TABLE_FRAMES: usize = 512;
/// Physical address of the unit's registers, as the configuration says.
pub const UNIT: u64 = 0xfed9_0000;
/// Where the regions begin.
const REGIONS: u64 = 0x20_0000;
/// Numbers that the registry tracks.
const NUMBERS: usize = 4096;
/// Words of the trace.
const TRACE_WORDS: usize = 4096;
/// Words of a page.
const PAGE_WORDS: usize = 512;

/// The three pages of a client.
#[derive(Debug)]
struct Shared {
    events: Vec<AtomicU64>,
    find: Vec<AtomicU64>,
    batch: Vec<AtomicU64>,
}

impl Shared {
    fn new() -> Self {
        Self { events: zeroes(PAGE_WORDS), find: zeroes(PAGE_WORDS), batch: zeroes(PAGE_WORDS) }
    }
}

fn zeroes(words: usize) -> Vec<AtomicU64> {
    (0..words).map(|_| AtomicU64::new(0)).collect()
}

/// A machine that is composed and not running yet.
#[derive(Debug)]
pub struct Machine {
    config: Config,
    unit: Fake,
    bus: Bus,
    firmware: Vec<u8>,
    registry: Vec<u64>,
    spaces: Spaces,
    shared: Vec<Option<Shared>>,
    providers: Vec<ChannelProvider>,
    trace: Vec<AtomicU64>,
    due: AtomicU64,
    /// Lives of the server that have begun.
    lives: u16,
}

fn width<T: TryFrom<usize>>(value: usize) -> T {
    T::try_from(value).ok().expect("a small number")
}

impl Machine {
    /// A machine with a client for each grant, on channels 0, 1, 2…, and the devices and regions that they name. The
    /// unit caches whatever it may, and does not snoop.
    #[must_use]
    pub fn new(grants: &[Grant]) -> Self {
        Self::with(grants, Personality::default(), Behaviour::default())
    }

    /// The same with another unit.
    ///
    /// # Panics
    /// Where there are more clients, devices or regions than a configuration holds.
    #[must_use]
    pub fn with(grants: &[Grant], personality: Personality, behaviour: Behaviour) -> Self {
        let window = Window { vaddr: 1, paddr: UNIT, size: 1 };
        let mut config = Config::new(Unit { registers: window, ..Unit::new_zeroed() });
        let mut place = REGIONS;
        for (index, grant) in grants.iter().enumerate() {
            config
                .push_client(Client {
                    name: Name::new(grant.name),
                    channel: width(index),
                    reservation: grant.reservation,
                    limit: grant.limit,
                    rights: grant.rights,
                    table_frames: grant.table_frames,
                    spaces: grant.spaces,
                    ..Client::new_zeroed()
                })
                .expect("few clients");
            for &(source, _) in &grant.devices {
                let device = Device { source, client: width(index), ..Device::new_zeroed() };
                config.push_device(device).expect("few devices");
            }
            for &(access, size) in &grant.regions {
                let client = width(index);
                let region = Region { paddr: place, size, client, access, ..Region::new_zeroed() };
                config.push_region(region).expect("few regions");
                place += size;
            }
        }
        let words = usize::try_from(place / 8).expect("a small machine");
        let devices = || grants.iter().flat_map(|grant| grant.devices.iter().copied());
        let mut bus = Bus::new(devices().map(|(source, _)| source));
        devices().filter(|&(_, bits)| bits > 0).for_each(|(source, bits)| bus.send_pasids(source, bits));
        Self {
            config: config.seal(),
            unit: Fake::new(personality, behaviour, words, 1),
            bus,
            firmware: Vec::new(),
            registry: vec![0; Memory::words_for(NUMBERS)],
            spaces: Spaces::new(),
            shared: grants.iter().map(|grant| grant.pages.then(Shared::new)).collect(),
            providers: Vec::new(),
            trace: zeroes(TRACE_WORDS),
            due: AtomicU64::new(0),
            lives: 0,
        }
    }

    /// The same without a unit: ids alone are served. No grant may name a device.
    #[must_use]
    pub fn without_unit(grants: &[Grant]) -> Self {
        let mut machine = Self::new(grants);
        machine.config.unit = Unit::new_zeroed();
        machine.config = machine.config.seal();
        machine
    }

    /// Starts the service: a new life, in whatever an earlier one left.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start(&mut self) -> Service<'_> {
        self.try_start().expect("the service starts")
    }

    /// The same where it may fail.
    ///
    /// # Errors
    /// The server's.
    pub fn try_start(&mut self) -> Result<Service<'_>, StartError> {
        self.lives += 1;
        let providers = self.config.clients().iter().filter(|client| client.may(Client::PROVIDER));
        self.providers = providers.map(|_| ChannelProvider::new()).collect();
        let pages = |page: fn(&Shared) -> &Vec<AtomicU64>| -> Pages<'_> {
            let mut pages = [None; MAX_CLIENTS];
            for (place, shared) in pages.iter_mut().zip(&self.shared) {
                *place = shared.as_ref().map(|shared| page(shared).as_slice());
            }
            pages
        };
        let (events, find, batch) = (pages(|s| &s.events), pages(|s| &s.find), pages(|s| &s.batch));
        let server = Server::start(Parts {
            config: &self.config,
            registers: self.unit.registers(),
            tables: self.unit.tables(0, TABLE_FRAMES),
            pci: &mut self.bus,
            firmware: &self.firmware,
            memory: Memory { words: &mut self.registry },
            spaces: &mut self.spaces,
            events,
            find,
            batch,
            trace: &self.trace,
            providers: &mut self.providers,
            epoch: self.lives,
            due: &self.due,
        })?;
        let (config, unit, trace) = (&self.config, self.unit.clone(), self.trace.as_slice());
        let (due, notified) = (&self.due, Cell::new(0));
        Ok(Service { server: RefCell::new(server), config, unit, due, notified, events, find, batch, trace })
    }

    /// Lets the server read these tables of firmware's. The unit is at [`UNIT`].
    pub fn set_firmware(&mut self, tables: &[u8]) {
        self.firmware = tables.to_vec();
    }

    /// Puts a function on the bus that nobody is granted, as firmware left it: sending requests.
    pub fn add_function(&mut self, source: u16) {
        self.bus.add(source);
    }

    /// The PCI bus.
    #[must_use]
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// The unit.
    #[must_use]
    pub fn unit(&self) -> &Fake {
        &self.unit
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! How the server starts: from whatever firmware left to default deny, then what was granted, then the service.

use core::sync::atomic::AtomicU64;

use dmar::Dmar;
use ioasid_api::{EventWriter, FindWriter};
use ioasid_config::{Config, MAX_CLIENTS};
use ioasid_core::allocator::channel::ChannelProvider;
use ioasid_core::{Memory, Pasid, Registry, SetConfig};
use pci::{Address, ConfigSpace, Function, Msi};
use thiserror::Error;
use vtd::{Quirks, Registers, SourceId, TableMemory, Unit};

use crate::clients::Clients;
use crate::due::Due;
use crate::faults::Strays;
use crate::firmware;
use crate::outbox::Outbox;
use crate::server::Server;
use crate::space_table::{MAX_DOMAINS, Spaces};
use crate::trace::Trace;

/// Where interrupt messages go: the local APIC of CPU 0.
const MSI_ADDRESS: u32 = 0xfee0_0000;
const _: () = assert!(MAX_CLIENTS <= vtd::SHARES, "a share of the tables' memory for each");
/// Interrupt vectors below this are the CPU's own; `system.xml` counts from here.
const FIRST_VECTOR: u32 = 0x30;

/// Memory that is shared with one client each, by place of the client in the configuration.
pub type Pages<'m> = [Option<&'m [AtomicU64]>; MAX_CLIENTS];

/// What the server works with.
#[derive(Debug)]
pub struct Parts<'m, R, M, C> {
    /// Who gets what.
    pub config: &'m Config,
    /// The unit's registers.
    pub registers: R,
    /// Memory for the unit's tables.
    pub tables: M,
    /// PCI configuration space.
    pub pci: C,
    /// Firmware's tables; empty: the configuration is believed.
    pub firmware: &'m [u8],
    /// Memory for the registry.
    pub memory: Memory<'m>,
    /// Memory for the table of address spaces, with whatever an earlier life left.
    pub spaces: &'m mut Spaces,
    /// The clients' event rings, by place in the configuration.
    pub events: Pages<'m>,
    /// Their find pages.
    pub find: Pages<'m>,
    /// Their batch pages.
    pub batch: Pages<'m>,
    /// Where it is written what the server does; it may be empty.
    pub trace: &'m [AtomicU64],
    /// Providers in other protection domains, as many as there are clients with that right.
    pub providers: &'m mut [ChannelProvider],
    /// Which life of the server this is: the next number after that of the last.
    pub epoch: u16,
    /// What is due when a call is over; see [`Server::finish`].
    pub due: &'m AtomicU64,
}

/// Why the server does not start. Bus mastering is off then for every function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StartError {
    /// The unit cannot be used.
    #[error("the VT-d unit: {0}")]
    Unit(#[from] vtd::Error),
    /// The registry cannot be set up as configured.
    #[error("the registry: {0}")]
    Registry(#[from] ioasid_core::Error),
    /// Firmware's tables are to be read, and there is no DMAR table among them.
    #[error("no DMAR table is in the region that ioasid.toml names as `firmware`: is there a VT-d unit?")]
    NoDmar,
    /// The DMAR table cannot be believed.
    #[error("the DMAR table: {0}")]
    Dmar(#[from] dmar::Error),
    /// The DMAR table names no unit at the place of the registers.
    #[error("the DMAR table names no unit at {0:#x}: correct the phys_addr of its registers in system.xml")]
    NoSuchUnit(u64),
    /// A granted device is behind another unit.
    #[error("device {0} is not behind this unit, says the DMAR table: take it out of ioasid.toml")]
    OtherUnit(Address),
    /// A granted device is one of firmware's.
    #[error("device {0} has memory that firmware reserved for it (RMRR), and cannot be granted")]
    Reserved(Address),
    /// A granted device cannot be set up.
    #[error("device {0}: {1}")]
    Device(Address, pci::Error),
    /// The unit tells fewer address spaces apart than are granted.
    #[error(
        "{granted} address spaces are granted, and the unit has {there} domain ids: lower `spaces` in ioasid.toml"
    )]
    Spaces {
        /// How many the clients have together.
        granted: usize,
        /// How many there can be.
        there: usize,
    },
    /// The configuration is not one that the compiler of `ioasid.toml` makes.
    #[error("the configuration does not list each client's devices and regions together")]
    Config,
}

impl<'m, R: Registers, M: TableMemory> Server<'m, R, M> {
    /// Starts the service. Nobody may send DMA before this; afterwards each device may send what its client has
    /// bound and mapped, which is nothing yet. Where the configuration names no unit there are no devices either, and
    /// ids alone are served.
    ///
    /// # Errors
    /// [`StartError`]; no device masters the bus then.
    pub fn start<C: ConfigSpace>(parts: Parts<'m, R, M, C>) -> Result<Self, StartError> {
        let Parts { config, registers, tables, mut pci, memory, .. } = parts;
        let dmar = firmware::read(config, parts.firmware, &pci);
        silence(&mut pci, dmar.as_ref().ok().and_then(Option::as_ref));
        let dmar = dmar?;

        let declared_bits = u8::try_from(config.unit.pasid_bits).ok().filter(|&bits| bits > 0);
        let mut unit = None;
        if config.unit.is_there() {
            let allow = |unit: &mut Unit<R, M>| match &dmar {
                Some(dmar) => firmware::allow_reserved(dmar, &pci, unit),
                None => Ok(()),
            };
            unit = Some(start_unit(config, registers, tables, declared_bits, allow)?);
        } else {
            log::info!("no VT-d unit: ids alone are served");
        }
        let pasid_bits = match &unit {
            Some(unit) => unit.capabilities().pasid_bits(),
            None => declared_bits.unwrap_or(20),
        };

        let max_pasid = Pasid::new((1 << pasid_bits.min(20)) - 1).unwrap_or(Pasid::MAX);
        let limits = ioasid_core::Config { max_pasid, ..ioasid_core::Config::default() };
        let epoch = parts.epoch;
        let rings = parts.events.map(|memory| memory.map(EventWriter::new));
        let due = Due::new(parts.due, !parts.providers.is_empty());
        let outbox = Outbox::new(config, rings, due, epoch);
        let mut registry = Registry::with(memory, limits, parts.providers, outbox)?;
        let last = registry.max_pasid().get();
        let mut clients = Clients::new(config, last);
        clients.set_up(|client| {
            let share = SetConfig { reservation: client.reservation, limit: client.limit };
            Ok(registry.create_set(share)?)
        })?;
        for (client, (find, batch)) in clients.all().zip(parts.find.into_iter().zip(parts.batch)) {
            let account = clients.account_mut(client);
            (account.find, account.batch) = (find.map_or(FindWriter::nowhere(), FindWriter::new), batch);
        }

        for (place, device) in config.devices().iter().enumerate() {
            let address = Address::from_requester_id(device.source);
            let failed = |error| StartError::Device(address, error);
            let Some(unit) = &mut unit else { return Err(StartError::Config) };
            let mut function = Function::find(&mut pci, address).map_err(failed)?;
            let bits = function.enable_pasids().unwrap_or(0).min(pasid_bits);
            unit.attach(SourceId::from(device.source), vtd::Device { pasid_bits: bits, ats: false })?;
            clients.set_pasid_bits(place, bits);
            set_up(&mut function, device).map_err(failed)?;
            let name = device.name.as_str();
            match bits {
                0 => log::info!("{name} ({address}) is behind its own PASID table"),
                bits => log::info!(
                    "{name} ({address}) is behind its own PASID table: it sends PASIDs of {bits} bits"
                ),
            }
        }
        if let Some(unit) = &unit {
            // Nobody's spaces run out because others have theirs.
            let granted = clients.all().map(|client| clients.entry(client).spaces as usize).sum();
            let there = unit.free_domains();
            if granted > there {
                return Err(StartError::Spaces { granted, there });
            }
        }
        // Last: what was taken before this has no fixed place.
        for client in clients.all() {
            let frames = usize::try_from(clients.entry(client).table_frames).unwrap_or(usize::MAX);
            if let Some(unit) = unit.as_mut().filter(|_| frames > 0) {
                clients.account_mut(client).tables = Some(unit.create_share(frames)?);
            }
        }
        // Nothing fails any more.
        for address in config.devices().iter().map(|device| Address::from_requester_id(device.source)) {
            if let Ok(mut function) = Function::find(&mut pci, address) {
                function.set_bus_master(true);
            }
        }
        parts.spaces.share_out(config.clients().iter().map(|client| client.spaces));
        let capacity = registry.totals().capacity;
        log::info!("{} clients share {capacity} PASIDs", config.clients().len());
        let mut trace = Trace::new(config, parts.trace, due);
        trace.push_of(None, ioasid_trace::Event::Started { epoch, unit: unit.is_some() });
        let mut server = Self {
            clients,
            registry,
            unit,
            spaces: parts.spaces,
            strays: Strays::default(),
            faults_left: false,
            trace,
            due,
            epoch,
            orphans_from: Pasid::RESERVED,
        };
        server.trace_shares();
        Ok(server)
    }
}

/// Switches translation on, with nothing allowed but what `allow` does.
fn start_unit<R: Registers, M: TableMemory>(
    config: &Config,
    registers: R,
    tables: M,
    pasid_bits: Option<u8>,
    allow: impl FnOnce(&mut Unit<R, M>) -> Result<(), StartError>,
) -> Result<Unit<R, M>, StartError> {
    let quirks = Quirks { pasid_bits, ..Quirks::default() };
    let settings = vtd::Config { quirks, domains: MAX_DOMAINS, ..vtd::Config::default() };
    let mut unit = Unit::probe(registers, tables, settings)?;
    allow(&mut unit)?;
    unit.enable()?;
    let data = FIRST_VECTOR + config.unit.fault_vector;
    unit.route_fault_event(vtd::Msi { address: MSI_ADDRESS, data })?;
    let (pasid_bits, iova_bits) = (unit.capabilities().pasid_bits(), unit.iova_bits());
    log::info!("VT-d is on, default deny: PASIDs of {pasid_bits} bits, addresses of {iova_bits} bits");
    Ok(unit)
}

/// Takes bus mastering from every function: nothing that firmware left running goes on past this, but what it has
/// memory reserved for.
fn silence<C: ConfigSpace>(pci: &mut C, dmar: Option<&Dmar<'_>>) {
    let ids = 0..=u16::MAX;
    for address in ids.map(Address::from_requester_id) {
        if address.requester_id() >> 8 >= pci.buses() {
            break;
        }
        if firmware::is_reserved(dmar, pci, address) {
            continue;
        }
        if let Ok(mut function) = Function::find(pci, address) {
            function.set_bus_master(false);
        }
    }
}

/// Sets a granted device up, except that it does not master the bus yet.
fn set_up<C: ConfigSpace>(
    function: &mut Function<'_, C>,
    device: &ioasid_config::Device,
) -> Result<(), pci::Error> {
    for (bar, &place) in (0..).zip(&device.bars).filter(|(_, place)| **place != 0) {
        function.place_bar(bar, place)?;
    }
    if let Some(vector) = device.msi_vector_plus_one.checked_sub(1) {
        // Vectors in system.xml are below 108.
        let data = u16::try_from(FIRST_VECTOR + vector).unwrap_or(0);
        function.enable_msi(Msi { address: MSI_ADDRESS, data })?;
    }
    Ok(())
}

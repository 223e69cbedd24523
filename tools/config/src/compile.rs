// SPDX-License-Identifier: BSD-2-Clause
//! `ioasid.toml` against `system.xml`: every name found, every grant held against who maps what.

use std::collections::BTreeMap;
use std::ops::Range;

use ioasid_config::{Config, MAX_BARS, Name, Window};
use sdf::{IrqKind, Map, MemoryRegion, PciAddress, PdIndex, ProtectionDomain, System};
use toml::Spanned;
use zerocopy::FromZeros;

use crate::schema::{Client, Device, Grant, Schema};
use crate::{Problem, Problems};

/// What a page that the server shares with a client is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PageKind {
    Events,
    Find,
    Batch,
}

/// Compiles `text`, the contents of the file `name`, against `system`.
///
/// # Errors
/// Everything that is wrong with the file, in the order of its lines.
pub fn compile(system: &System, name: &str, text: &str) -> Result<Config, Problems> {
    let schema = Schema::parse(name, text)?;
    let mut compiler = Compiler { system, schema: &schema, problems: Vec::new() };
    let config = compiler.compile();
    match config {
        Some(config) if compiler.problems.is_empty() => Ok(config.seal()),
        _ => Err(Problems::new(name, text, compiler.problems)),
    }
}

struct Compiler<'a> {
    system: &'a System,
    schema: &'a Schema,
    problems: Vec<Problem>,
}

impl<'a> Compiler<'a> {
    /// Notes a problem; gives `None`, so that a function may end with it.
    fn wrong<T>(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<T> {
        self.problems.push(Problem { span, message: message.into(), help: help.into() });
        None
    }

    fn compile(&mut self) -> Option<Config> {
        let schema = self.schema;
        let server = self.domain(&schema.pd)?;
        let config = self.mapped(&schema.config, server)?;
        if config.size < size_of::<Config>() as u64 {
            let need = size_of::<Config>();
            self.wrong::<()>(
                schema.config.span(),
                format!("the region has {:#x} bytes, the configuration {need:#x}", config.size),
                format!("give it size=\"{:#x}\" in system.xml", need.next_multiple_of(0x1000)),
            );
        }
        let unit = self.unit(server);
        let addresses = self.devices();
        let mut config = Config::new(unit.unwrap_or_else(FromZeros::new_zeroed));
        let mut owners = BTreeMap::new();
        for client in &schema.clients {
            self.client(&mut config, server, client, &addresses, &mut owners);
        }
        self.reservations(&config);
        self.shares(&mut config);
        for device in
            schema.devices.iter().filter(|device| !owners.contains_key(device.name.as_ref().as_str()))
        {
            self.wrong::<()>(
                device.name.span(),
                format!("no client is granted the device \"{}\"", device.name.as_ref()),
                "name it in a client's `devices`, or delete it here: what nobody is granted stays cut off anyway",
            );
        }
        Some(config)
    }

    fn domain(&mut self, name: &Spanned<String>) -> Option<PdIndex> {
        match self.system.protection_domain(name.as_ref()) {
            Some((index, _)) => Some(index),
            None => {
                let known: Vec<_> =
                    self.system.protection_domains.iter().map(|pd| pd.name.value.as_str()).collect();
                self.wrong(
                    name.span(),
                    format!("system.xml has no protection domain \"{}\"", name.as_ref()),
                    format!("it has {}", known.join(", ")),
                )
            }
        }
    }

    fn pd(&self, index: PdIndex) -> &'a ProtectionDomain {
        &self.system.protection_domains[index]
    }

    fn region(&mut self, name: &Spanned<String>) -> Option<(usize, &'a MemoryRegion)> {
        let found = self.system.memory_region(name.as_ref());
        found.or_else(|| {
            self.wrong(
                name.span(),
                format!("system.xml has no memory region \"{}\"", name.as_ref()),
                "add a <memory_region> of that name, or correct the name",
            )
        })
    }

    fn map_of(&self, region: usize, pd: PdIndex) -> Option<&'a Map> {
        self.pd(pd).maps.iter().find(|map| *map.region == region)
    }

    /// Where `pd` maps the region, and where it lies.
    fn mapped(&mut self, name: &Spanned<String>, pd: PdIndex) -> Option<Window> {
        let (index, region) = self.region(name)?;
        let domain = &self.pd(pd).name.value;
        let Some(map) = self.map_of(index, pd) else {
            return self.wrong(
                name.span(),
                format!("{domain} does not map the region \"{}\"", name.as_ref()),
                format!("add <map mr=\"{}\" … /> to {domain} in system.xml", name.as_ref()),
            );
        };
        let paddr = region.phys_addr.as_ref().map_or(0, |address| address.value);
        Some(Window { vaddr: *map.vaddr, paddr, size: region.size.as_ref().map_or(0, |size| size.value) })
    }

    /// As [`Self::mapped`], for a region whose physical address must be known and that nobody else may map.
    fn exclusive(&mut self, name: &Spanned<String>, pd: PdIndex) -> Option<Window> {
        let window = self.mapped(name, pd)?;
        if window.paddr == 0 {
            self.wrong::<()>(
                name.span(),
                format!("the region \"{}\" has no fixed place in physical memory", name.as_ref()),
                "give it a phys_addr in system.xml: the unit is told physical addresses",
            );
        }
        self.nobody_else(name, pd);
        Some(window)
    }

    /// That no protection domain but `pd` maps the region.
    fn nobody_else(&mut self, name: &Spanned<String>, pd: PdIndex) {
        let Some((index, _)) = self.system.memory_region(name.as_ref()) else { return };
        let mut others = (0..self.system.protection_domains.len()).filter(|&other| other != pd);
        if let Some(other) = others.find(|&other| self.map_of(index, other).is_some()) {
            let (owner, other) = (&self.pd(pd).name.value, &self.pd(other).name.value);
            self.wrong::<()>(
                name.span(),
                format!("{other} maps \"{}\", which must be {owner}'s alone", name.as_ref()),
                format!("take the <map> out of {other} in system.xml"),
            );
        }
    }

    fn unit(&mut self, server: PdIndex) -> Option<ioasid_config::Unit> {
        let unit = &self.schema.unit;
        let registers = self.exclusive(&unit.registers, server);
        let tables = self.exclusive(&unit.tables, server);
        let ecam = self.exclusive(&unit.ecam, server);
        let registry = self.mapped(&unit.registry, server);
        self.nobody_else(&unit.registry, server);
        let id = *unit.fault_irq.as_ref();
        let irq = self.pd(server).irqs.iter().find(|irq| *irq.id == id);
        let vector = match irq.map(|irq| &irq.kind) {
            Some(IrqKind::Msi { vector, .. }) => u32::try_from(vector.value).ok(),
            _ => self.wrong(
                unit.fault_irq.span(),
                format!("{} has no message-signalled <irq> with id {id}", self.schema.pd.as_ref()),
                format!(
                    "add <irq id=\"{id}\" pcidev=\"0:0.0\" handle=\"0\" vector=\"…\" /> to it in system.xml"
                ),
            ),
        };
        let pasid_bits = unit.pasid_bits.as_ref().map_or(0, |bits| *bits.as_ref());
        if let Some(bits) = unit.pasid_bits.as_ref().filter(|bits| !(1..=20).contains(bits.as_ref())) {
            self.wrong::<()>(
                bits.span(),
                format!("a PASID cannot have {} bits", bits.as_ref()),
                "write a number from 1 to 20, or leave the line out to believe the unit",
            );
        }
        Some(ioasid_config::Unit {
            registers: registers?,
            tables: tables?,
            registry: registry?,
            ecam: ecam?,
            fault_channel: u32::try_from(id).ok()?,
            fault_vector: vector?,
            pasid_bits,
            reserved: 0,
        })
    }

    /// The devices' addresses, by name.
    fn devices(&mut self) -> BTreeMap<&'a str, PciAddress> {
        let mut addresses = BTreeMap::new();
        for device in &self.schema.devices {
            let text = device.address.as_ref();
            let Some(address) = pci_address(text) else {
                self.wrong::<()>(
                    device.address.span(),
                    format!("\"{text}\" is not the address of a PCI function"),
                    "write bus:device.function in hexadecimal, as in \"00:03.0\"",
                );
                continue;
            };
            if addresses.values().any(|&other| other == address) {
                self.wrong::<()>(
                    device.address.span(),
                    format!("{text} is another device's address already"),
                    "give each function one [[device]] only",
                );
            }
            if addresses.insert(device.name.as_ref().as_str(), address).is_some() {
                self.wrong::<()>(
                    device.name.span(),
                    format!("\"{}\" is another device's name already", device.name.as_ref()),
                    "give each device its own name",
                );
            }
        }
        addresses
    }

    fn client(
        &mut self,
        config: &mut Config,
        server: PdIndex,
        client: &'a Client,
        addresses: &BTreeMap<&'a str, PciAddress>,
        owners: &mut BTreeMap<&'a str, &'a str>,
    ) -> Option<()> {
        let name = client.pd.as_ref();
        let pd = self.domain(&client.pd)?;
        let channel = self.channel(server, pd, client)?;
        if config.clients().iter().any(|other| other.channel == channel) {
            return self.wrong(
                client.pd.span(),
                format!("{name} is a client already"),
                "put everything it gets into one [[client]]",
            );
        }
        let reservation = client.reservation.as_ref().map_or(0, |value| *value.as_ref());
        let limit = client.limit.as_ref().map_or(reservation, |value| *value.as_ref());
        if reservation > limit {
            let span = client.reservation.as_ref().map_or(0..0, Spanned::span);
            self.wrong::<()>(
                span,
                format!("{name} has {reservation} ids reserved and may have {limit}"),
                "raise its limit or lower its reservation",
            );
        }
        let mut page = |name: &Option<Spanned<String>>, kind| {
            let window = name.as_ref().and_then(|name| self.page(name, server, pd, kind));
            window.unwrap_or_else(FromZeros::new_zeroed)
        };
        let events = page(&client.events, PageKind::Events);
        let find = page(&client.find, PageKind::Find);
        let batch = page(&client.batch, PageKind::Batch);
        let place = config.push_client(ioasid_config::Client {
            name: Name::new(name),
            events,
            find,
            batch,
            channel,
            reservation,
            limit,
            rights: if client.admin { ioasid_config::Client::ADMIN } else { 0 }
                | if client.provider { ioasid_config::Client::PROVIDER } else { 0 },
            table_frames: client.table_frames.as_ref().map_or(0, |frames| *frames.as_ref()),
            spaces: client.spaces.as_ref().map_or(0, |spaces| *spaces.as_ref()),
        });
        let Some(place) = place else {
            return self.wrong(
                client.pd.span(),
                format!("there are more than {} clients", ioasid_config::MAX_CLIENTS),
                "the server is built for so many: raise MAX_CLIENTS in ioasid-config",
            );
        };
        for granted in &client.devices {
            self.device(config, place, pd, granted, addresses, owners, name);
        }
        for grant in &client.memory {
            self.memory(config, place, pd, grant);
        }
        Some(())
    }

    /// The server's id of the channel to `client`, over which that client calls.
    fn channel(&mut self, server: PdIndex, client: PdIndex, entry: &Client) -> Option<u32> {
        let ends = self.system.channels.iter().flat_map(|channel| channel.directions());
        let calls: Vec<_> =
            ends.filter(|(own, other)| *own.pd == server && *other.pd == client && *other.pp).collect();
        let (name, server) = (entry.pd.as_ref(), &self.pd(server).name.value);
        match calls[..] {
            [(own, _)] => u32::try_from(own.id.value).ok(),
            [] => self.wrong(
                entry.pd.span(),
                format!("{name} has no channel on which it may call {server}"),
                format!("add a <channel> between them with pp=\"true\" at {name}'s end"),
            ),
            _ => self.wrong(
                entry.pd.span(),
                format!("{name} has several channels on which it may call {server}"),
                "leave one: what a client may do follows from its channel",
            ),
        }
    }

    /// A page that the server shares with one client.
    fn page(
        &mut self,
        name: &Spanned<String>,
        server: PdIndex,
        client: PdIndex,
        kind: PageKind,
    ) -> Option<Window> {
        let window = self.mapped(name, server)?;
        self.mapped(name, client)?;
        let (index, _) = self.region(name)?;
        let pd = &self.pd(client).name.value;
        if kind != PageKind::Batch && self.map_of(index, client).is_some_and(|map| map.perms.write) {
            self.wrong::<()>(
                name.span(),
                format!("{pd} may write \"{}\", which the server alone writes", name.as_ref()),
                "map it there with perms=\"r\"",
            );
        }
        let mut others =
            (0..self.system.protection_domains.len()).filter(|&other| other != server && other != client);
        if let Some(other) = others.find(|&other| self.map_of(index, other).is_some()) {
            let other = &self.pd(other).name.value;
            self.wrong::<()>(
                name.span(),
                format!("{other} maps \"{}\", which is between {pd} and the server", name.as_ref()),
                "give each client a region of its own",
            );
        }
        Some(window)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a device is granted in the light of everything that is known"
    )]
    fn device(
        &mut self,
        config: &mut Config,
        client: u16,
        pd: PdIndex,
        granted: &'a Spanned<String>,
        addresses: &BTreeMap<&'a str, PciAddress>,
        owners: &mut BTreeMap<&'a str, &'a str>,
        client_name: &'a str,
    ) -> Option<()> {
        let name = granted.as_ref().as_str();
        let Some(device) = self.schema.devices.iter().find(|device| device.name.as_ref() == name) else {
            return self.wrong(
                granted.span(),
                format!("no [[device]] is called \"{name}\""),
                "add it, or correct the name",
            );
        };
        if let Some(owner) = owners.insert(name, client_name) {
            self.wrong::<()>(
                granted.span(),
                format!("{owner} is granted the device \"{name}\" already"),
                "a device belongs to one client: take it from one of them",
            );
        }
        // A bad address was reported where it stands.
        let address = *addresses.get(name)?;
        let msi = self.pd(pd).irqs.iter().find_map(|irq| match &irq.kind {
            IrqKind::Msi { pcidev, vector, .. } if pcidev.value == address => {
                u32::try_from(vector.value).ok()
            }
            _ => None,
        });
        let place = config.push_device(ioasid_config::Device {
            name: Name::new(name),
            bars: self.bars(device, pd)?,
            source: u16::from(address.bus) << 8
                | u16::from(address.device) << 3
                | u16::from(address.function),
            client,
            msi_vector_plus_one: msi.map_or(0, |vector| vector + 1),
        });
        place.map(drop).or_else(|| {
            self.wrong(
                granted.span(),
                format!("there are more than {} devices", ioasid_config::MAX_DEVICES),
                "the server is built for so many: raise MAX_DEVICES in ioasid-config",
            )
        })
    }

    fn bars(&mut self, device: &'a Device, pd: PdIndex) -> Option<[u64; MAX_BARS]> {
        let mut bars = [0; MAX_BARS];
        for (number, region) in &device.bars {
            let Some(bar) = number.as_ref().parse().ok().and_then(|number: usize| bars.get_mut(number))
            else {
                return self.wrong(
                    number.span(),
                    format!("there is no BAR \"{}\"", number.as_ref()),
                    "write a number from 0 to 5",
                );
            };
            *bar = self.exclusive(region, pd)?.paddr;
        }
        Some(bars)
    }

    fn memory(&mut self, config: &mut Config, client: u16, pd: PdIndex, grant: &Grant) -> Option<()> {
        let name = &grant.region;
        let window = self.exclusive(name, pd)?;
        if let Some(other) = config.regions().iter().find(|other| other.paddr == window.paddr) {
            return self.wrong(
                name.span(),
                format!(
                    "the memory of \"{}\" is granted already, as \"{}\"",
                    name.as_ref(),
                    other.name.as_str()
                ),
                "grant each region once: what is granted to two clients is shared by their devices",
            );
        }
        let place = config.push_region(ioasid_config::Region {
            name: Name::new(name.as_ref()),
            paddr: window.paddr,
            size: window.size,
            client: u32::from(client),
            access: grant.access.bits(),
        });
        place.map(drop).or_else(|| {
            self.wrong(
                name.span(),
                format!("there are more than {} regions", ioasid_config::MAX_REGIONS),
                "the server is built for so many: raise MAX_REGIONS in ioasid-config",
            )
        })
    }

    /// Gives the frames and address spaces that nobody asked for in equal shares to the clients that have ids and say
    /// nothing; an error where more is asked for than there is.
    fn shares(&mut self, config: &mut Config) {
        // The tables' fixed part: root, queue, domains, and for each device a context table and a directory.
        let fixed = 64 + 34 * config.devices().len() as u64;
        let frames = (config.unit.tables.size / 0x1000).saturating_sub(fixed);
        let frames = self.rest(
            "frames for tables",
            frames,
            config,
            |one| &one.table_frames,
            |one| &mut one.table_frames,
        );
        let spaces = ioasid_config::MAX_SPACES as u64;
        let spaces = self.rest("address spaces", spaces, config, |one| &one.spaces, |one| &mut one.spaces);
        for client in config.clients_mut().iter_mut().filter(|client| client.limit > 0) {
            for (share, rest) in [(&mut client.table_frames, frames), (&mut client.spaces, spaces)] {
                if *share == 0 {
                    *share = rest;
                }
            }
        }
    }

    /// An equal share of what is left of `there`, for each client with ids that does not say what it takes.
    fn rest(
        &mut self,
        what: &str,
        there: u64,
        config: &mut Config,
        said: fn(&Client) -> &Option<Spanned<u32>>,
        taken: fn(&mut ioasid_config::Client) -> &mut u32,
    ) -> u32 {
        let mut asked = self.schema.clients.iter().filter_map(|client| said(client).as_ref());
        let sum: u64 = asked.clone().map(|number| u64::from(*number.as_ref())).sum();
        if let Some(last) = asked.next_back().filter(|_| sum > there) {
            self.wrong::<()>(
                last.span(),
                format!("{sum} {what} are given out, and there are {there}"),
                "lower the numbers; a client for which nothing is said has an equal share of the rest",
            );
        }
        let takers = config.clients_mut().iter_mut().filter(|client| client.limit > 0);
        let takers = takers.map(taken).filter(|number| **number == 0).count();
        u32::try_from(there.saturating_sub(sum) / takers.max(1) as u64).unwrap_or(u32::MAX)
    }

    /// That the reservations can be kept, all of them at the same time.
    fn reservations(&mut self, config: &Config) {
        let capacity = capacity(config);
        let sum: u64 = config.clients().iter().map(|client| u64::from(client.reservation)).sum();
        let last = self.schema.clients.iter().filter_map(|client| client.reservation.as_ref()).next_back();
        if let Some(last) = last.filter(|_| config.unit.registry.size > 0 && sum > capacity) {
            self.wrong::<()>(
                last.span(),
                format!("{sum} ids are reserved, and there are {capacity}"),
                "lower the reservations, or give the registry's region more memory (16.2 bytes an id)",
            );
        }
    }
}

/// How many ids there are to be had: what the registry's memory holds and the width reaches, but for PASID 0.
fn capacity(config: &Config) -> u64 {
    let bytes = usize::try_from(config.unit.registry.size).unwrap_or(usize::MAX);
    let width = match config.unit.pasid_bits {
        0 => 20,
        bits => bits.min(20),
    };
    (ioasid_core::Memory::slots_in(bytes) as u64).min(1 << width).saturating_sub(1)
}

/// `bus:device.function`, hexadecimal.
fn pci_address(text: &str) -> Option<PciAddress> {
    let (bus, rest) = text.split_once(':')?;
    let (device, function) = rest.split_once('.')?;
    let number = |text: &str, max: u8| u8::from_str_radix(text, 16).ok().filter(|&number| number <= max);
    Some(PciAddress { bus: number(bus, 255)?, device: number(device, 31)?, function: number(function, 7)? })
}

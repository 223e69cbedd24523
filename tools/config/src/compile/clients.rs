// SPDX-License-Identifier: BSD-2-Clause
//! Clients and what they are granted: a channel, pages, devices, memory.

use ioasid_config::{Config, MAX_BARS, Name, Window};
use sdf::{IrqKind, PciAddress, PdIndex};
use toml::Spanned;
use zerocopy::FromZeros;

use super::Compiler;
use crate::schema::{Client, Device, Grant};
use crate::spelling::suggest;

/// Bytes of PCI configuration space that a bus has.
const BUS: u64 = 1 << 20;

/// What a page that the server shares with a client is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PageKind {
    Events,
    Find,
    Batch,
}

impl PageKind {
    fn name(self) -> &'static str {
        match self {
            Self::Events => "event ring",
            Self::Find => "find page",
            Self::Batch => "batch page",
        }
    }
}

impl<'a> Compiler<'a> {
    /// The devices' addresses, by name.
    pub(super) fn devices(&mut self, config: &Config) {
        // One that is wrong itself was reported where it stands.
        let buses = Some(config.unit.ecam.size / BUS).filter(|&buses| buses > 0);
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
            if let Some(ecam) = &self.schema.unit.ecam
                && let Some(buses) = buses.filter(|&buses| u64::from(address.bus) >= buses)
            {
                let (bus, need) = (address.bus, (u64::from(address.bus) + 1) * BUS);
                self.wrong::<()>(
                    device.address.span(),
                    format!(
                        "{text} is on bus {bus:#x}, and \"{}\" has the configuration space of {buses} buses",
                        ecam.as_ref()
                    ),
                    format!("give it size=\"{need:#x}\" or more in system.xml: 1 MiB a bus"),
                );
            }
            if self.addresses.values().any(|&other| other == address) {
                self.wrong::<()>(
                    device.address.span(),
                    format!("{text} is another device's address already"),
                    "give each function one [[device]] only",
                );
            }
            if self.addresses.insert(device.name.as_ref().as_str(), address).is_some() {
                self.wrong::<()>(
                    device.name.span(),
                    format!("\"{}\" is another device's name already", device.name.as_ref()),
                    "give each device its own name",
                );
            }
        }
    }

    pub(super) fn client(&mut self, config: &mut Config, server: PdIndex, client: &'a Client) -> Option<()> {
        let name = client.pd.as_ref().as_str();
        let pd = self.domain(&client.pd)?;
        if pd == server {
            return self.wrong(
                client.pd.span(),
                format!("{name} is the server itself"),
                "name a domain that calls it",
            );
        }
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
        if let Some(reserved) = client.reservation.as_ref().filter(|_| reservation > limit) {
            self.wrong::<()>(
                reserved.span(),
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
            return self.full(&client.pd, "clients", "MAX_CLIENTS", ioasid_config::MAX_CLIENTS);
        };
        for granted in &client.devices {
            self.device(config, place, pd, granted, name);
        }
        for grant in &client.memory {
            self.memory(config, place, pd, grant);
        }
        Some(())
    }

    /// That the server has no room for so many.
    fn full<T>(&mut self, name: &Spanned<String>, what: &str, constant: &str, max: usize) -> Option<T> {
        self.wrong(
            name.span(),
            format!("there are more than {max} {what}"),
            format!("the server is built for so many: raise {constant} in ioasid-config"),
        )
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
        let domain = &self.pd(client).name.value;
        let what = format!("{domain}'s {}", kind.name());
        let (index, window) = self.mapped(name, &what, server)?;
        self.read_write(name, server);
        let map = self.map_in(name, index, client)?;
        match kind {
            PageKind::Batch => self.read_write(name, client),
            PageKind::Events | PageKind::Find if map.perms.write => {
                self.wrong::<()>(
                    name.span(),
                    format!("{domain} may write \"{}\", which the server alone writes", name.as_ref()),
                    format!("map it in {domain} with perms=\"r\""),
                );
            }
            PageKind::Events | PageKind::Find => {}
        }
        self.nobody_else(name, index, &what, &[server, client]);
        Some(window)
    }

    fn device(
        &mut self,
        config: &mut Config,
        client: u16,
        pd: PdIndex,
        granted: &'a Spanned<String>,
        client_name: &'a str,
    ) -> Option<()> {
        let name = granted.as_ref().as_str();
        let Some(device) = self.schema.devices.iter().find(|device| device.name.as_ref() == name) else {
            let known = self.schema.devices.iter().map(|device| device.name.as_ref().as_str());
            let help = suggest(name, known);
            return self.wrong(granted.span(), format!("no [[device]] is called \"{name}\""), help);
        };
        if let Some(owner) = self.owners.insert(name, client_name) {
            return self.wrong(
                granted.span(),
                format!("{owner} is granted the device \"{name}\" already"),
                "a device belongs to one client: take it from one of them",
            );
        }
        // A bad address was reported where it stands.
        let address = *self.addresses.get(name)?;
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
        match place {
            Some(_) => Some(()),
            None => self.full(granted, "devices", "MAX_DEVICES", ioasid_config::MAX_DEVICES),
        }
    }

    fn bars(&mut self, device: &'a Device, pd: PdIndex) -> Option<[u64; MAX_BARS]> {
        let mut bars = [0; MAX_BARS];
        let index = |number: &Spanned<String>| number.as_ref().parse::<usize>().ok();
        for (number, region) in &device.bars {
            let Some(place) = index(number).filter(|&place| place < MAX_BARS) else {
                return self.wrong(
                    number.span(),
                    format!("there is no BAR \"{}\"", number.as_ref()),
                    "write a number from 0 to 5",
                );
            };
            let what = format!("BAR {place} of {}", device.name.as_ref());
            let window = self.registers(region, &what, pd)?;
            // One of 64 bits takes two numbers.
            let may_be_wide =
                place + 1 < MAX_BARS && !device.bars.keys().any(|number| index(number) == Some(place + 1));
            self.takes(region, &what, window, may_be_wide);
            bars[place] = window.paddr;
        }
        Some(bars)
    }

    /// That a BAR, which is `what`, can be placed at the region. Only the device knows its size, but that is a power of two,
    /// no less than the registers in it, and the BAR is aligned to it (PCI 7.5.1.2.1).
    fn takes(&mut self, region: &Spanned<String>, what: &str, window: Window, may_be_wide: bool) {
        let Window { paddr, size, .. } = window;
        let name = region.as_ref();
        let least = size.checked_next_power_of_two().unwrap_or(1 << 63);
        if !paddr.is_multiple_of(least) {
            self.wrong::<()>(
                region.span(),
                format!(
                    "{what} with {size:#x} bytes of registers cannot be at {paddr:#x}: a BAR is aligned to its size"
                ),
                format!("give \"{name}\" a phys_addr that is a multiple of {least:#x} in system.xml"),
            );
        }
        if paddr > u64::from(u32::MAX) && !may_be_wide {
            self.wrong::<()>(
                region.span(),
                format!("{what} cannot be at {paddr:#x}: it has 32 bits, as a BAR of 64 bits takes the next number too"),
                format!("give \"{name}\" a phys_addr below 0x100000000 in system.xml"),
            );
        }
    }

    fn memory(&mut self, config: &mut Config, client: u16, pd: PdIndex, grant: &Grant) -> Option<()> {
        let name = &grant.region;
        let what = format!("memory for the devices of {}", self.pd(pd).name.value);
        let window = self.placed(name, &what, pd)?;
        let place = config.push_region(ioasid_config::Region {
            name: Name::new(name.as_ref()),
            paddr: window.paddr,
            size: window.size,
            client: u32::from(client),
            access: grant.access.bits(),
        });
        match place {
            Some(_) => Some(()),
            None => self.full(name, "regions", "MAX_REGIONS", ioasid_config::MAX_REGIONS),
        }
    }
}

/// `bus:device.function`, hexadecimal.
fn pci_address(text: &str) -> Option<PciAddress> {
    let (bus, rest) = text.split_once(':')?;
    let (device, function) = rest.split_once('.')?;
    let number = |text: &str, max: u8| u8::from_str_radix(text, 16).ok().filter(|&number| number <= max);
    Some(PciAddress { bus: number(bus, 255)?, device: number(device, 31)?, function: number(function, 7)? })
}

// SPDX-License-Identifier: BSD-2-Clause
//! From a system description to a picture.

use std::collections::BTreeMap;

use config_compiler::Schema;
use sdf::{CapKind, Irq, IrqKind, Map, PciAddress, PdIndex, ProtectionDomain, RegionIndex, System};

use crate::picture::{Actor, ActorKind, By, End, Link, LinkKind, Picture};
use crate::text::bytes;

impl End {
    fn new(actor: usize, mark: impl Into<String>) -> Self {
        Self { actor, mark: mark.into(), by: By::Cpu }
    }
}

/// A picture that is being made of a system.
pub(crate) struct Drawing<'s> {
    pub(crate) system: &'s System,
    pub(crate) picture: Picture,
    pub(crate) devices: BTreeMap<PciAddress, usize>,
    /// The unit's column, and the interrupt that it sends to the server.
    pub(crate) unit: Option<(usize, PdIndex, u64)>,
    /// Who reaches each memory region.
    pub(crate) reach: BTreeMap<RegionIndex, Vec<End>>,
}

impl<'s> Drawing<'s> {
    /// The picture of `system` with `policy`.
    pub(crate) fn draw(system: &'s System, policy: Option<&Schema>) -> Picture {
        let mut drawing = Self::new(system);
        drawing.domains();
        if let Some(policy) = policy {
            drawing.policy(policy);
        }
        drawing.links();
        drawing.channels();
        drawing.io_address_spaces();
        drawing.memory();
        drawing.picture
    }

    fn new(system: &'s System) -> Self {
        let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let summary = [
            count(system.protection_domains.len(), "protection domain"),
            count(system.memory_regions.len(), "memory region"),
            count(system.channels.len(), "channel"),
        ];
        let picture = Picture {
            title: system.source.name().to_owned(),
            summary: summary.join(" · "),
            ..Picture::default()
        };
        Self { system, picture, devices: BTreeMap::new(), unit: None, reach: BTreeMap::new() }
    }

    /// Columns for the protection domains, so that an index of theirs is that of their column.
    fn domains(&mut self) {
        for pd in &self.system.protection_domains {
            let mut facts = facts(pd);
            for cap in &pd.cap_maps {
                let object = match cap.kind {
                    CapKind::Tcb => "TCB",
                    CapKind::Sc => "SC",
                    CapKind::VSpace => "VSpace",
                };
                let owner = &self.system.protection_domains[*cap.pd].name;
                facts.push((format!("{object} of {owner}"), format!("capability {}", cap.slot)));
            }
            let actor = Actor { kind: ActorKind::Domain, name: pd.name.value.clone(), facts };
            self.picture.actors.push(actor);
        }
    }

    /// What protection domains have: parents, memory, virtual machines, interrupts.
    fn links(&mut self) {
        for (index, pd) in self.system.protection_domains.iter().enumerate() {
            if let Some(parent) = &pd.parent {
                let ends = vec![End::new(parent.pd, ""), End::new(index, parent.id.to_string())];
                let detail =
                    format!("{} is child {} of its parent, which receives its faults", pd.name, parent.id);
                self.link(LinkKind::Nesting, detail, ends);
            }
            self.maps(index, &pd.maps, By::Cpu);
            if let Some(machine) = &pd.virtual_machine {
                let actor =
                    Actor { kind: ActorKind::Machine, name: machine.name.value.clone(), facts: Vec::new() };
                let column = self.push(actor);
                for vcpu in &machine.vcpus {
                    let ends = vec![End::new(index, ""), End::new(column, vcpu.id.to_string())];
                    let detail = format!("virtual CPU {}, run by {}", vcpu.id, pd.name);
                    self.link(LinkKind::Nesting, detail, ends);
                }
                self.maps(column, &machine.maps, By::Cpu);
            }
            for irq in &pd.irqs {
                self.irq(index, irq);
            }
        }
    }

    /// A new column.
    pub(crate) fn push(&mut self, actor: Actor) -> usize {
        self.picture.actors.push(actor);
        self.picture.actors.len() - 1
    }

    fn link(&mut self, kind: LinkKind, detail: String, ends: Vec<End>) {
        self.picture.links.push(Link { kind, label: String::new(), size: String::new(), detail, ends });
    }

    fn maps(&mut self, actor: usize, maps: &[Map], by: By) {
        for map in maps {
            self.reaches(*map.region, actor, map.perms.to_string(), by);
        }
    }

    /// Notes that `actor` reaches `region`.
    pub(crate) fn reaches(&mut self, region: RegionIndex, actor: usize, mark: String, by: By) {
        self.reach.entry(region).or_default().push(End { actor, mark, by });
    }

    /// An interrupt: a link from its device, or a fact where there is no device.
    fn irq(&mut self, pd: usize, irq: &Irq) {
        match &irq.kind {
            IrqKind::Msi { pcidev, vector, .. } => {
                let (device, sender) = match self.unit {
                    Some((unit, server, id)) if (server, id) == (pd, *irq.id) => {
                        (unit, "the unit".to_owned())
                    }
                    _ => (self.device(**pcidev), format!("PCI {pcidev}")),
                };
                let ends = vec![End::new(device, ""), End::new(pd, irq.id.to_string())];
                self.link(LinkKind::Interrupt, format!("MSI of {sender}, vector {vector}"), ends);
            }
            IrqKind::IoApic { ioapic, pin, .. } => {
                let detail = match **ioapic {
                    0 => format!("I/O APIC pin {pin}"),
                    other => format!("I/O APIC {other} pin {pin}"),
                };
                self.picture.actors[pd].facts.push((format!("irq {}", irq.id), detail));
            }
            IrqKind::Conventional { irq: number, .. } => {
                self.picture.actors[pd]
                    .facts
                    .push((format!("irq {}", irq.id), format!("interrupt {number}")));
            }
        }
    }

    /// The column of a PCI function.
    fn device(&mut self, address: PciAddress) -> usize {
        if let Some(&column) = self.devices.get(&address) {
            return column;
        }
        let column =
            self.push(Actor { kind: ActorKind::Device, name: format!("PCI {address}"), facts: Vec::new() });
        self.devices.insert(address, column);
        column
    }

    fn channels(&mut self) {
        for channel in &self.system.channels {
            let both = |of: fn(&sdf::ChannelEnd) -> bool| [of(&channel.ends[0]), of(&channel.ends[1])];
            let kind = LinkKind::Channel { call: both(|end| *end.pp), notify: both(|end| *end.notify) };
            let name = |end: &sdf::ChannelEnd| &self.system.protection_domains[*end.pd].name;
            let [a, b] = &channel.ends;
            if a.pd.value == b.pd.value {
                let fact = ("channel to itself".to_owned(), format!("{} and {}", a.id, b.id));
                self.picture.actors[*a.pd].facts.push(fact);
                continue;
            }
            let detail = format!("channel: {} of {}, {} of {}", a.id, name(a), b.id, name(b));
            let ends = vec![End::new(*a.pd, a.id.to_string()), End::new(*b.pd, b.id.to_string())];
            self.link(kind, detail, ends);
        }
    }

    fn io_address_spaces(&mut self) {
        for space in &self.system.io_address_spaces {
            let column = self.device(*space.device);
            let fact = (space.name.value.clone(), format!("kernel's domain {}", space.domain_id));
            self.picture.actors[column].facts.push(fact);
            self.maps(column, &space.maps, By::Dma);
        }
    }

    /// A row for each region that is shared, a fact for each that is not.
    fn memory(&mut self) {
        let mut unmapped = Vec::new();
        for (index, region) in self.system.memory_regions.iter().enumerate() {
            let size = region.size.map_or("size of its file".to_owned(), |size| bytes(*size));
            let place = region.phys_addr.map_or(String::new(), |start| format!(" at {:#x}", start.value));
            let ends = merged(self.reach.remove(&index).unwrap_or_default());
            match &ends[..] {
                [] => unmapped.push(format!("{} ({size}{place})", region.name)),
                [alone] => {
                    let fact = (region.name.value.clone(), format!("{size} {}", alone.mark));
                    self.picture.actors[alone.actor].facts.push(fact);
                }
                _ => {
                    let detail = format!("{}: {size}{place}", region.name);
                    let label = region.name.value.clone();
                    self.picture.links.push(Link { kind: LinkKind::Memory, label, size, detail, ends });
                }
            }
        }
        if !unmapped.is_empty() {
            self.picture.notes.push(format!("Memory that nobody maps: {}", unmapped.join(", ")));
        }
    }
}

/// One end for each actor, with all that it may do.
fn merged(ends: Vec<End>) -> Vec<End> {
    let mut merged: Vec<End> = Vec::new();
    for end in ends {
        match merged.iter_mut().find(|other| other.actor == end.actor) {
            Some(other) => other.mark.push_str(&format!(", {}", end.mark)),
            None => merged.push(end),
        }
    }
    merged
}

/// What a domain's card says below its name, apart from its memory.
fn facts(pd: &ProtectionDomain) -> Vec<(String, String)> {
    let mut about = format!("priority {}", pd.priority);
    if *pd.passive {
        about.push_str(", passive");
    }
    if *pd.cpu != 0 {
        about.push_str(&format!(", CPU {}", pd.cpu));
    }
    let mut facts = vec![(String::new(), about)];
    if let Some(domain) = &pd.domain {
        facts.push((String::new(), format!("domain {domain}")));
    }
    for port in &pd.ioports {
        let last = port.addr.saturating_add(port.size.saturating_sub(1));
        facts.push(("I/O ports".to_owned(), format!("{:#x}–{last:#x}", port.addr.value)));
    }
    facts
}

// SPDX-License-Identifier: BSD-2-Clause
//! What a picture shows: actors and the links between them, out of a system description.

use std::collections::BTreeMap;

use sdf::{CapKind, Irq, IrqKind, Map, PciAddress, ProtectionDomain, RegionIndex, System};

use crate::text::bytes;

/// Everything that is drawn, before it has a place.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// File that it is drawn from.
    pub title: String,
    /// One line below the title.
    pub summary: String,
    /// Columns.
    pub actors: Vec<Actor>,
    /// Rows.
    pub links: Vec<Link>,
    /// What could not be drawn, a line each.
    pub notes: Vec<String>,
}

/// A column: somebody who acts.
#[derive(Clone, Debug)]
pub struct Actor {
    /// What it is.
    pub kind: ActorKind,
    /// Its name.
    pub name: String,
    /// What is written below the name: a heading and its detail, either of which may be empty.
    pub facts: Vec<(String, String)>,
}

/// Kinds of actors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorKind {
    /// A protection domain.
    Domain,
    /// A virtual machine.
    Machine,
    /// A device.
    Device,
}

/// A row: what joins two actors or more.
#[derive(Clone, Debug)]
pub struct Link {
    /// What it is.
    pub kind: LinkKind,
    /// What is written on it; may be empty.
    pub label: String,
    /// What is written smaller below that.
    pub size: String,
    /// What a pointer that rests on it is told.
    pub detail: String,
    /// Whom it joins; at least two.
    pub ends: Vec<End>,
}

/// Kinds of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// The first end is the parent of the second.
    Nesting,
    /// A channel. `call` and `notify` say, for each end, whether it may do so to the other.
    Channel {
        /// Protected procedure calls.
        call: [bool; 2],
        /// Notifications.
        notify: [bool; 2],
    },
    /// An interrupt of the first end that the second one receives.
    Interrupt,
    /// Memory that all ends reach.
    Memory,
}

/// Where a link meets an actor.
#[derive(Clone, Debug)]
pub struct End {
    /// Index into [`Picture::actors`].
    pub actor: usize,
    /// What is written where they meet: a number, or permissions.
    pub mark: String,
    /// Whether the actor reaches memory by DMA.
    pub dma: bool,
}

impl End {
    fn new(actor: usize, mark: impl Into<String>) -> Self {
        Self { actor, mark: mark.into(), dma: false }
    }
}

impl Picture {
    /// The picture of `system`.
    pub fn of(system: &System) -> Self {
        let mut drawing = Drawing::new(system);
        drawing.domains();
        drawing.channels();
        drawing.io_address_spaces();
        drawing.memory();
        drawing.picture
    }

    /// The same with a note that names what [`System::survey`] could not read.
    #[must_use]
    pub fn with_unknown(mut self, errors: Option<&sdf::Errors>) -> Self {
        let unknown = errors.into_iter().flatten().filter(|error| error.kind == sdf::Kind::UnknownElement);
        let names: Vec<_> =
            unknown.map(|error| format!("<{}> (line {})", error.element, error.place.line)).collect();
        if !names.is_empty() {
            self.notes.push(format!("Not drawn, because not known: {}", names.join(", ")));
        }
        self
    }
}

/// A picture that is being made of a system.
struct Drawing<'s> {
    system: &'s System,
    picture: Picture,
    devices: BTreeMap<PciAddress, usize>,
    /// Who reaches each memory region.
    reach: BTreeMap<RegionIndex, Vec<End>>,
}

impl<'s> Drawing<'s> {
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
        Self { system, picture, devices: BTreeMap::new(), reach: BTreeMap::new() }
    }

    /// Columns for the protection domains, so that an index of theirs is that of their column; then for their
    /// virtual machines and devices.
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
        for (index, pd) in self.system.protection_domains.iter().enumerate() {
            if let Some(parent) = &pd.parent {
                let ends = vec![End::new(parent.pd, ""), End::new(index, parent.id.to_string())];
                let detail =
                    format!("{} is child {} of its parent, which receives its faults", pd.name, parent.id);
                self.link(LinkKind::Nesting, detail, ends);
            }
            self.maps(index, &pd.maps, false);
            if let Some(machine) = &pd.virtual_machine {
                let actor =
                    Actor { kind: ActorKind::Machine, name: machine.name.value.clone(), facts: Vec::new() };
                let column = self.push(actor);
                for vcpu in &machine.vcpus {
                    let ends = vec![End::new(index, ""), End::new(column, vcpu.id.to_string())];
                    let detail = format!("virtual CPU {}, run by {}", vcpu.id, pd.name);
                    self.link(LinkKind::Nesting, detail, ends);
                }
                self.maps(column, &machine.maps, false);
            }
            for irq in &pd.irqs {
                self.irq(index, irq);
            }
        }
    }

    fn push(&mut self, actor: Actor) -> usize {
        self.picture.actors.push(actor);
        self.picture.actors.len() - 1
    }

    fn link(&mut self, kind: LinkKind, detail: String, ends: Vec<End>) {
        self.picture.links.push(Link { kind, label: String::new(), size: String::new(), detail, ends });
    }

    fn maps(&mut self, actor: usize, maps: &[Map], dma: bool) {
        for map in maps {
            let mark = map.perms.to_string();
            self.reach.entry(*map.region).or_default().push(End { actor, mark, dma });
        }
    }

    /// An interrupt: a link from its device, or a fact where there is no device.
    fn irq(&mut self, pd: usize, irq: &Irq) {
        match &irq.kind {
            IrqKind::Msi { pcidev, vector, .. } => {
                let device = self.device(**pcidev);
                let ends = vec![End::new(device, ""), End::new(pd, irq.id.to_string())];
                self.link(LinkKind::Interrupt, format!("MSI of {pcidev}, vector {vector}"), ends);
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
            self.maps(column, &space.maps, true);
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
        let last = port.addr.value + port.size.value - 1;
        facts.push(("I/O ports".to_owned(), format!("{:#x}–{last:#x}", port.addr.value)));
    }
    facts
}

// SPDX-License-Identifier: BSD-2-Clause
//! From the model and the files to the records of the packed system.

use microkit_image::{
    layout::{
        BADGE_CALL, BADGE_NOTIFICATION, BASE_ENDPOINT, BASE_IOPORT, BASE_OUTPUT_NOTIFICATION, BASE_TCB,
        BASE_VCPU, IPC_BUFFER, STACK_TOP,
    },
    record::{ANYWHERE, Cap, Irq, Map, NONE, Paging},
};
use sdf::{IrqKind, MemoryRegion, PdIndex, Polarity, ProtectionDomain, System, Trigger, VirtualMachine};

use crate::{
    Found, ReadFile,
    elf::{PAGE, Program, Segment},
    layout::{self, Space},
    patch,
};

/// Everything that the packed system says.
#[derive(Debug, Default)]
pub struct Tables {
    /// Protection domains.
    pub pds: Vec<Pd>,
    /// Regions: those of system.xml first, in its order.
    pub regions: Vec<Region>,
    /// Paging structures.
    pub paging: Vec<Paging>,
    /// Mappings.
    pub maps: Vec<Map>,
    /// Capabilities.
    pub caps: Vec<Cap>,
    /// Interrupts.
    pub irqs: Vec<Irq>,
}

/// A protection domain.
#[derive(Debug)]
pub struct Pd {
    /// Name.
    pub name: String,
    /// First instruction.
    pub entry: u64,
    /// Bytes of its stack.
    pub stack_size: u64,
    /// The region that is its IPC buffer.
    pub ipc_buffer: u32,
    /// Parent and the number by which that knows it.
    pub parent: Option<(u32, u32)>,
    /// Priority.
    pub priority: u8,
    /// Whether it has an endpoint.
    pub has_endpoint: bool,
    /// Whether its thread runs a virtual machine.
    pub has_vm: bool,
}

/// A region.
#[derive(Debug)]
pub struct Region {
    /// Name.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Physical address, or [`ANYWHERE`].
    pub paddr: u64,
    /// log2 of the page.
    pub page_bits: u32,
    /// The domain whose stack it is, or [`NONE`].
    pub stack_of: u32,
    /// What fills it: offset and bytes.
    pub fill: Option<(u64, Vec<u8>)>,
}

/// An index of a table as a record has it; tables are far smaller.
pub fn index(i: usize) -> u32 {
    u32::try_from(i).unwrap_or(NONE)
}

/// Bytes of a region; a size that follows from a file that could not be read is zero.
pub fn region_size(region: &MemoryRegion) -> u64 {
    region.size.map_or(0, |size| size.value)
}

/// Builds the records; errors go to `found`.
pub fn build(system: &System, read: ReadFile<'_>, found: &mut Found) -> Tables {
    let mut tables = Tables::default();
    for region in &system.memory_regions {
        tables.regions.push(memory_region(region, read, found));
    }
    for (i, pd) in system.protection_domains.iter().enumerate() {
        let image = load(&pd.program_image, read, found);
        let symbols = pd.program_image_for_symbols.as_ref().map(|path| load(path, read, found));
        let (Some(mut program), Some(symbols)) = (image, symbols.unwrap_or_else(|| image_symbols(pd, read)))
        else {
            continue;
        };
        patch::apply(system, i, &mut program, &symbols, found);
        protection_domain(system, i, program, &mut tables, found);
    }
    for channel in &system.channels {
        for (from, to) in channel.directions() {
            let (pd, target) = (index(from.pd.value), index(to.pd.value));
            let cap = Cap { pd, kind: 0, slot: 0, target, ports: [0; 2], badge: 0 };
            if from.notify.value {
                let slot = BASE_OUTPUT_NOTIFICATION + from.id.value;
                let badge = BADGE_NOTIFICATION | 1 << to.id.value;
                tables.caps.push(Cap { kind: Cap::NOTIFICATION, slot, badge, ..cap });
            }
            if from.pp.value {
                let (slot, badge) = (BASE_ENDPOINT + from.id.value, BADGE_CALL | to.id.value);
                tables.caps.push(Cap { kind: Cap::ENDPOINT, slot, badge, ..cap });
            }
        }
    }
    tables
}

/// The program again, for its symbols.
fn image_symbols(pd: &ProtectionDomain, read: ReadFile<'_>) -> Option<Program> {
    read(&pd.program_image).ok().and_then(|bytes| Program::read(&bytes).ok())
}

fn load(path: &sdf::At<String>, read: ReadFile<'_>, found: &mut Found) -> Option<Program> {
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let help = "build the program first, or correct the path";
            found.add(path.place, "program_image", format!("{path} cannot be read: {error}"), help);
            return None;
        }
    };
    Program::read(&bytes)
        .inspect_err(|bad| {
            found.add(path.place, "program_image", format!("{path} {}", bad.message), bad.help)
        })
        .ok()
}

fn memory_region(region: &MemoryRegion, read: ReadFile<'_>, found: &mut Found) -> Region {
    let fill = region.prefill_path.as_ref().and_then(|path| match read(path) {
        Ok(bytes) => {
            if bytes.len() as u64 > region_size(region) {
                let message = format!("{path} has {} bytes, more than '{}'", bytes.len(), region.name);
                found.add(path.place, "memory_region", message, "make the region larger or the file smaller");
            }
            Some((0, bytes))
        }
        Err(error) => {
            let help = "make the file first, or correct the path";
            found.add(path.place, "memory_region", format!("{path} cannot be read: {error}"), help);
            None
        }
    });
    Region {
        name: region.name.value.clone(),
        size: region_size(region),
        paddr: region.phys_addr.map_or(ANYWHERE, |paddr| paddr.value),
        page_bits: region.page_size.value.trailing_zeros(),
        stack_of: NONE,
        fill,
    }
}

fn protection_domain(system: &System, i: PdIndex, program: Program, tables: &mut Tables, found: &mut Found) {
    let pd = &system.protection_domains[i];
    let me = index(i);
    let mut space = Space::default();
    let mut mappings = Vec::new();
    let mut own = |name: &str, vaddr: u64, size: u64, flags: u64, fill| {
        let region = index(tables.regions.len());
        let stack_of = if name == "stack" { me } else { NONE };
        let (name, page_bits) = (format!("{}: {name}", pd.name), PAGE.trailing_zeros());
        tables.regions.push(Region { name, size, paddr: ANYWHERE, page_bits, stack_of, fill });
        mappings.push(Map { pd: me, region, vaddr, flags });
        region
    };

    let stack_size = pd.stack_size.value.next_multiple_of(PAGE);
    let stack_bottom = STACK_TOP - stack_size;
    let ipc_buffer = own("IPC buffer", IPC_BUFFER, PAGE, Map::WRITE, None);
    own("stack", stack_bottom, stack_size, Map::WRITE, None);
    space.take(stack_bottom, IPC_BUFFER + PAGE, "the stack and the IPC buffer");
    for segment in program.segments {
        let (start, end) = segment.pages();
        let what = format!("the segment at {:#x} of {}", segment.vaddr, pd.program_image);
        if let Some(clash) = space.take(start, end, &what) {
            let message = format!("{what} overlaps {}", clash.what);
            found.add(
                pd.program_image.place,
                "program_image",
                message,
                "link the program at another address",
            );
        }
        let Segment { vaddr, data, writable, executable, .. } = segment;
        let name = match (executable, writable) {
            (true, _) => "code",
            (_, true) => "data",
            _ => "constants",
        };
        let flags = if writable { Map::WRITE } else { 0 };
        own(name, start, end - start, flags, Some((vaddr - start, data)));
    }
    for map in &pd.maps {
        let region = &system.memory_regions[map.region.value];
        let (start, end) = (map.vaddr.value, map.vaddr.value.saturating_add(region_size(region)));
        if let Some(clash) = space.take(start, end, format!("the map of '{}'", region.name)) {
            let message = format!("'{}' at {start:#x}..{end:#x} overlaps {}", region.name, clash.what);
            found.add(map.vaddr.place, "map", message, "map it at an address that is free");
        }
        let write = if map.perms.write { Map::WRITE } else { 0 };
        let uncached = if map.cached.value { 0 } else { Map::UNCACHED };
        let region = index(map.region.value);
        mappings.push(Map { pd: me, region, vaddr: start, flags: write | uncached });
    }

    if let Some(machine) = &pd.virtual_machine {
        let maps = guest_memory(system, me, machine, found);
        let extent = |map: &Map| {
            let region = &tables.regions[map.region as usize];
            (map.vaddr, region.size, region.page_bits)
        };
        tables.paging.extend(layout::paging(me, Paging::GUEST, maps.iter().map(extent)));
        tables.maps.extend(maps);
        for vcpu in &machine.vcpus {
            let slot = BASE_VCPU + vcpu.id.value;
            tables.caps.push(Cap { pd: me, kind: Cap::VCPU, slot, target: me, ports: [0; 2], badge: 0 });
        }
    }
    let extent = |map: &Map| {
        let region = &tables.regions[map.region as usize];
        (map.vaddr, region.size, region.page_bits)
    };
    tables.paging.extend(layout::paging(me, 0, mappings.iter().map(extent)));
    tables.maps.append(&mut mappings);
    tables.irqs.extend(pd.irqs.iter().filter_map(|irq| interrupt(me, irq)));
    let cap = Cap { pd: me, kind: 0, slot: 0, target: NONE, ports: [0; 2], badge: 0 };
    for (child, link) in system.children(i).filter_map(|(child, pd)| Some((child, pd.parent.as_ref()?))) {
        let slot = BASE_TCB + link.id.value;
        tables.caps.push(Cap { kind: Cap::TCB, slot, target: index(child), ..cap });
    }
    for ioport in &pd.ioports {
        let last = ioport.addr.value.saturating_add(ioport.size.value).saturating_sub(1);
        match (u16::try_from(ioport.addr.value), u16::try_from(last)) {
            (Ok(first), Ok(last)) => {
                let slot = BASE_IOPORT + ioport.id.value;
                tables.caps.push(Cap { kind: Cap::IO_PORTS, slot, ports: [first, last], ..cap });
            }
            _ => found.add(ioport.place, "ioport", "ends beyond port 0xffff", "make it smaller"),
        }
    }
    let called = system.channels.iter().flat_map(sdf::Channel::directions);
    let has_endpoint = called.into_iter().any(|(from, to)| from.pp.value && to.pd.value == i)
        || system.children(i).next().is_some();
    tables.pds.push(Pd {
        name: pd.name.value.clone(),
        entry: program.entry,
        stack_size,
        ipc_buffer,
        parent: pd.parent.as_ref().map(|link| (index(link.pd), small(link.id.value))),
        priority: pd.priority.value,
        has_endpoint,
        has_vm: pd.virtual_machine.is_some(),
    });
}

/// A virtual machine's guest-physical memory.
fn guest_memory(system: &System, pd: u32, machine: &VirtualMachine, found: &mut Found) -> Vec<Map> {
    let mut space = Space::default();
    let mut maps = Vec::new();
    for map in &machine.maps {
        let region = &system.memory_regions[map.region.value];
        let (start, end) = (map.vaddr.value, map.vaddr.value.saturating_add(region_size(region)));
        if let Some(clash) = space.take(start, end, format!("the map of '{}'", region.name)) {
            let message = format!("'{}' at {start:#x}..{end:#x} overlaps {}", region.name, clash.what);
            found.add(map.vaddr.place, "map", message, "map it at a guest-physical address that is free");
        }
        let write = if map.perms.write { Map::WRITE } else { 0 };
        let uncached = if map.cached.value { 0 } else { Map::UNCACHED };
        let region = index(map.region.value);
        maps.push(Map { pd, region, vaddr: start, flags: write | uncached | Map::GUEST });
    }
    maps
}

/// A number that the model keeps small.
fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn interrupt(pd: u32, irq: &sdf::Irq) -> Option<Irq> {
    let id = small(irq.id.value);
    match &irq.kind {
        IrqKind::IoApic { ioapic, pin, trigger, polarity, vector } => Some(Irq {
            pd,
            kind: Irq::IOAPIC,
            id,
            vector: small(vector.value),
            source: ioapic.value,
            line: small(pin.value),
            level: (trigger.value == Trigger::Level).into(),
            active_low: (polarity.value == Polarity::Low).into(),
        }),
        IrqKind::Msi { pcidev, handle, vector } => {
            let pci = pcidev.value;
            Some(Irq {
                pd,
                kind: Irq::MSI,
                id,
                vector: small(vector.value),
                source: handle.value,
                line: u32::from(pci.bus) << 8 | u32::from(pci.device) << 3 | u32::from(pci.function),
                level: 0,
                active_low: 0,
            })
        }
        IrqKind::Conventional { .. } => None,
    }
}

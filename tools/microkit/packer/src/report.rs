// SPDX-License-Identifier: BSD-2-Clause
//! The report: what is in the image, for people.

use std::fmt::Write as _;

use microkit_image::{
    layout::STACK_TOP,
    record::{ANYWHERE, Cap, Irq, Map, NONE},
};
use sdf::System;

use crate::records::Tables;

/// The report on a packed system whose root task has `root_len` bytes.
pub fn text(system: &System, tables: &Tables, root_len: usize) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, system, tables, root_len);
    out
}

fn write(out: &mut String, system: &System, tables: &Tables, root_len: usize) -> std::fmt::Result {
    writeln!(
        out,
        "{}: {} protection domains, image {root_len} bytes",
        system.source.name(),
        tables.pds.len()
    )?;
    let name = |pd: u32| tables.pds.get(pd as usize).map_or("?", |pd| pd.name.as_str());
    for (i, pd) in (0..).zip(&tables.pds) {
        writeln!(out, "\nprotection domain {} (priority {})", pd.name, pd.priority)?;
        if let Some((parent, id)) = pd.parent {
            writeln!(out, "  child {id} of {}", name(parent))?;
        }
        writeln!(out, "  entry {:#x}, stack {:#x}..{STACK_TOP:#x}", pd.entry, STACK_TOP - pd.stack_size)?;
        for map in tables.maps.iter().filter(|map| map.pd == i) {
            let region = &tables.regions[map.region as usize];
            let write = if map.flags & Map::WRITE != 0 { "rw" } else { "r-" };
            let cached = if map.flags & Map::UNCACHED != 0 { " uncached" } else { "" };
            let guest = if map.flags & Map::GUEST != 0 { " guest-physical" } else { "" };
            writeln!(
                out,
                "  {:#014x} {:#10x} {write}{cached}{guest} {}",
                map.vaddr, region.size, region.name
            )?;
        }
        for cap in tables.caps.iter().filter(|cap| cap.pd == i) {
            let (slot, target) = (cap.slot, name(cap.target));
            match cap.kind {
                Cap::NOTIFICATION => writeln!(out, "  cap {slot}: notify {target}, badge {:#x}", cap.badge)?,
                Cap::ENDPOINT => writeln!(out, "  cap {slot}: call {target}, badge {:#x}", cap.badge)?,
                Cap::TCB => writeln!(out, "  cap {slot}: thread of {target}")?,
                Cap::VCPU => writeln!(out, "  cap {slot}: virtual CPU of {target}")?,
                _ => writeln!(out, "  cap {slot}: I/O ports {:#x}..={:#x}", cap.ports[0], cap.ports[1])?,
            }
        }
        for irq in tables.irqs.iter().filter(|irq| irq.pd == i) {
            let (id, vector) = (irq.id, irq.vector);
            match irq.kind {
                Irq::MSI => writeln!(out, "  irq {id}: vector {vector}, MSI {}", irq.source)?,
                _ => writeln!(out, "  irq {id}: vector {vector}, I/O APIC {} pin {}", irq.source, irq.line)?,
            }
        }
    }
    writeln!(out, "\nmemory regions")?;
    for (i, region) in (0..).zip(&tables.regions).take(system.memory_regions.len()) {
        let paddr =
            if region.paddr == ANYWHERE { "anywhere".to_owned() } else { format!("{:#x}", region.paddr) };
        let page = 1u64 << region.page_bits;
        let maps = tables.maps.iter().filter(|map| map.region == i && map.pd != NONE).count();
        writeln!(
            out,
            "  {}: {:#x} bytes, pages of {page:#x}, at {paddr}, mapped {maps} times",
            region.name, region.size
        )?;
    }
    Ok(())
}

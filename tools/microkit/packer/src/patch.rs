// SPDX-License-Identifier: BSD-2-Clause
//! What is written into a program before it is packed: the values that system.xml asks for and those that the
//! runtime knows its domain by.

use microkit_image::layout::NAME_LENGTH;
use sdf::{PdIndex, ProtectionDomain, SetVar, SetVarValue, System};

use crate::{Found, elf::Program};

/// Writes everything into the program of domain `index`. `symbols` is the ELF file that has the symbols.
pub fn apply(system: &System, index: PdIndex, program: &mut Program, symbols: &Program, found: &mut Found) {
    let pd = &system.protection_domains[index];
    for setvar in &pd.setvars {
        setvar_value(system, setvar, found)
            .inspect(|value| write_setvar(pd, setvar, *value, program, symbols, found));
    }
    for (symbol, bytes) in runtime_symbols(system, index) {
        // A program that never asks has no such symbol.
        if let Some((vaddr, size)) = symbols.symbol(symbol) {
            let fits = size >= bytes.len() as u64 && program.write(vaddr, &bytes);
            if !fits {
                let message = format!("the symbol '{symbol}' of {} is too small", pd.program_image);
                let help =
                    format!("it takes {} bytes: build the program with this project's runtime", bytes.len());
                found.add(pd.program_image.place, "program_image", message, help);
            }
        }
    }
}

/// The value of a variable; none when it has none, which is then an error.
fn setvar_value(system: &System, setvar: &SetVar, found: &mut Found) -> Option<u64> {
    match setvar.value {
        SetVarValue::Vaddr(value) | SetVarValue::Id(value) | SetVarValue::IoPortAddr(value) => Some(value),
        SetVarValue::Size(region) => Some(crate::records::region_size(&system.memory_regions[region])),
        SetVarValue::PrefillSize(region) => system.memory_regions[region].prefill_size.or(Some(0)),
        SetVarValue::RegionPaddr(region) => {
            let region = &system.memory_regions[region];
            if region.phys_addr.is_none() {
                let message = format!("'{}' has no physical address before the system boots", region.name);
                let help = format!("give <memory_region name=\"{}\"> a phys_addr", region.name);
                found.add(setvar.symbol.place, "setvar", message, help);
            }
            region.phys_addr.map(|paddr| paddr.value)
        }
    }
}

fn write_setvar(
    pd: &ProtectionDomain,
    setvar: &SetVar,
    value: u64,
    program: &mut Program,
    symbols: &Program,
    found: &mut Found,
) {
    let name = &setvar.symbol.value;
    let place = setvar.symbol.place;
    let Some((vaddr, size)) = symbols.symbol(name) else {
        let similar =
            symbols.similar(name).map(|similar| format!(" (it has '{similar}')")).unwrap_or_default();
        let message = format!("{} of '{}' has no symbol '{name}'{similar}", pd.program_image, pd.name);
        let help = format!(
            "declare it in the program with memory_region_symbol!({name}: …) or var!({name}: usize = 0) and use it, \
             or take it out of system.xml"
        );
        found.add(place, "setvar", message, help);
        return;
    };
    let bytes = value.to_le_bytes();
    if size != 0 && size < bytes.len() as u64 {
        let message = format!("the symbol '{name}' of {} has {size} bytes", pd.program_image);
        found.add(place, "setvar", message, "make it a 64-bit variable");
    } else if !program.write(vaddr, &bytes) {
        let message = format!("the symbol '{name}' of {} lies outside its segments", pd.program_image);
        found.add(place, "setvar", message, "make it a variable with an initial value");
    }
}

/// What libmicrokit and the runtime know their domain by.
fn runtime_symbols(system: &System, index: PdIndex) -> [(&'static str, Vec<u8>); 6] {
    let pd = &system.protection_domains[index];
    let mut name = [0; NAME_LENGTH];
    for (to, from) in name[..NAME_LENGTH - 1].iter_mut().zip(pd.name.bytes()) {
        *to = from;
    }
    let ends =
        || system.channels.iter().flat_map(|channel| &channel.ends).filter(|end| end.pd.value == index);
    let bits =
        |ids: &mut dyn Iterator<Item = u64>| ids.fold(0, |bits, id| bits | 1u64 << id).to_le_bytes().to_vec();
    [
        ("microkit_name", name.to_vec()),
        ("microkit_passive", vec![pd.passive.value.into()]),
        ("microkit_irqs", bits(&mut pd.irqs.iter().map(|irq| irq.id.value))),
        ("microkit_notifications", bits(&mut ends().filter(|end| end.notify.value).map(|end| end.id.value))),
        ("microkit_pps", bits(&mut ends().filter(|end| end.pp.value).map(|end| end.id.value))),
        ("microkit_ioports", bits(&mut pd.ioports.iter().map(|ioport| ioport.id.value))),
    ]
}

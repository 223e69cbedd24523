// SPDX-License-Identifier: BSD-2-Clause
//! `<map>` and `<iomap>`: a memory region in an address space; and `setvar` attributes.

use super::xml::{Element, Reader};
use crate::error::Error;
use crate::model::{Map, Perms, RegionIndex, SetVar, SetVarValue, System};
use crate::source::At;

impl<'d> Reader<'d> {
    /// A mapping whose address is the attribute `address`; none when its region is not known. The caller has checked
    /// which attributes it has.
    pub(super) fn map(&mut self, element: Element<'d>, address: &str, system: &System) -> Option<Map> {
        let region = self.region(element, "mr", system);
        let vaddr = self.required_number(element, address);
        let perms = self.perms(element);
        let cached = self.boolean(element, "cached", true);
        Some(Map { region: region?, vaddr: vaddr?, perms, cached, place: element.place })
    }

    /// The memory region that the attribute `attribute` names.
    pub(super) fn region(
        &mut self,
        element: Element<'d>,
        attribute: &str,
        system: &System,
    ) -> Option<At<RegionIndex>> {
        let name = self.required(element, attribute)?;
        let found = system.memory_region(name.value).map(|(index, _)| At::new(index, name.place));
        if found.is_none() {
            let names = system.memory_regions.iter().map(|region| region.name.as_str());
            let help = unknown_name_help("memory_region", name.value, names);
            let message = format!("{attribute}=\"{}\" names no memory region", name.value);
            self.error(element, name.place, message, &help);
        }
        found
    }

    fn perms(&mut self, element: Element<'d>) -> At<Perms> {
        let default = Perms { read: true, write: true, execute: false };
        let Some(text) = self.optional(element, "perms") else { return At::new(default, element.place) };
        let iomap = element.name() == "iomap";
        let mut perms = Perms::default();
        for letter in text.chars() {
            match letter {
                'r' => perms.read = true,
                'w' => perms.write = true,
                'x' if !iomap => perms.execute = true,
                _ => {
                    let message = format!("perms=\"{}\" has the letter '{letter}'", text.value);
                    let help =
                        if iomap { "use r, w or rw" } else { "use a combination of r, w and x, as rw" };
                    self.error(element, text.place, message, help);
                    return At::new(default, text.place);
                }
            }
        }
        if perms == Perms::default() {
            self.error(
                element,
                text.place,
                "perms is empty".into(),
                "use a combination of letters, as r or rw",
            );
        }
        if !iomap && perms == (Perms { write: true, ..Perms::default() }) {
            let message = "perms=\"w\" is a write-only mapping, which the kernel does not have".into();
            self.error(element, text.place, message, "use rw");
        }
        At::new(perms, text.place)
    }

    /// Adds the symbol that the attribute `attribute` names, if it is there, to the symbols of one domain.
    pub(super) fn setvar(
        &mut self,
        element: Element<'d>,
        attribute: &str,
        value: SetVarValue,
        setvars: &mut Vec<SetVar>,
    ) {
        let Some(symbol) = self.optional_name(element, attribute) else { return };
        self.add_setvar(element, SetVar { symbol, value }, setvars);
    }

    /// Adds `setvar` unless its symbol is there already.
    pub(super) fn add_setvar(&mut self, element: Element<'d>, setvar: SetVar, setvars: &mut Vec<SetVar>) {
        if let Some(first) = setvars.iter().find(|other| other.symbol.value == setvar.symbol.value) {
            let message = format!("sets the symbol '{}' a second time", setvar.symbol);
            let error = Error::new(setvar.symbol.place, element.name(), message, "use another symbol");
            self.errors.push(error.also(first.symbol.place, "first set here"));
            return;
        }
        setvars.push(setvar);
    }
}

/// The remedy for a name that is none of `names`: the one that was probably meant, or what there is.
pub(super) fn unknown_name_help<'n>(
    element: &str,
    wanted: &str,
    names: impl Iterator<Item = &'n str>,
) -> String {
    let names: Vec<_> = names.collect();
    let nearest = names.iter().map(|name| (distance(wanted, name), *name)).min();
    match nearest {
        None => format!("add a <{element} name=\"{wanted}\" …>"),
        Some((distance, name)) if distance < wanted.len().min(2 + name.len() / 4) => {
            format!("did you mean '{name}'?")
        }
        Some(_) => format!("add a <{element} name=\"{wanted}\" …>, or use one of: {}", names.join(", ")),
    }
}

/// Edits (insert, delete, replace a character) that turn `a` into `b`, of the first 64 characters of each.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

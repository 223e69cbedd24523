// SPDX-License-Identifier: BSD-2-Clause
//! Names are unique among their kind, and nothing is nested that cannot run so.

use super::{Once, Taken};
use crate::error::{Error, Kind};
use crate::model::System;
use crate::source::{At, Place};

pub(super) fn check(system: &System, errors: &mut Vec<Error>) {
    let pds = &system.protection_domains;
    unique("protection_domain", "name", pds.iter().map(|pd| &pd.name), errors);
    unique("memory_region", "name", system.memory_regions.iter().map(|region| &region.name), errors);
    let machines = pds.iter().filter_map(|pd| pd.virtual_machine.as_ref());
    unique("virtual_machine", "name", machines.map(|machine| &machine.name), errors);
    let spaces = &system.io_address_spaces;
    unique("io_address_space", "name", spaces.iter().map(|space| &space.name), errors);
    unique("io_address_space", "peripheral_id", spaces.iter().map(|space| &space.device), errors);
    unique("io_address_space", "domain_id", spaces.iter().map(|space| &space.domain_id), errors);

    for pd in pds.iter().filter(|pd| pd.name.value == "monitor") {
        let message = "name=\"monitor\" is Microkit's own";
        errors.push(Error::new(pd.name.place, "protection_domain", message, "choose another name"));
    }
    for (index, pd) in pds.iter().enumerate() {
        let Some(machine) = &pd.virtual_machine else { continue };
        // VMEnter looks at the notification only, so a fault of a child would wait for ever.
        if let Some((_, child)) = system.children(index).next() {
            let message = format!("'{}' has both a virtual machine and nested protection domains", pd.name);
            let help = "on x86-64 keep one of them: while the machine runs, no fault of a child is received";
            let error = Error::new(machine.place, "virtual_machine", message, help);
            errors.push(error.also(child.place, "nested here").of_kind(Kind::OtherArchitecture));
        }
        if let Some(second) = machine.vcpus.get(1) {
            let message = "is the second of its virtual machine";
            let help = "on x86-64 give each virtual machine one <vcpu>";
            let error = Error::new(second.place, "vcpu", message, help);
            errors.push(error.of_kind(Kind::OtherArchitecture));
        }
    }
}

fn unique<'s, T: Eq + std::hash::Hash + std::fmt::Display + 's>(
    element: &'static str,
    attribute: &str,
    values: impl Iterator<Item = &'s At<T>>,
    errors: &mut Vec<Error>,
) {
    let mut once = Once::new();
    for At { value, place } in values {
        let place: Place = *place;
        once.claim(value, place, errors, || Taken {
            element,
            message: format!("{attribute}=\"{value}\" is taken"),
            help: format!("choose another {attribute}"),
        });
    }
}

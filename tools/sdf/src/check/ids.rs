// SPDX-License-Identifier: BSD-2-Clause
//! Numbers are unique in their domain, vectors and ports in the system, and a call goes upwards in priority.

use super::{Once, Range, Taken, no_overlaps};
use crate::error::Error;
use crate::model::{Channel, ProtectionDomain, System};
use crate::source::At;

pub(super) fn check(system: &System, errors: &mut Vec<Error>) {
    channels_and_irqs(system, errors);
    vectors(system, errors);
    children_and_vcpus(system, errors);
    ioports(system, errors);
    for pd in &system.protection_domains {
        cap_slots(pd, errors);
    }
    for channel in &system.channels {
        calls(system, channel, errors);
    }
}

/// Channels and interrupts of one domain share its numbers.
fn channels_and_irqs(system: &System, errors: &mut Vec<Error>) {
    let mut once = Once::new();
    let irqs = system.protection_domains.iter().enumerate();
    let irqs = irqs.flat_map(|(pd, domain)| domain.irqs.iter().map(move |irq| (pd, irq.id, "irq")));
    let ends =
        system.channels.iter().flat_map(|channel| &channel.ends).map(|end| (end.pd.value, end.id, "end"));
    let mut all: Vec<_> = irqs.chain(ends).collect();
    all.sort_by_key(|(_, id, _)| id.place);
    for (pd, id, element) in all {
        let name = &system.protection_domains[pd].name;
        once.claim((pd, id.value), id.place, errors, || Taken {
            element,
            message: format!("id {id} is taken in protection domain '{name}'"),
            help: "choose another id: channels and interrupts share them".to_owned(),
        });
    }
}

fn vectors(system: &System, errors: &mut Vec<Error>) {
    let mut once = Once::new();
    for irq in system.protection_domains.iter().flat_map(|pd| &pd.irqs) {
        let number = irq.number();
        once.claim(number.value, number.place, errors, || Taken {
            element: "irq",
            message: format!("vector {number} is taken"),
            help: "choose another vector: they are the whole system's".to_owned(),
        });
    }
}

/// Children and virtual CPUs of one domain share its numbers.
fn children_and_vcpus(system: &System, errors: &mut Vec<Error>) {
    for (index, parent) in system.protection_domains.iter().enumerate() {
        let children = system.children(index).filter_map(|(_, child)| Some(child.parent.as_ref()?.id));
        let machine = parent.virtual_machine.iter();
        let vcpus = machine.flat_map(|machine| machine.vcpus.iter().map(|vcpu| (vcpu.id, "vcpu")));
        let mut all: Vec<_> = children.map(|id| (id, "protection_domain")).chain(vcpus).collect();
        all.sort_by_key(|(id, _)| id.place);
        let mut once = Once::new();
        for (id, element) in all {
            once.claim(id.value, id.place, errors, || Taken {
                element,
                message: format!("id {id} is taken in protection domain '{}'", parent.name),
                help: "choose another id: nested protection domains and virtual CPUs share them".to_owned(),
            });
        }
    }
}

fn ioports(system: &System, errors: &mut Vec<Error>) {
    let mut ranges = Vec::new();
    for pd in &system.protection_domains {
        let mut once = Once::new();
        for port in &pd.ioports {
            let At { value: id, place } = port.id;
            once.claim(id, place, errors, || Taken {
                element: "ioport",
                message: format!("id {id} is taken in protection domain '{}'", pd.name),
                help: "choose another id".to_owned(),
            });
            ranges.push(Range {
                start: port.addr.value,
                end: port.addr.saturating_add(port.size.value),
                element: "ioport",
                what: format!("'{}'", pd.name),
                place: port.addr.place,
            });
        }
    }
    no_overlaps(ranges, "ports", "change addr or size: a port belongs to one protection domain", errors);
}

fn cap_slots(pd: &ProtectionDomain, errors: &mut Vec<Error>) {
    let mut once = Once::new();
    for cap in &pd.cap_maps {
        let slot = cap.slot;
        once.claim(slot.value, slot.place, errors, || Taken {
            element: "cspace",
            message: format!("slot {slot} is taken in protection domain '{}'", pd.name),
            help: "choose another slot".to_owned(),
        });
    }
}

/// A protected procedure call goes to a strictly higher priority, so that no cycle of calls can be; and never to a
/// domain that runs a virtual machine, which receives nothing on its endpoint meanwhile.
fn calls(system: &System, channel: &Channel, errors: &mut Vec<Error>) {
    for (caller, callee) in channel.directions().into_iter().filter(|(caller, _)| caller.pp.value) {
        let from = &system.protection_domains[caller.pd.value];
        let to = &system.protection_domains[callee.pd.value];
        if from.priority.value >= to.priority.value {
            let message = format!(
                "lets '{}' (priority {}) call '{}' (priority {}), which is not strictly higher",
                from.name, from.priority, to.name, to.priority
            );
            let help = format!("give '{}' a higher priority than '{}', or remove pp", to.name, from.name);
            let error = Error::new(caller.pp.place, "end", message, help);
            let error = error.also(from.priority.place, format!("priority {} of the caller", from.priority));
            errors.push(error.also(to.priority.place, format!("priority {} of the called", to.priority)));
        }
        if let Some(machine) = &to.virtual_machine {
            let message = format!("lets '{}' call '{}', which runs a virtual machine", from.name, to.name);
            let help = "remove pp and use notifications: on x86-64 such a domain cannot be called";
            let error = Error::new(caller.pp.place, "end", message, help);
            errors.push(error.also(machine.place, "its virtual machine"));
        }
    }
}

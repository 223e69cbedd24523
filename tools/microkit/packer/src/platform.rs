// SPDX-License-Identifier: BSD-2-Clause
//! What Microkit offers and this kernel (seL4 5.0.0 without MCS) does not.

use sdf::{BUDGET_DEFAULT, System};

use crate::Found;

/// What else there is for a system that needs it.
const SDK: &str = "leave it out here, or build the system with the Microkit SDK";

/// Refuses what the kernel cannot do.
pub fn check(system: &System, found: &mut Found) {
    for pd in &system.protection_domains {
        let name = &pd.name.value;
        let mut refuse = |place, element: &str, what: &str| {
            found.add(place, element, format!("{what} of '{name}' is not possible on this kernel"), SDK);
        };
        for (time, attribute) in [(pd.budget, "budget"), (pd.period, "period")] {
            if let Some(time) = time.filter(|time| time.value != BUDGET_DEFAULT) {
                refuse(time.place, "protection_domain", &format!("the {attribute} (no MCS scheduling)"));
            }
        }
        if pd.cpu.value != 0 {
            refuse(pd.cpu.place, "protection_domain", "a core other than 0 (a single-core kernel)");
        }
        if let Some(domain) = &pd.domain {
            refuse(domain.place, "protection_domain", "the scheduling domain");
        }
        let vcpus = pd.virtual_machine.iter().flat_map(|machine| &machine.vcpus);
        for cpu in vcpus.filter_map(|vcpu| vcpu.cpu).filter(|cpu| cpu.value != 0) {
            refuse(cpu.place, "vcpu", "a core other than 0 (a single-core kernel)");
        }
        for cap in &pd.cap_maps {
            refuse(cap.place, "cspace", "the capability to another domain's object");
        }
    }
    for region in &system.memory_regions {
        if let Some(kind) = &region.prefill_bootinfo {
            let message =
                format!("'{}' is to be filled with boot information, which this kernel has not", region.name);
            found.add(kind.place, "memory_region", message, SDK);
        }
    }
    for space in &system.io_address_spaces {
        let message = format!("'{}': the kernel leaves the IOMMU to a protection domain here", space.name);
        found.add(space.place, "io_address_space", message, SDK);
    }
    if let Some(domains) = &system.domains {
        found.add(domains.place, "domains", "a domain schedule is not possible on this kernel", SDK);
    }
}

/// Where the meaning is weaker than Microkit's, a line each.
pub fn notes(system: &System) -> Vec<String> {
    let passive = system.protection_domains.iter().filter(|pd| pd.passive.value).map(|pd| {
        format!(
            "{}:{}: protection domain '{}' is passive: on this kernel without MCS it runs as an active one",
            system.source.name(),
            pd.passive.place,
            pd.name
        )
    });
    let no_fpu = system.protection_domains.iter().filter(|pd| !pd.fpu.value).map(|pd| {
        format!(
            "{}:{}: protection domain '{}' has fpu=\"false\": this kernel lets every domain use the FPU",
            system.source.name(),
            pd.fpu.place,
            pd.name
        )
    });
    passive.chain(no_fpu).collect()
}

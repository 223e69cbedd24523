// SPDX-License-Identifier: BSD-2-Clause
//! The server's memory is its alone, and nobody has power over the server.

use sdf::{PdIndex, RegionIndex};

use super::{Auditor, Rule};
use crate::policy::{self, Policy};

impl Auditor<'_> {
    pub(super) fn server(&mut self, policy: &Policy<'_>) {
        for (name, _) in policy.server_regions() {
            self.known_region(name);
        }
        let Some(server) = policy.server(self.system) else {
            let name = &policy.schema.pd;
            let message =
                format!("there is no protection domain {}, which is to own the unit", name.as_ref());
            self.in_policy(
                Rule::UnknownName,
                name.span(),
                message,
                "correct the name, or add the protection domain",
            );
            return;
        };
        for (name, what) in policy.server_regions() {
            if let Some((region, _)) = policy::region(self.system, name) {
                self.alone(server, region, what);
            }
        }
        self.nobody_above(server);
    }

    /// Reports every domain but the server that maps `region`, by itself or by its virtual machine.
    fn alone(&mut self, server: PdIndex, region: RegionIndex, what: &str) {
        let system = self.system;
        for (index, pd) in system.protection_domains.iter().enumerate() {
            let own = pd.maps.iter().filter(|_| index != server).map(|map| (&pd.name, map));
            let machine = pd
                .virtual_machine
                .iter()
                .flat_map(|machine| machine.maps.iter().map(|map| (&machine.name, map)));
            for (name, map) in own.chain(machine).filter(|(_, map)| *map.region == region) {
                let region = &system.memory_regions[region].name;
                let owner = &system.protection_domains[server].name;
                let message = format!("{name} maps {region}, {what}, which must be {owner}'s alone");
                self.in_system(Rule::ServerMemory, map.place, message, "remove the <map>");
            }
        }
    }

    fn nobody_above(&mut self, server: PdIndex) {
        let system = self.system;
        let domain = &system.protection_domains[server];
        let name = &domain.name;
        if let Some(parent) = &domain.parent {
            let parent = &system.protection_domains[parent.pd].name;
            let message = format!("{parent} is the parent of {name} and can stop and restart it");
            let help = "move the server out of its parent";
            self.in_system(Rule::ServerControlled, domain.place, message, help);
            // Microkit takes a passive domain's scheduling context away after its first start.
            if domain.passive.value {
                let message =
                    format!("{name} is passive: {parent} can stop it, and nobody can start it again");
                let help = "take passive=\"true\" away, if its parent is to restart it on the Microkit SDK";
                self.in_system(Rule::ServerRestart, domain.passive.place, message, help);
            }
        }
        for pd in &system.protection_domains {
            for cap in pd.cap_maps.iter().filter(|cap| *cap.pd == server) {
                let message = format!("{} holds a capability to an object of {name}", pd.name);
                self.in_system(Rule::ServerControlled, cap.place, message, "remove it from <cspace>");
            }
        }
    }
}

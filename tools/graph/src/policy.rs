// SPDX-License-Identifier: BSD-2-Clause
//! What `ioasid.toml` adds to a picture: the unit, the devices' names and registers, what is granted, and the quotas.

use config_compiler::Schema;
use sdf::RegionIndex;
use toml::Spanned;

use crate::drawing::Drawing;
use crate::picture::{Actor, ActorKind, By};

impl Drawing<'_> {
    /// Adds what `policy` says. Comes before the system's interrupts, which go by the names of the devices.
    pub(crate) fn policy(&mut self, policy: &Schema) {
        let server = self.system.protection_domain(policy.pd.as_ref()).map(|(index, _)| index);
        let bits = policy
            .unit
            .pasid_bits
            .as_ref()
            .map(|bits| (String::new(), format!("{} PASID bits", bits.as_ref())));
        let facts = bits.into_iter().collect();
        let unit = self.push(Actor { kind: ActorKind::Unit, name: "VT-d unit".to_owned(), facts });
        if let Some(hardware) = policy.unit.hardware() {
            self.unit = server.map(|server| (unit, server, *hardware.fault_irq.as_ref()));
            self.registers(hardware.registers, unit, "registers");
            if let Some(tables) = self.named(hardware.tables) {
                self.reaches(tables, unit, "walks".to_owned(), By::Dma);
            }
        }

        let columns: Vec<usize> = policy.devices.iter().map(|device| self.policy_device(device)).collect();
        for client in &policy.clients {
            if let Some((pd, _)) = self.system.protection_domain(client.pd.as_ref()) {
                let facts = &mut self.picture.actors[pd].facts;
                if let Some(reservation) = &client.reservation {
                    facts.push(("PASIDs".to_owned(), format!("{} reserved", reservation.as_ref())));
                }
                if let Some(limit) = &client.limit {
                    let heading = if client.reservation.is_none() { "PASIDs" } else { "" };
                    facts.push((heading.to_owned(), format!("{} at most", limit.as_ref())));
                }
                if client.admin {
                    facts.push((String::new(), "administers all sets".to_owned()));
                }
            }
            for (device, column) in policy.devices.iter().zip(&columns) {
                if !client.devices.iter().any(|name| name.as_ref() == device.name.as_ref()) {
                    continue;
                }
                for grant in &client.memory {
                    let mark = ["", "r", "w", "rw"]
                        .into_iter()
                        .nth(grant.access.bits() as usize)
                        .unwrap_or_default();
                    if let Some(region) = self.named(&grant.region) {
                        self.reaches(region, *column, mark.to_owned(), By::Dma);
                    }
                }
            }
        }
    }

    fn policy_device(&mut self, device: &config_compiler::Device) -> usize {
        let address = device.address.as_ref();
        let facts = vec![(String::new(), format!("PCI {address}"))];
        let column = self.push(Actor { kind: ActorKind::Device, name: device.name.as_ref().clone(), facts });
        if let Ok(address) = address.parse() {
            self.devices.insert(address, column);
        }
        for (number, region) in &device.bars {
            self.registers(region, column, &format!("BAR {}", number.as_ref()));
        }
        column
    }

    fn registers(&mut self, name: &Spanned<String>, actor: usize, mark: &str) {
        if let Some(region) = self.named(name) {
            self.reaches(region, actor, mark.to_owned(), By::Registers);
        }
    }

    /// The memory region of that name, or a note that there is none.
    fn named(&mut self, name: &Spanned<String>) -> Option<RegionIndex> {
        let found = self.system.memory_region(name.as_ref()).map(|(index, _)| index);
        if found.is_none() {
            let note = format!("ioasid.toml names the memory region {}, which is not there", name.as_ref());
            if !self.picture.notes.contains(&note) {
                self.picture.notes.push(note);
            }
        }
        found
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! What is granted is one client's, and devices are in the hands of those who own them.

use std::collections::BTreeMap;

use config_compiler::{Client, Device};
use sdf::{IrqKind, RegionIndex};

use super::{Auditor, Rule};
use crate::policy::{self, Policy};

impl Auditor<'_> {
    pub(super) fn grants(&mut self, policy: &Policy<'_>) {
        let mut devices = BTreeMap::new();
        let mut regions = BTreeMap::new();
        for client in &policy.schema.clients {
            for name in &client.devices {
                if policy.device(name.as_ref()).is_none() {
                    let message = format!("there is no [[device]] {}", name.as_ref());
                    self.in_policy(
                        Rule::UnknownName,
                        name.span(),
                        message,
                        "correct the name, or add the [[device]]",
                    );
                }
                if let Some(other) = devices.insert(name.as_ref().as_str(), client.pd.as_ref()) {
                    let message = format!("the device {} is granted to {other} already", name.as_ref());
                    self.in_policy(Rule::GrantedTwice, name.span(), message, "take it from one of them");
                }
            }
            for grant in &client.memory {
                let Some(region) = self.known_region(&grant.region) else { continue };
                if let Some(other) = regions.insert(region, client.pd.as_ref()) {
                    let message =
                        format!("the memory of {} is granted to {other} already", grant.region.as_ref());
                    let help = "grant each region once: what two clients have their devices share";
                    self.in_policy(Rule::GrantedTwice, grant.region.span(), message, help);
                }
                self.memory(policy, client, grant, region);
            }
        }
        for device in &policy.schema.devices {
            self.device(policy, device);
        }
        self.same_address(policy);
    }

    fn memory(
        &mut self,
        policy: &Policy<'_>,
        client: &Client,
        grant: &config_compiler::Grant,
        region: RegionIndex,
    ) {
        let system = self.system;
        let name = grant.region.as_ref();
        if system.memory_regions[region].phys_addr.is_none() {
            let message = format!("{name} is granted and has no fixed physical address");
            let help = "give it a phys_addr in system.xml: the unit is told physical addresses";
            self.in_policy(Rule::GrantedWithoutAddress, grant.region.span(), message, help);
        }
        if let Some((_, what)) = policy.server_regions().iter().find(|(own, _)| own.as_ref() == name) {
            let message =
                format!("{name}, {what}, is granted to {}: its devices could rewrite it", client.pd.as_ref());
            self.in_policy(Rule::GrantedServerMemory, grant.region.span(), message, "remove the grant");
            return;
        }
        if let Some(device) =
            policy.schema.devices.iter().find(|device| device.bars.values().any(|bar| bar.as_ref() == name))
        {
            let message = format!("{name} is granted and holds registers of {}", device.name.as_ref());
            let help = "grant memory only, unless one device is to drive the other";
            self.in_policy(Rule::GrantOfRegisters, grant.region.span(), message, help);
        }
        let owner = policy::pd(system, &client.pd);
        for (index, pd) in
            system.protection_domains.iter().enumerate().filter(|(index, _)| Some(*index) != owner)
        {
            for map in pd.maps.iter().filter(|map| *map.region == region) {
                let server = if policy.server(system) == Some(index) { ", the server" } else { "" };
                let message =
                    format!("{}{server} maps {name}, which devices of {} reach", pd.name, client.pd.as_ref());
                let help = "remove the <map>, unless the two are to share it";
                self.in_system(Rule::GrantShared, map.place, message, help);
            }
        }
    }

    fn device(&mut self, policy: &Policy<'_>, device: &Device) {
        let system = self.system;
        let name = device.name.as_ref();
        let owners: Vec<_> =
            policy.owners(device).filter_map(|client| policy::pd(system, &client.pd)).collect();
        if policy.owners(device).next().is_none() {
            let message = format!("no client is granted the device {name}: its DMA stays cut off");
            let help = "name it in a client's devices, or remove it";
            self.in_policy(Rule::DeviceWithoutOwner, device.name.span(), message, help);
        }
        for bar in device.bars.values() {
            let Some(region) = self.known_region(bar) else { continue };
            for (index, pd) in system.protection_domains.iter().enumerate() {
                for map in pd.maps.iter().filter(|map| *map.region == region && !owners.contains(&index)) {
                    let message = format!(
                        "{} maps {}, registers of {name}, which it does not own",
                        pd.name,
                        bar.as_ref()
                    );
                    self.in_system(
                        Rule::DeviceRegisters,
                        map.place,
                        message,
                        "remove the <map>, or grant it the device",
                    );
                }
            }
        }
        let Some(address) = policy::address(device) else {
            let message = format!("\"{}\" is not the address of a PCI function", device.address.as_ref());
            let help = "write bus:device.function in hexadecimal, as 00:03.0";
            self.in_policy(Rule::UnknownName, device.address.span(), message, help);
            return;
        };
        for (index, pd) in system.protection_domains.iter().enumerate() {
            for irq in pd.irqs.iter().filter(|_| !owners.contains(&index)) {
                if matches!(&irq.kind, IrqKind::Msi { pcidev, .. } if pcidev.value == address) {
                    let message = format!("{} gets interrupts of {name}, which it does not own", pd.name);
                    self.in_system(
                        Rule::DeviceInterrupt,
                        irq.place,
                        message,
                        "move the <irq> to the device's client",
                    );
                }
            }
        }
    }

    /// Two names for one function are one device.
    fn same_address(&mut self, policy: &Policy<'_>) {
        let mut seen = BTreeMap::new();
        for device in &policy.schema.devices {
            let Some(address) = policy::address(device) else { continue };
            if let Some(other) = seen.insert(address, device.name.as_ref()) {
                let message =
                    format!("{} and {other} are the same PCI function, {address}", device.name.as_ref());
                self.in_policy(
                    Rule::GrantedTwice,
                    device.address.span(),
                    message,
                    "give each function one [[device]]",
                );
            }
        }
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! What the machine itself gives power over everything: PCI configuration space, the addresses of interrupts, and
//! the unit in the kernel's hands.

use sdf::{IrqKind, MemoryRegion, PdIndex};

use super::{Auditor, Rule};
use crate::policy;

/// PCI's configuration ports: address and data.
const CONFIG_PORTS: std::ops::Range<u64> = 0xcf8..0xd00;

/// One bus of PCI configuration space takes 1 MiB, and there are 256 (PCI Express 7.2.2).
const ECAM_SIZE: u64 = 256 << 20;

/// Writes here are interrupts, by CPU to the local APIC and by DMA to any (VT-d 3.14).
const INTERRUPT_ADDRESSES: std::ops::Range<u64> = 0xfee0_0000..0xfef0_0000;

impl Auditor<'_> {
    pub(super) fn machine(&mut self) {
        let server = self.policy.and_then(|policy| policy.server(self.system));
        self.config_ports(server);
        self.windows(server);
        let Some(policy) = self.policy else { return };
        for space in &self.system.io_address_spaces {
            let message = format!(
                "the kernel makes tables for {} in the unit that {} owns",
                space.name,
                policy.schema.pd.as_ref()
            );
            let help = "grant the memory in ioasid.toml instead of <io_address_space>";
            self.in_system(Rule::KernelIommu, space.place, message, help);
        }
        self.undeclared_devices();
    }

    fn config_ports(&mut self, server: Option<PdIndex>) {
        for (index, pd) in self.system.protection_domains.iter().enumerate() {
            for port in pd.ioports.iter().filter(|_| server != Some(index)) {
                let end = port.addr.saturating_add(*port.size);
                if port.addr.value < CONFIG_PORTS.end && CONFIG_PORTS.start < end {
                    let message = format!(
                        "{} has PCI's configuration ports, with which every device can be redirected",
                        pd.name
                    );
                    let help = "remove the <ioport>: only the server configures devices";
                    self.in_system(Rule::ConfigurationSpace, port.place, message, help);
                }
            }
        }
    }

    /// Regions at addresses that give power, apart from those that the server declares.
    fn windows(&mut self, server: Option<PdIndex>) {
        let declared = self.policy.map(|policy| {
            let regions = policy.server_regions().into_iter();
            regions.map(|(name, _)| name.as_ref().as_str()).collect::<Vec<_>>()
        });
        let hardware = self.policy.and_then(|policy| policy.schema.unit.hardware());
        let ecam = hardware.and_then(|hardware| policy::region(self.system, hardware.ecam));
        let ecam = ecam
            .and_then(|(_, region)| region.phys_addr)
            .map(|start| start.value..start.saturating_add(ECAM_SIZE));
        for (index, region) in self.system.memory_regions.iter().enumerate() {
            if declared.as_ref().is_some_and(|names| names.contains(&region.name.as_str())) {
                continue;
            }
            for (pd_index, pd) in self.system.protection_domains.iter().enumerate() {
                let machine = pd.virtual_machine.iter().flat_map(|machine| &machine.maps);
                let Some(map) = pd.maps.iter().chain(machine).find(|map| *map.region == index) else {
                    continue;
                };
                if overlaps(region, &INTERRUPT_ADDRESSES) {
                    let message = format!(
                        "{} maps {}, where interrupts of all kinds can be made",
                        pd.name, region.name
                    );
                    self.in_system(Rule::InterruptAddresses, map.place, message, "remove the <map>");
                }
                if ecam.as_ref().is_some_and(|ecam| overlaps(region, ecam)) && server != Some(pd_index) {
                    let message = format!(
                        "{} maps {}, which is PCI configuration space of further buses",
                        pd.name, region.name
                    );
                    let help = "remove the <map>: only the server configures devices";
                    self.in_system(Rule::ConfigurationSpace, map.place, message, help);
                }
            }
        }
    }

    /// PCI functions that send interrupts, so that someone drives them, and that nothing is said about.
    fn undeclared_devices(&mut self) {
        let Some(policy) = self.policy else { return };
        let declared: Vec<_> = policy.schema.devices.iter().filter_map(policy::address).collect();
        for (index, pd) in self.system.protection_domains.iter().enumerate() {
            for irq in &pd.irqs {
                let IrqKind::Msi { pcidev, .. } = &irq.kind else { continue };
                let of_the_unit = policy.server(self.system) == Some(index)
                    && policy.schema.unit.hardware().is_some_and(|unit| *irq.id == *unit.fault_irq.as_ref());
                if !of_the_unit && !declared.contains(&pcidev.value) {
                    let message = format!(
                        "{} gets interrupts of PCI {pcidev}, which is no [[device]]: its DMA stays cut off",
                        pd.name
                    );
                    let help = "add a [[device]] and grant it to a client, or remove the <irq>";
                    self.in_system(Rule::DeviceNotDeclared, irq.place, message, help);
                }
            }
        }
    }
}

/// Whether a region with a fixed place lies in `range` in part.
fn overlaps(region: &MemoryRegion, range: &std::ops::Range<u64>) -> bool {
    let Some(start) = region.phys_addr else { return false };
    let size = region.size.map_or(*region.page_size, |size| size.value);
    start.value < range.end && range.start < start.saturating_add(size)
}

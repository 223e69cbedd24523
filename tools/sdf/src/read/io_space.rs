// SPDX-License-Identifier: BSD-2-Clause
//! `<io_address_space>`.

use super::xml::{Element, Reader};
use crate::model::{IoAddressSpace, System};

impl<'d> Reader<'d> {
    /// Adds one of the kernel's IOMMU address spaces to `system`.
    pub(super) fn io_address_space(&mut self, element: Element<'d>, system: &mut System) {
        self.known_attributes(element, &["name", "peripheral_id", "domain_id"]);
        let name = self.name(element, "name");
        let device = self.pci_address(element, "peripheral_id");
        let domain_id = self.required_number(element, "domain_id");
        let mut maps = Vec::new();
        for child in self.children(element) {
            if child.name() == "iomap" {
                self.leaf(child, &["mr", "iovaddr", "perms"]);
                let map = self.map(child, "iovaddr", system);
                maps.extend(map);
            } else {
                self.unknown_element(child, &["iomap"]);
            }
        }
        if let (Some(name), Some(device), Some(domain_id)) = (name, device, domain_id) {
            system.io_address_spaces.push(IoAddressSpace {
                name,
                device,
                domain_id,
                maps,
                place: element.place,
            });
        }
    }
}

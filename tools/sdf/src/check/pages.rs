// SPDX-License-Identifier: BSD-2-Clause
//! The page size of each memory region that does not give one: the largest that its size, its physical address and
//! every address that it is mapped at allow. (The kernel's IOMMU has no large pages.)

use crate::limits::PAGE_SIZES;
use crate::model::System;

pub(super) fn settle(system: &mut System) {
    let count = system.memory_regions.len();
    // The bits of every address and size that a region's page size must divide.
    let mut bits: Vec<u64> = vec![0; count];
    for (region, bits) in system.memory_regions.iter().zip(&mut bits) {
        *bits |= region.size.map_or(PAGE_SIZES[0], |size| size.value);
        *bits |= region.phys_addr.map_or(0, |start| start.value);
    }
    let machines = system.protection_domains.iter().filter_map(|pd| pd.virtual_machine.as_ref());
    let machine_maps = machines.flat_map(|machine| &machine.maps);
    for map in system.protection_domains.iter().flat_map(|pd| &pd.maps).chain(machine_maps) {
        bits[map.region.value] |= map.vaddr.value;
    }
    for map in system.io_address_spaces.iter().flat_map(|space| &space.maps) {
        bits[map.region.value] |= PAGE_SIZES[0];
    }
    for (region, bits) in system.memory_regions.iter_mut().zip(bits) {
        // An attribute of its own lies elsewhere than the element.
        if region.page_size.place == region.place {
            let fits = PAGE_SIZES.into_iter().rev().find(|size| bits.is_multiple_of(*size));
            region.page_size.value = fits.unwrap_or(PAGE_SIZES[0]);
        }
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! Mappings are aligned, lie in their address space and overlap nothing; so do physical addresses.

use super::{Range, no_overlaps};
use crate::error::{Error, Kind};
use crate::limits::{IOVA_TOP, USER_TOP, map_top};
use crate::model::{Map, ProtectionDomain, SetVarValue, System};

pub(super) fn check(system: &System, errors: &mut Vec<Error>) {
    for pd in &system.protection_domains {
        let owner = format!("protection domain '{}'", pd.name);
        let top = map_top(pd.stack_size.value);
        let space = Space { owner, element: "map", addresses: "virtual addresses", attribute: "vaddr", top };
        maps(system, &space, &pd.maps, errors);
        if let Some(machine) = &pd.virtual_machine {
            let owner = format!("virtual machine '{}'", machine.name);
            let space = Space { owner, addresses: "guest-physical addresses", top: USER_TOP, ..space };
            maps(system, &space, &machine.maps, errors);
        }
        setvars(system, pd, errors);
    }
    for io in &system.io_address_spaces {
        let owner = format!("I/O address space '{}'", io.name);
        let space = Space {
            owner,
            element: "iomap",
            addresses: "I/O addresses",
            attribute: "iovaddr",
            top: IOVA_TOP,
        };
        maps(system, &space, &io.maps, errors);
        for map in &io.maps {
            let region = &system.memory_regions[map.region.value];
            if region.page_size.value > 0x1000 {
                let message = format!("maps '{}', whose pages are larger than 4 KiB", region.name);
                let help =
                    "give the memory region page_size=\"0x1000\": the kernel's IOMMU has no larger pages";
                let error = Error::new(map.region.place, "iomap", message, help);
                errors.push(error.also(region.page_size.place, "page size given here"));
            }
        }
    }
    physical(system, errors);
}

/// An address space and what its parts are called.
struct Space {
    owner: String,
    element: &'static str,
    addresses: &'static str,
    attribute: &'static str,
    /// First address that is not valid.
    top: u64,
}

fn maps(system: &System, space: &Space, maps: &[Map], errors: &mut Vec<Error>) {
    let mut ranges = Vec::new();
    for map in maps {
        let region = &system.memory_regions[map.region.value];
        let (start, page) = (map.vaddr.value, region.page_size.value);
        if !start.is_multiple_of(page) {
            let message = format!(
                "{} is {start:#x}, not a multiple of the page size {page:#x} of '{}'",
                space.attribute, region.name
            );
            let help = format!("use a multiple of {page:#x}, or smaller pages for the region");
            errors.push(Error::new(map.vaddr.place, space.element, message, help));
        }
        // A size that is not known yet is at least a page.
        let size = region.size.map_or(page, |size| size.value);
        let end = start.checked_add(size).filter(|end| *end <= space.top);
        let Some(end) = end else {
            let message = format!(
                "maps '{}' ({size:#x} bytes) at {start:#x}, beyond the last of the {} of {}, {:#x}",
                region.name,
                space.addresses,
                space.owner,
                space.top - 1
            );
            let help = format!("choose a lower {}", space.attribute);
            errors.push(Error::new(map.vaddr.place, space.element, message, help));
            continue;
        };
        let what = format!("'{}'", region.name);
        ranges.push(Range { start, end, element: space.element, what, place: map.place });
    }
    let kind = format!("{} in {}", space.addresses, space.owner);
    no_overlaps(ranges, &kind, &format!("choose another {}", space.attribute), errors);
}

fn physical(system: &System, errors: &mut Vec<Error>) {
    let fixed = system.memory_regions.iter().filter_map(|region| {
        let start = region.phys_addr?;
        let size = region.size.map_or(region.page_size.value, |size| size.value);
        Some(Range {
            start: start.value,
            end: start.saturating_add(size),
            element: "memory_region",
            what: format!("'{}'", region.name),
            place: start.place,
        })
    });
    no_overlaps(fixed.collect(), "physical addresses", "choose another phys_addr or size", errors);
}

/// What is patched in must be known: a prefill's size needs a prefill, a physical address a fixed one.
fn setvars(system: &System, pd: &ProtectionDomain, errors: &mut Vec<Error>) {
    for setvar in &pd.setvars {
        let (region, element, message, help, kind) = match setvar.value {
            SetVarValue::PrefillSize(region) if system.memory_regions[region].prefill_path.is_none() => {
                let help = "give the memory region a prefill_path, or remove setvar_prefill_size";
                (region, "map", "has no file that fills it", help, Kind::Wrong)
            }
            SetVarValue::RegionPaddr(region) if system.memory_regions[region].phys_addr.is_none() => {
                let help = "give the memory region a phys_addr: on x86-64 it is not known otherwise";
                (region, "setvar", "has no fixed physical address", help, Kind::OtherArchitecture)
            }
            _ => continue,
        };
        let region = &system.memory_regions[region];
        let message =
            format!("sets '{}' from memory region '{}', which {message}", setvar.symbol, region.name);
        let error = Error::new(setvar.symbol.place, element, message, help).of_kind(kind);
        errors.push(error.also(region.place, "the memory region"));
    }
}

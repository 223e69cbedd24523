// SPDX-License-Identifier: BSD-2-Clause
//! Names of `ioasid.toml` in `system.xml`: what they stand for, who maps it, and how.

use std::ops::Range;

use ioasid_config::Window;
use sdf::{Map, MemoryRegion, PdIndex, ProtectionDomain, RegionIndex};
use toml::Spanned;

use super::Compiler;
use crate::spelling::suggest;

/// What is written here is an interrupt, by whomever (VT-d 3.14).
const INTERRUPTS: Range<u64> = 0xfee0_0000..0xfef0_0000;

impl<'a> Compiler<'a> {
    pub(super) fn domain(&mut self, name: &Spanned<String>) -> Option<PdIndex> {
        if let Some((index, _)) = self.system.protection_domain(name.as_ref()) {
            return Some(index);
        }
        let known = self.system.protection_domains.iter().map(|pd| pd.name.value.as_str());
        self.wrong(
            name.span(),
            format!("system.xml has no protection domain \"{}\"", name.as_ref()),
            suggest(name.as_ref(), known),
        )
    }

    pub(super) fn pd(&self, index: PdIndex) -> &'a ProtectionDomain {
        &self.system.protection_domains[index]
    }

    /// The region `name`, which is used as `what` and as nothing else.
    fn region(&mut self, name: &Spanned<String>, what: &str) -> Option<(RegionIndex, &'a MemoryRegion)> {
        let Some((index, region)) = self.system.memory_region(name.as_ref()) else {
            let known = self.system.memory_regions.iter().map(|region| region.name.value.as_str());
            return self.wrong(
                name.span(),
                format!("system.xml has no memory region \"{}\"", name.as_ref()),
                suggest(name.as_ref(), known),
            );
        };
        match self.uses.insert(index, what.to_owned()) {
            None => Some((index, region)),
            Some(other) if other == what => self.wrong(
                name.span(),
                format!("the region \"{}\" is {what} already", name.as_ref()),
                "name each region once",
            ),
            Some(other) => self.wrong(
                name.span(),
                format!("the region \"{}\" is {other} already, and cannot be {what}", name.as_ref()),
                "give each its own <memory_region>",
            ),
        }
    }

    fn map_of(&self, region: RegionIndex, pd: PdIndex) -> Option<&'a Map> {
        self.pd(pd).maps.iter().find(|map| *map.region == region)
    }

    fn map_named(&self, name: &Spanned<String>, pd: PdIndex) -> Option<&'a Map> {
        let (region, _) = self.system.memory_region(name.as_ref())?;
        self.map_of(region, pd)
    }

    /// Whether the domain, or the virtual machine that it runs, maps the region.
    fn reaches(&self, region: RegionIndex, pd: PdIndex) -> bool {
        let machine = self.pd(pd).virtual_machine.as_ref();
        let guest = machine.is_some_and(|machine| machine.maps.iter().any(|map| *map.region == region));
        guest || self.map_of(region, pd).is_some()
    }

    /// The region `name`, which is `what`, where `pd` maps it; with where it is mapped.
    pub(super) fn mapped(
        &mut self,
        name: &Spanned<String>,
        what: &str,
        pd: PdIndex,
    ) -> Option<(RegionIndex, Window)> {
        let (index, region) = self.region(name, what)?;
        let map = self.map_in(name, index, pd)?;
        let paddr = region.phys_addr.as_ref().map_or(0, |address| address.value);
        let size = region.size.as_ref().map_or(0, |size| size.value);
        Some((index, Window { vaddr: *map.vaddr, paddr, size }))
    }

    /// How `pd` maps the region.
    pub(super) fn map_in(
        &mut self,
        name: &Spanned<String>,
        region: RegionIndex,
        pd: PdIndex,
    ) -> Option<&'a Map> {
        let domain = &self.pd(pd).name.value;
        self.map_of(region, pd).or_else(|| {
            self.wrong(
                name.span(),
                format!("{domain} does not map the region \"{}\"", name.as_ref()),
                format!("add <map mr=\"{}\" … /> to {domain} in system.xml", name.as_ref()),
            )
        })
    }

    /// As [`Self::mapped`], where nobody else maps the region.
    pub(super) fn own(&mut self, name: &Spanned<String>, what: &str, pd: PdIndex) -> Option<Window> {
        let (index, window) = self.mapped(name, what, pd)?;
        self.nobody_else(name, index, what, &[pd]);
        Some(window)
    }

    /// As [`Self::own`], for a region whose physical address must be known.
    pub(super) fn placed(&mut self, name: &Spanned<String>, what: &str, pd: PdIndex) -> Option<Window> {
        let window = self.own(name, what, pd)?;
        if window.paddr == 0 {
            self.wrong::<()>(
                name.span(),
                format!("the region \"{}\" has no fixed place in physical memory", name.as_ref()),
                "give it a phys_addr in system.xml: it is reached by its physical address",
            );
        }
        if window.paddr < INTERRUPTS.end && INTERRUPTS.start < window.paddr.saturating_add(window.size) {
            let Range { start, end } = INTERRUPTS;
            self.wrong::<()>(
                name.span(),
                format!(
                    "the region \"{}\" reaches into {start:#x}..{end:#x}, where interrupts are sent to",
                    name.as_ref()
                ),
                "give it another phys_addr in system.xml: no memory and no device's registers are there",
            );
        }
        Some(window)
    }

    /// As [`Self::placed`], for registers.
    pub(super) fn registers(&mut self, name: &Spanned<String>, what: &str, pd: PdIndex) -> Option<Window> {
        let window = self.placed(name, what, pd)?;
        if self.map_named(name, pd).is_some_and(|map| *map.cached) {
            let domain = &self.pd(pd).name.value;
            self.wrong::<()>(
                name.span(),
                format!("{domain} maps \"{}\" as memory, and it is {what}", name.as_ref()),
                format!("add cached=\"false\" to the <map> in {domain} in system.xml"),
            );
        }
        Some(window)
    }

    /// That `pd`, which maps the region, may read and write it.
    pub(super) fn read_write(&mut self, name: &Spanned<String>, pd: PdIndex) {
        let domain = &self.pd(pd).name.value;
        if self.map_named(name, pd).is_some_and(|map| !map.perms.read || !map.perms.write) {
            self.wrong::<()>(
                name.span(),
                format!("{domain} may not both read and write \"{}\"", name.as_ref()),
                format!("map it in {domain} with perms=\"rw\" in system.xml"),
            );
        }
    }

    /// That nobody but `owners` maps the region, which is `what`.
    pub(super) fn nobody_else(
        &mut self,
        name: &Spanned<String>,
        region: RegionIndex,
        what: &str,
        owners: &[PdIndex],
    ) {
        let mut others = (0..self.system.protection_domains.len()).filter(|other| !owners.contains(other));
        if let Some(other) = others.find(|&other| self.reaches(region, other)) {
            let other = &self.pd(other).name.value;
            let owners: Vec<_> = owners.iter().map(|&owner| self.pd(owner).name.value.as_str()).collect();
            self.wrong::<()>(
                name.span(),
                format!(
                    "{other} maps \"{}\", which is {what} and for {} alone",
                    name.as_ref(),
                    owners.join(" and ")
                ),
                format!("take the <map> out of {other} in system.xml"),
            );
        }
    }
}

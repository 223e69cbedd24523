// SPDX-License-Identifier: BSD-2-Clause
//! `ioasid.toml` beside the system that it belongs to, every name looked up.

use std::ops::Range;

use config_compiler::{Client, Device, Problems, Schema};
use sdf::{MemoryRegion, PciAddress, PdIndex, RegionIndex, System};
use toml::Spanned;

/// An `ioasid.toml` with its text, so that a place in it has a line and a column.
#[derive(Clone, Debug)]
pub struct Policy<'t> {
    /// What the file is called.
    pub file_name: &'t str,
    text: &'t str,
    /// What it says.
    pub schema: Schema,
}

impl<'t> Policy<'t> {
    /// Reads `text`, the contents of the file `file_name`.
    ///
    /// # Errors
    /// What is not TOML, and keys and values that do not belong.
    pub fn parse(file_name: &'t str, text: &'t str) -> Result<Self, Problems> {
        Ok(Self { file_name, text, schema: Schema::parse(file_name, text)? })
    }

    /// Line and column, from 1, of the start of a span.
    pub(crate) fn position(&self, span: &Range<usize>) -> (u32, u32) {
        let before = self.text.get(..span.start).unwrap_or_default();
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count());
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        (small(before.matches('\n').count() + 1), small(column + 1))
    }

    /// The server, if the system has it.
    pub(crate) fn server(&self, system: &System) -> Option<PdIndex> {
        pd(system, &self.schema.pd)
    }

    /// The regions that must be the server's alone, each with what it is.
    pub(crate) fn server_regions(&self) -> Vec<(&Spanned<String>, &'static str)> {
        let unit = &self.schema.unit;
        let hardware = unit.hardware().map(|hardware| {
            [
                (hardware.registers, "the unit's registers"),
                (hardware.tables, "the unit's tables"),
                (hardware.ecam, "PCI configuration space"),
            ]
        });
        let own = [(&unit.registry, "the registry"), (&self.schema.config, "the server's configuration")];
        let trace = self.schema.trace.iter().map(|name| (name, "the trace of every client"));
        hardware.into_iter().flatten().chain(own).chain(trace).collect()
    }

    /// The entry of the device called `name`.
    pub(crate) fn device(&self, name: &str) -> Option<&Device> {
        self.schema.devices.iter().find(|device| device.name.as_ref() == name)
    }

    /// The clients that are granted `device`.
    pub(crate) fn owners<'s>(&'s self, device: &'s Device) -> impl Iterator<Item = &'s Client> {
        let granted =
            |client: &Client| client.devices.iter().any(|name| name.as_ref() == device.name.as_ref());
        self.schema.clients.iter().filter(move |client| granted(client))
    }
}

/// The protection domain of that name.
pub(crate) fn pd(system: &System, name: &Spanned<String>) -> Option<PdIndex> {
    system.protection_domain(name.as_ref()).map(|(index, _)| index)
}

/// The memory region of that name.
pub(crate) fn region<'s>(
    system: &'s System,
    name: &Spanned<String>,
) -> Option<(RegionIndex, &'s MemoryRegion)> {
    system.memory_region(name.as_ref())
}

/// The address of a device, if it is one.
pub(crate) fn address(device: &Device) -> Option<PciAddress> {
    device.address.as_ref().parse().ok()
}

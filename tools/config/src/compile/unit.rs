// SPDX-License-Identifier: BSD-2-Clause
//! The server's own part: what it maps, and the unit's interrupt.

use ioasid_config::{Config, Window};
use sdf::{IrqKind, PdIndex};
use zerocopy::FromZeros;

use super::Compiler;

/// A trace that keeps less than a few batches of calls is of no use.
const LEAST_RECORDS: usize = 256;

impl Compiler<'_> {
    /// The region that holds what the file is compiled to: the server's alone, or somebody else could say who gets
    /// what.
    pub(super) fn config(&mut self, server: PdIndex) -> Option<()> {
        let what = "the server's configuration";
        let name = &self.schema.config;
        let (index, window) = self.mapped(name, what, server)?;
        self.nobody_else(name, index, what, &[server]);
        let need = size_of::<Config>();
        let region = &self.system.memory_regions[index];
        if region.prefill_path.is_none() {
            return self.wrong(
                name.span(),
                format!("nothing fills the region \"{}\"", name.as_ref()),
                "add prefill_path=\"ioasid.bin\" to it in system.xml",
            );
        }
        if region.size.is_some() && window.size < need as u64 {
            return self.wrong(
                name.span(),
                format!("the region has {:#x} bytes, the configuration {need:#x}", window.size),
                format!("give it size=\"{:#x}\" in system.xml", need.next_multiple_of(0x1000)),
            );
        }
        Some(())
    }

    pub(super) fn unit(&mut self, server: PdIndex) -> Option<ioasid_config::Unit> {
        let unit = &self.schema.unit;
        let registry = self.own(&unit.registry, "the registry", server);
        self.read_write(&unit.registry, server);
        let trace = self.trace(server);
        let pasid_bits = self.pasid_bits();
        let Some(hardware) = unit.hardware() else {
            let (registry, trace) = (registry?, trace?);
            return Some(ioasid_config::Unit { registry, trace, pasid_bits, ..FromZeros::new_zeroed() });
        };
        let registers = self.registers(hardware.registers, "the unit's registers", server);
        let tables = self.placed(hardware.tables, "the unit's tables", server);
        let ecam = self.registers(hardware.ecam, "PCI configuration space", server);
        for name in [hardware.registers, hardware.tables, hardware.ecam] {
            self.read_write(name, server);
        }
        let firmware = match &unit.firmware {
            Some(name) => self.placed(name, "firmware's tables", server)?,
            None => FromZeros::new_zeroed(),
        };
        let id = *hardware.fault_irq.as_ref();
        let irq = self.pd(server).irqs.iter().find(|irq| *irq.id == id);
        let vector = match irq.map(|irq| &irq.kind) {
            Some(IrqKind::Msi { vector, .. }) => u32::try_from(vector.value).ok(),
            _ => self.wrong(
                hardware.fault_irq.span(),
                format!("{} has no message-signalled <irq> with id {id}", self.schema.pd.as_ref()),
                format!(
                    "add <irq id=\"{id}\" pcidev=\"0:0.0\" handle=\"0\" vector=\"…\" /> to it in system.xml"
                ),
            ),
        };
        if !self.system.io_address_spaces.is_empty() {
            self.wrong::<()>(
                hardware.registers.span(),
                "system.xml has an <io_address_space>, for which the kernel takes the unit",
                "take it out: the kernel and the server cannot both own the unit",
            );
        }
        Some(ioasid_config::Unit {
            registers: registers?,
            tables: tables?,
            registry: registry?,
            ecam: ecam?,
            trace: trace?,
            firmware,
            fault_channel: u32::try_from(id).ok()?,
            fault_vector: vector?,
            pasid_bits,
            reserved: 0,
        })
    }

    /// Where the server writes what it does: its alone, for it speaks of everybody, and at a known place, since it is read
    /// from outside. Nowhere, if nothing is said.
    fn trace(&mut self, server: PdIndex) -> Option<Window> {
        let Some(name) = &self.schema.trace else { return Some(FromZeros::new_zeroed()) };
        let window = self.placed(name, "the trace", server)?;
        self.read_write(name, server);
        let (sets, devices) = (self.schema.clients.len(), self.schema.devices.len());
        let need = ioasid_trace::region_bytes(sets, devices, LEAST_RECORDS + sets) as u64;
        if window.size < need {
            return self.wrong(
                name.span(),
                format!(
                    "the region has {:#x} bytes, and a trace of this system needs {need:#x}",
                    window.size
                ),
                format!("give it size=\"{:#x}\" or more in system.xml", need.next_multiple_of(0x1000)),
            );
        }
        Some(window)
    }

    /// The width that is declared; 0 where none is.
    fn pasid_bits(&mut self) -> u32 {
        let Some(bits) = &self.schema.unit.pasid_bits else { return 0 };
        if !(1..=20).contains(bits.as_ref()) {
            self.wrong::<()>(
                bits.span(),
                format!("a PASID cannot have {} bits", bits.as_ref()),
                "write a number from 1 to 20, or leave the line out to believe the unit",
            );
        }
        *bits.as_ref()
    }
}

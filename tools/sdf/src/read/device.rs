// SPDX-License-Identifier: BSD-2-Clause
//! `<irq>` and `<ioport>`.

use super::xml::{Element, Reader};
use crate::limits::MAX_VECTOR;
use crate::model::{IoPort, Irq, IrqKind, PciAddress, Polarity, SetVar, SetVarValue, Trigger};
use crate::source::At;

const TRIGGERS: [(&str, Trigger); 2] = [("level", Trigger::Level), ("edge", Trigger::Edge)];
const POLARITIES: [(&str, Polarity); 2] = [("high", Polarity::High), ("low", Polarity::Low)];

impl<'d> Reader<'d> {
    /// An interrupt; what kind it is follows from the attribute that only this kind has.
    pub(super) fn irq(&mut self, element: Element<'d>, setvars: &mut Vec<SetVar>) -> Option<Irq> {
        let kind = if element.node.has_attribute("irq") {
            self.conventional(element)
        } else if element.node.has_attribute("pin") {
            self.io_apic(element)
        } else if element.node.has_attribute("pcidev") {
            self.msi(element)
        } else {
            let message = "has neither 'pin' nor 'pcidev'".into();
            let help = "add pin=\"…\" for a pin of an I/O APIC, or pcidev=\"bus:device.function\" for an MSI";
            self.error(element, element.place, message, help);
            None
        };
        let id = self.required_decimal(element, "id");
        let id = id.and_then(|id| self.id_in_range(element, id))?;
        self.setvar(element, "setvar_id", SetVarValue::Id(id.value), setvars);
        Some(Irq { id, kind: kind?, place: element.place })
    }

    fn io_apic(&mut self, element: Element<'d>) -> Option<IrqKind> {
        self.leaf(element, &["id", "setvar_id", "ioapic", "pin", "trigger", "polarity", "vector"]);
        let ioapic = match self.optional(element, "ioapic") {
            None => Some(At::new(0, element.place)),
            Some(text) => self.decimal(element, "ioapic", text),
        };
        let pin = self.required_decimal(element, "pin");
        let trigger = self.choice(element, "trigger", &TRIGGERS, Trigger::Level);
        let polarity = self.choice(element, "polarity", &POLARITIES, Polarity::High);
        let vector = self.vector(element);
        Some(IrqKind::IoApic { ioapic: ioapic?, pin: pin?, trigger, polarity, vector: vector? })
    }

    fn msi(&mut self, element: Element<'d>) -> Option<IrqKind> {
        self.leaf(element, &["id", "setvar_id", "pcidev", "handle", "vector"]);
        let pcidev = self.pci_address(element, "pcidev");
        let handle = self.required_decimal(element, "handle");
        let vector = self.vector(element);
        Some(IrqKind::Msi { pcidev: pcidev?, handle: handle?, vector: vector? })
    }

    fn conventional(&mut self, element: Element<'d>) -> Option<IrqKind> {
        self.leaf(element, &["id", "setvar_id", "irq", "trigger"]);
        let irq = self.required_decimal(element, "irq")?;
        let message = format!("irq=\"{irq}\" is an interrupt of ARM or RISC-V");
        let help = "on x86-64 give pin and vector (I/O APIC), or pcidev, handle and vector (MSI)";
        self.foreign(element, irq.place, message, help);
        Some(IrqKind::Conventional {
            irq,
            trigger: self.choice(element, "trigger", &TRIGGERS, Trigger::Level),
        })
    }

    fn vector(&mut self, element: Element<'d>) -> Option<At<u64>> {
        let vector = self.required_decimal(element, "vector")?;
        if vector.value > MAX_VECTOR {
            let message = format!("vector is {vector}, above {MAX_VECTOR}");
            self.error(
                element,
                vector.place,
                message,
                &format!("choose a free vector from 0 to {MAX_VECTOR}"),
            );
        }
        Some(vector)
    }

    /// A range of I/O ports.
    pub(super) fn ioport(&mut self, element: Element<'d>, setvars: &mut Vec<SetVar>) -> Option<IoPort> {
        self.leaf(element, &["id", "setvar_id", "setvar_addr", "addr", "size"]);
        let id = self.required_decimal(element, "id");
        let id = id.and_then(|id| self.id_in_range(element, id));
        let addr = self.required_number(element, "addr");
        let size = self.required_decimal(element, "size");
        let (id, addr, size) = (id?, addr?, size?);
        if size.value == 0 {
            self.error(element, size.place, "size is zero".into(), "give it at least one port");
        }
        if addr.value > 0xffff || size.value > 0x1_0000 - addr.value {
            let message = format!("reaches from port {:#x} beyond the last one, 0xffff", addr.value);
            self.error(element, addr.place, message, "lower addr or size");
        }
        self.setvar(element, "setvar_id", SetVarValue::Id(id.value), setvars);
        self.setvar(element, "setvar_addr", SetVarValue::IoPortAddr(addr.value), setvars);
        Some(IoPort { id, addr, size, place: element.place })
    }

    /// The PCI address that an attribute gives as `bus:device.function` in hexadecimal.
    pub(super) fn pci_address(&mut self, element: Element<'d>, attribute: &str) -> Option<At<PciAddress>> {
        let text = self.required(element, attribute)?;
        let address: Option<PciAddress> = text.parse().ok();
        if address.is_none() {
            let message = format!("{attribute}=\"{}\" is not the address of a PCI function", text.value);
            let help = "write bus:device.function in hexadecimal, from 00:00.0 to ff:1f.7, as 00:1f.2";
            self.error(element, text.place, message, help);
        }
        address.map(|address| At::new(address, text.place))
    }
}

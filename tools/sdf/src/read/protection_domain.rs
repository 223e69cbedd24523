// SPDX-License-Identifier: BSD-2-Clause
//! `<protection_domain>` and, inside, `<virtual_machine>` and `<cspace>`.

use super::map::unknown_name_help;
use super::xml::{Element, Reader};
use crate::limits::{
    BUDGET_DEFAULT, CAP_SLOTS, MAX_PRIORITY, MAX_PROTECTION_DOMAINS, PAGE_SIZES, STACK_SIZE_DEFAULT,
    STACK_SIZE_MAX, STACK_SIZE_MIN,
};
use crate::model::{
    CapKind, CapMap, Parent, PdIndex, ProtectionDomain, SetVar, SetVarValue, System, Vcpu, VirtualMachine,
};
use crate::source::At;

const ATTRIBUTES: [&str; 12] = [
    "name",
    "priority",
    "budget",
    "period",
    "passive",
    "stack_size",
    "smc",
    "cpu",
    "domain",
    "fpu",
    "id",
    "setvar_id",
];
/// Of [`ATTRIBUTES`], those that only nested domains have.
const NESTED_ATTRIBUTES: usize = 2;
const ELEMENTS: [&str; 8] =
    ["program_image", "map", "irq", "ioport", "setvar", "protection_domain", "virtual_machine", "cspace"];

/// What can only be resolved when all protection domains are known.
#[derive(Default)]
pub(super) struct Pending<'d> {
    cspaces: Vec<(PdIndex, Element<'d>)>,
}

/// What binds a nested domain to its parent, and how deep it is.
#[derive(Clone, Copy)]
pub(super) struct Nesting {
    parent: PdIndex,
    depth: usize,
}

impl<'d> Reader<'d> {
    /// Adds a protection domain and those nested in it to `system`.
    pub(super) fn protection_domain(
        &mut self,
        element: Element<'d>,
        nesting: Option<Nesting>,
        system: &mut System,
        pending: &mut Pending<'d>,
    ) {
        let depth = nesting.map_or(1, |nesting| nesting.depth);
        if depth > MAX_PROTECTION_DOMAINS {
            let message =
                format!("is nested {depth} deep, with at most {MAX_PROTECTION_DOMAINS} protection domains");
            self.error(element, element.place, message, "nest fewer protection domains");
            return;
        }
        let known = if nesting.is_some() {
            &ATTRIBUTES[..]
        } else {
            &ATTRIBUTES[..ATTRIBUTES.len() - NESTED_ATTRIBUTES]
        };
        self.known_attributes(element, known);
        let parent = nesting.and_then(|nesting| self.parent(element, nesting.parent, system));
        let Some(name) = self.name(element, "name") else { return };
        let mut pd = ProtectionDomain {
            name,
            priority: self.priority(element),
            budget: self.optional_number(element, "budget"),
            period: self.optional_number(element, "period"),
            passive: self.boolean(element, "passive", false),
            stack_size: self.stack_size(element),
            smc: self.boolean(element, "smc", false),
            cpu: self.cpu(element).unwrap_or(At::new(0, element.place)),
            fpu: self.boolean(element, "fpu", true),
            domain: self.scheduling_domain(element, system),
            parent,
            program_image: At::new(String::new(), element.place),
            program_image_for_symbols: None,
            maps: Vec::new(),
            irqs: Vec::new(),
            ioports: Vec::new(),
            setvars: Vec::new(),
            cap_maps: Vec::new(),
            virtual_machine: None,
            place: element.place,
        };
        self.budget_in_period(element, &pd);
        if pd.smc.value {
            let message = "smc=\"true\" asks for secure monitor calls, which only ARM has".into();
            self.foreign(element, pd.smc.place, message, "remove it");
        }
        let index = system.protection_domains.len();
        let children = self.children(element);
        self.program_image(element, &children, &mut pd);
        for child in &children {
            self.pd_element(*child, system, &mut pd);
        }
        system.protection_domains.push(pd);
        let cspaces: Vec<_> = children.iter().filter(|child| child.name() == "cspace").collect();
        if let Some(second) = cspaces.get(1) {
            self.error(**second, second.place, "is there twice".into(), "keep one");
        }
        pending.cspaces.extend(cspaces.iter().take(1).map(|cspace| (index, **cspace)));
        for child in children.iter().filter(|child| child.name() == "protection_domain") {
            self.protection_domain(
                *child,
                Some(Nesting { parent: index, depth: depth + 1 }),
                system,
                pending,
            );
        }
    }

    /// One element inside a domain, of those that are complete in themselves.
    fn pd_element(&mut self, element: Element<'d>, system: &System, pd: &mut ProtectionDomain) {
        match element.name() {
            "map" => {
                self.leaf(
                    element,
                    &["mr", "vaddr", "perms", "cached", "setvar_vaddr", "setvar_size", "setvar_prefill_size"],
                );
                let Some(map) = self.map(element, "vaddr", system) else { return };
                let region = map.region.value;
                self.setvar(element, "setvar_vaddr", SetVarValue::Vaddr(map.vaddr.value), &mut pd.setvars);
                self.setvar(element, "setvar_size", SetVarValue::Size(region), &mut pd.setvars);
                self.setvar(
                    element,
                    "setvar_prefill_size",
                    SetVarValue::PrefillSize(region),
                    &mut pd.setvars,
                );
                pd.maps.push(map);
            }
            "irq" => {
                let irq = self.irq(element, &mut pd.setvars);
                pd.irqs.extend(irq);
            }
            "ioport" => {
                let ioport = self.ioport(element, &mut pd.setvars);
                pd.ioports.extend(ioport);
            }
            "setvar" => {
                self.leaf(element, &["symbol", "region_paddr"]);
                let symbol = self.name(element, "symbol");
                let region = self.region(element, "region_paddr", system);
                if let (Some(symbol), Some(region)) = (symbol, region) {
                    let value = SetVarValue::RegionPaddr(region.value);
                    self.add_setvar(element, SetVar { symbol, value }, &mut pd.setvars);
                }
            }
            "virtual_machine" => {
                if pd.virtual_machine.is_some() {
                    self.error(element, element.place, "is there twice".into(), "keep one");
                    return;
                }
                pd.virtual_machine = self.virtual_machine(element, system, &mut pd.setvars);
            }
            "program_image" | "protection_domain" | "cspace" => {}
            _ => self.unknown_element(element, &ELEMENTS),
        }
    }

    fn program_image(&mut self, element: Element<'d>, children: &[Element<'d>], pd: &mut ProtectionDomain) {
        let mut images = children.iter().filter(|child| child.name() == "program_image");
        let Some(image) = images.next() else {
            let message = "has no <program_image>".into();
            self.error(element, element.place, message, "add <program_image path=\"….elf\" />");
            return;
        };
        self.leaf(*image, &["path", "path_for_symbols"]);
        if let Some(path) = self.name(*image, "path") {
            pd.program_image = path;
        }
        pd.program_image_for_symbols = self.optional_name(*image, "path_for_symbols");
        for second in images {
            self.error(*second, second.place, "is there twice".into(), "keep one");
        }
    }

    /// The link to the parent, and the symbol in the parent's image that the number goes to.
    fn parent(&mut self, element: Element<'d>, parent: PdIndex, system: &mut System) -> Option<Parent> {
        let id = self.required_number(element, "id")?;
        let id = self.id_in_range(element, id)?;
        let setvars = &mut system.protection_domains[parent].setvars;
        self.setvar(element, "setvar_id", SetVarValue::Id(id.value), setvars);
        Some(Parent { pd: parent, id })
    }

    fn priority(&mut self, element: Element<'d>) -> At<u8> {
        let Some(priority) = self.optional_number(element, "priority") else {
            return At::new(0, element.place);
        };
        match u8::try_from(priority.value) {
            Ok(value) if priority.value <= MAX_PRIORITY => At::new(value, priority.place),
            _ => {
                let message = format!("priority is {priority}, above {MAX_PRIORITY}");
                self.error(element, priority.place, message, &format!("use 0 to {MAX_PRIORITY}"));
                At::new(0, priority.place)
            }
        }
    }

    fn budget_in_period(&mut self, element: Element<'d>, pd: &ProtectionDomain) {
        let Some(period) = pd.period else { return };
        let budget = pd.budget.map_or(BUDGET_DEFAULT, |budget| budget.value);
        if budget > period.value {
            let message = format!("period is {period} µs, below the budget of {budget} µs");
            let help = format!("use a period of {budget} or more, or a smaller budget");
            self.error(element, period.place, message, &help);
        }
    }

    fn stack_size(&mut self, element: Element<'d>) -> At<u64> {
        let default = At::new(STACK_SIZE_DEFAULT, element.place);
        let Some(size) = self.optional_number(element, "stack_size") else { return default };
        let page = PAGE_SIZES[0];
        if !(STACK_SIZE_MIN..=STACK_SIZE_MAX).contains(&size.value) || !size.is_multiple_of(page) {
            let message = format!(
                "stack_size is {:#x}, not a multiple of {page:#x} from {STACK_SIZE_MIN:#x} to {STACK_SIZE_MAX:#x}",
                size.value
            );
            let wanted = size.value.clamp(STACK_SIZE_MIN, STACK_SIZE_MAX).next_multiple_of(page);
            self.error(element, size.place, message, &format!("use {wanted:#x}"));
            return default;
        }
        size
    }

    fn cpu(&mut self, element: Element<'d>) -> Option<At<u8>> {
        let cpu = self.optional_number(element, "cpu")?;
        let Ok(value) = u8::try_from(cpu.value) else {
            self.error(element, cpu.place, format!("cpu is {cpu}, above 255"), "use the number of a core");
            return None;
        };
        Some(At::new(value, cpu.place))
    }

    /// The attribute `domain`, which must be there exactly when the system has a domain schedule.
    fn scheduling_domain(&mut self, element: Element<'d>, system: &System) -> Option<At<String>> {
        let Some(domains) = &system.domains else {
            let name = self.optional(element, "domain")?;
            let message = format!("domain=\"{}\" is given, but the system has no <domains>", name.value);
            self.error(element, name.place, message, "remove it, or add <domains>");
            return None;
        };
        let name = self.name(element, "domain")?;
        let mut names = domains.domains.iter().map(|(name, _)| name.as_str());
        if !names.clone().any(|known| known == name.as_str()) {
            let help = unknown_name_help("domain", &name.value, &mut names);
            self.error(element, name.place, format!("domain=\"{name}\" names no domain"), &help);
        }
        Some(name)
    }

    fn virtual_machine(
        &mut self,
        element: Element<'d>,
        system: &System,
        setvars: &mut Vec<SetVar>,
    ) -> Option<VirtualMachine> {
        self.known_attributes(element, &["name"]);
        let mut vcpus = Vec::new();
        let mut maps = Vec::new();
        for child in self.children(element) {
            match child.name() {
                "vcpu" => {
                    let vcpu = self.vcpu(child, setvars);
                    vcpus.extend(vcpu);
                }
                "map" => {
                    self.leaf(child, &["mr", "vaddr", "perms", "cached"]);
                    let map = self.map(child, "vaddr", system);
                    maps.extend(map);
                }
                _ => self.unknown_element(child, &["vcpu", "map"]),
            }
        }
        if !element.node.children().any(|child| child.has_tag_name("vcpu")) {
            self.error(element, element.place, "has no <vcpu>".into(), "add <vcpu id=\"0\" />");
        }
        let name = self.name(element, "name")?;
        Some(VirtualMachine { name, vcpus, maps, place: element.place })
    }

    fn vcpu(&mut self, element: Element<'d>, setvars: &mut Vec<SetVar>) -> Option<Vcpu> {
        self.leaf(element, &["id", "setvar_id", "cpu"]);
        let cpu = self.cpu(element);
        let id = self.required_decimal(element, "id")?;
        let id = self.id_in_range(element, id)?;
        self.setvar(element, "setvar_id", SetVarValue::Id(id.value), setvars);
        Some(Vcpu { id, cpu, place: element.place })
    }

    /// Reads every `<cspace>` now that all protection domains are known.
    pub(super) fn cap_maps(&mut self, system: &mut System, pending: &Pending<'d>) {
        for (pd, cspace) in &pending.cspaces {
            self.known_attributes(*cspace, &[]);
            for child in self.children(*cspace) {
                let kind = match child.name() {
                    "cap_tcb" => CapKind::Tcb,
                    "cap_sc" => CapKind::Sc,
                    "cap_vspace" => CapKind::VSpace,
                    _ => {
                        self.unknown_element(child, &["cap_tcb", "cap_sc", "cap_vspace"]);
                        continue;
                    }
                };
                let cap_map = self.cap_map(child, kind, system);
                system.protection_domains[*pd].cap_maps.extend(cap_map);
            }
        }
    }

    fn cap_map(&mut self, element: Element<'d>, kind: CapKind, system: &System) -> Option<CapMap> {
        self.leaf(element, &["slot", "pd"]);
        let pd = self.pd_index(element, system);
        let slot = self.required_number(element, "slot")?;
        if !(1..CAP_SLOTS).contains(&slot.value) {
            let message = format!("slot is {slot}, not from 1 to {}", CAP_SLOTS - 1);
            self.error(element, slot.place, message, "choose a free slot; 0 is Microkit's own");
        }
        Some(CapMap { kind, pd: pd?, slot, place: element.place })
    }
}

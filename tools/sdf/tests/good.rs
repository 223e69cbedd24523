// SPDX-License-Identifier: BSD-2-Clause
//! What a valid description says arrives in the model, with its defaults and places.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use sdf::{
    CapKind, Duration, Error, IrqKind, PciAddress, Perms, Polarity, ProtectionDomain, ScheduleEntry,
    SetVarValue, System, Trigger,
};

const EVERYTHING: &str = include_str!("good/everything.xml");

fn everything() -> System {
    let length = |path: &str| match path {
        "4097.bin" => Ok(4097),
        _ => Err(std::io::ErrorKind::NotFound.into()),
    };
    System::parse_with("everything.xml", EVERYTHING, &length).unwrap_or_else(|errors| panic!("{errors}"))
}

/// A system of one domain `a` with `inside` in it and `beside` next to it.
fn small(beside: &str, inside: &str) -> System {
    let text = format!(
        "<system>{beside}<protection_domain name=\"a\"><program_image path=\"a.elf\" />{inside}</protection_domain></system>"
    );
    System::parse("small.xml", &text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn pd<'s>(system: &'s System, name: &str) -> &'s ProtectionDomain {
    system.protection_domain(name).unwrap().1
}

fn symbols(pd: &ProtectionDomain) -> Vec<(&str, SetVarValue)> {
    pd.setvars.iter().map(|setvar| (setvar.symbol.as_str(), setvar.value)).collect()
}

#[test]
fn protection_domains_are_one_list_with_parents_before_children() {
    let system = everything();
    let names: Vec<_> = system.protection_domains.iter().map(|pd| pd.name.as_str()).collect();
    assert_eq!(names, ["server", "supervisor", "client", "vmm"]);
    let link = pd(&system, "client").parent.as_ref().unwrap();
    assert_eq!((link.pd, *link.id), (1, 5));
    assert_eq!(system.children(1).map(|(index, _)| index).collect::<Vec<_>>(), [2]);
}

#[test]
fn attributes_of_a_domain_are_read() {
    let system = everything();
    let server = pd(&system, "server");
    assert_eq!((*server.priority, *server.passive, *server.stack_size), (254, true, 0x4000));
    assert_eq!((server.budget.map(|at| *at), server.period.map(|at| *at)), (Some(500), Some(1000)));
    assert_eq!((*server.fpu, *server.cpu, *server.smc), (false, 1, false));
    assert_eq!(server.domain.as_ref().unwrap().as_str(), "trusted");
    assert_eq!(server.program_image.as_str(), "server.elf");
    assert_eq!(server.program_image_for_symbols.as_ref().unwrap().as_str(), "server_symbols.elf");
    assert_eq!(*pd(&system, "client").priority, 16);
}

#[test]
fn what_is_left_out_has_microkits_default() {
    let system = small("", "");
    let a = pd(&system, "a");
    assert_eq!((*a.priority, *a.passive, *a.stack_size, *a.cpu, *a.fpu), (0, false, 0x2000, 0, true));
    assert_eq!((a.budget, a.period, a.domain.as_ref()), (None, None, None));
    // The place of a default is its element's.
    assert_eq!(a.priority.place, a.place);

    let system = small(r#"<memory_region name="r" size="4096" />"#, r#"<map mr="r" vaddr="0x1000" />"#);
    let map = &pd(&system, "a").maps[0];
    assert_eq!((*map.perms, *map.cached), (Perms { read: true, write: true, execute: false }, true));
}

#[test]
fn maps_name_regions_by_index() {
    let system = everything();
    let maps = &pd(&system, "server").maps;
    assert_eq!(system.memory_regions[*maps[0].region].name.as_str(), "unit");
    assert_eq!(
        (*maps[0].vaddr, maps[0].perms.to_string(), *maps[0].cached),
        (0x2000_0000, "rw".into(), false)
    );
    let guest = pd(&system, "vmm").virtual_machine.as_ref().unwrap();
    assert_eq!(
        (guest.name.as_str(), *guest.vcpus[0].id, guest.vcpus[0].cpu.map(|at| *at)),
        ("guest", 0, Some(0))
    );
    assert_eq!(guest.maps[0].perms.to_string(), "rwx");
}

#[test]
fn symbols_of_all_elements_are_one_list() {
    let system = everything();
    let tables = system.memory_region("tables").unwrap().0;
    assert_eq!(
        symbols(pd(&system, "server")),
        [
            ("unit_base", SetVarValue::Vaddr(0x2000_0000)),
            ("tables_base", SetVarValue::Vaddr(0x4000_0000)),
            ("tables_bytes", SetVarValue::Size(tables)),
            ("tables_paddr", SetVarValue::RegionPaddr(tables)),
            ("fault", SetVarValue::Id(1)),
            ("uart", SetVarValue::Id(1)),
            ("uart_base", SetVarValue::IoPortAddr(0x3f8)),
        ]
    );
    assert_eq!(symbols(pd(&system, "supervisor")), [("client_id", SetVarValue::Id(5))]);
    assert_eq!(symbols(pd(&system, "vmm")), [("guest_id", SetVarValue::Id(0))]);
    let image = system.memory_region("image").unwrap().0;
    let client = pd(&system, "client");
    assert_eq!(
        symbols(client),
        [("image_bytes", SetVarValue::PrefillSize(image)), ("server", SetVarValue::Id(61))]
    );
}

#[test]
fn interrupts_ports_and_capabilities_are_read() {
    let system = everything();
    let server = pd(&system, "server");
    let IrqKind::Msi { pcidev, handle, vector } = &server.irqs[0].kind else { panic!("an MSI") };
    assert_eq!(**pcidev, PciAddress { bus: 0, device: 0x1f, function: 2 });
    assert_eq!((pcidev.to_string(), **handle, **vector), ("00:1f.2".to_owned(), 3, 107));
    let client = pd(&system, "client");
    let IrqKind::IoApic { ioapic, pin, trigger, polarity, vector } = &client.irqs[0].kind else {
        panic!("a pin")
    };
    assert_eq!((**ioapic, **pin, **vector), (1, 10, 0));
    assert_eq!((**trigger, **polarity), (Trigger::Edge, Polarity::Low));
    let IrqKind::IoApic { ioapic, trigger, polarity, .. } = &client.irqs[1].kind else { panic!("a pin") };
    assert_eq!((**ioapic, **trigger, **polarity), (0, Trigger::Level, Polarity::High));
    let port = &server.ioports[0];
    assert_eq!((*port.id, *port.addr, *port.size), (1, 0x3f8, 8));
    let caps: Vec<_> = server.cap_maps.iter().map(|cap| (cap.kind, *cap.pd, *cap.slot)).collect();
    assert_eq!(caps, [(CapKind::Tcb, 2, 1), (CapKind::Sc, 2, 2), (CapKind::VSpace, 2, 127)]);
}

#[test]
fn a_channel_may_stand_before_its_domains() {
    let system = everything();
    let [server, client] = &system.channels[0].ends;
    assert_eq!((*server.pd, *server.id, *server.pp, *server.notify), (0, 0, false, false));
    assert_eq!((*client.pd, *client.id, *client.pp, *client.notify), (2, 61, true, true));
}

#[test]
fn io_address_spaces_and_the_schedule_are_read() {
    let system = everything();
    let space = &system.io_address_spaces[0];
    assert_eq!(
        (space.name.as_str(), space.device.to_string(), *space.domain_id),
        ("edu", "00:02.0".into(), 7)
    );
    assert_eq!((*space.maps[0].vaddr, space.maps[0].perms.to_string()), (0x10_0000, "w".into()));
    let domains = system.domains.as_ref().unwrap();
    assert_eq!((*domains.start_index, domains.index_shift.map(|at| *at)), (1, Some(2)));
    let ScheduleEntry::Run { domain, duration } = &domains.schedule[0] else { panic!("a turn") };
    assert_eq!((**domain, **duration), (0, Duration::Us(1000)));
    let ScheduleEntry::Run { domain, duration } = &domains.schedule[1] else { panic!("a turn") };
    assert_eq!((**domain, **duration), (1, Duration::Ticks(20)));
    assert!(matches!(domains.schedule[2], ScheduleEntry::End(_)));
}

#[test]
fn a_region_without_page_size_gets_the_largest_that_fits() {
    let system = everything();
    let page_size = |name: &str| *system.memory_region(name).unwrap().1.page_size;
    assert_eq!(page_size("tables"), 0x20_0000);
    assert_eq!(page_size("unit"), 0x1000);
    // Given, so kept.
    assert_eq!(page_size("ram"), 0x1000);
    // Reached by the kernel's IOMMU.
    assert_eq!(page_size("dma"), 0x1000);

    // One mapping that is not aligned to large pages is enough.
    let region = r#"<memory_region name="r" size="0x20_0000" />"#;
    let one = small(region, r#"<map mr="r" vaddr="0x20_0000" />"#);
    assert_eq!(*one.memory_regions[0].page_size, 0x20_0000);
    let two = small(region, r#"<map mr="r" vaddr="0x20_0000" /><map mr="r" vaddr="0x80_1000" />"#);
    assert_eq!(*two.memory_regions[0].page_size, 0x1000);
}

#[test]
fn a_prefilled_region_is_as_large_as_its_file() {
    let system = everything();
    let image = system.memory_region("image").unwrap().1;
    assert_eq!((image.size.map(|at| *at), image.prefill_size), (Some(0x2000), Some(4097)));
    let rsdp = system.memory_region("rsdp").unwrap().1;
    assert_eq!(rsdp.size.map(|at| *at), Some(0x1000));
    // Without anyone to tell, the size is not known.
    let system = System::parse("everything.xml", EVERYTHING).unwrap();
    let image = system.memory_region("image").unwrap().1;
    assert_eq!((image.size, image.prefill_size), (None, None));
}

#[test]
fn places_are_those_of_the_text() {
    let system = everything();
    let client = pd(&system, "client");
    assert_eq!(client.place.to_string(), "27:9");
    assert_eq!(client.priority.place.to_string(), "27:42");
    let place = client.priority.place;
    assert_eq!(&EVERYTHING[place.offset..place.offset + place.len], "priority=\"0x10\"");
    // Columns count characters, not bytes.
    let system = small("", "<!-- é --><irq id=\"1\" pin=\"2\" vector=\"3\" />");
    let a = pd(&system, "a");
    assert_eq!(a.irqs[0].place.column as usize, a.irqs[0].place.offset);
}

#[test]
fn numbers_are_decimal_or_hexadecimal_with_underscores() {
    for (text, value) in
        [("4096", 4096), ("0x1000", 4096), ("0x_10_00", 4096), ("8_192", 8192), ("0xA000", 0xa000)]
    {
        let system = small(&format!("<memory_region name=\"r\" size=\"{text}\" />"), "");
        assert_eq!(system.memory_regions[0].size.map(|at| *at), Some(value), "{text}");
    }
}

#[test]
fn a_call_goes_up_by_one_priority_and_ids_reach_61() {
    let text = r#"<system>
        <protection_domain name="a" priority="253"><program_image path="a.elf" /></protection_domain>
        <protection_domain name="b" priority="254"><program_image path="b.elf" /></protection_domain>
        <channel><end pd="a" id="61" pp="true" /><end pd="b" id="61" /></channel>
    </system>"#;
    let system = System::parse("calls.xml", text).unwrap();
    let [(caller, callee), (back, _)] = system.channels[0].directions();
    assert_eq!((*caller.pd, *callee.pd, *back.pp), (0, 1, false));
}

#[test]
fn neighbours_do_not_overlap() {
    small(
        r#"<memory_region name="r" size="0x1000" phys_addr="0x1000" /><memory_region name="s" size="0x1000" phys_addr="0x2000" />"#,
        r#"<map mr="r" vaddr="0x1000" /><map mr="s" vaddr="0x2000" />
           <map mr="r" vaddr="0x7fff_ffff_a000" />
           <ioport id="1" addr="0x3f8" size="8" /><ioport id="2" addr="0x400" size="64512" />"#,
    );
}

#[test]
fn a_survey_gives_a_foreign_system_with_what_is_foreign() {
    let text = r#"<system>
        <memory_region name="uart" size="0x1000" phys_addr="0x900_0000" />
        <protection_domain name="serial" priority="3" smc="true" colour="red">
            <program_image path="serial.elf" />
            <map mr="uart" vaddr="0x200_0000" cached="false" />
            <irq irq="33" id="1" />
            <heap size="0x1000" />
            <setvar symbol="ring_paddr" region_paddr="ring" />
            <virtual_machine name="linux"><vcpu id="0" /><vcpu id="1" /></virtual_machine>
        </protection_domain>
        <memory_region name="ring" size="0x1000" />
        <multikernel />
    </system>"#;
    let (system, errors) = System::survey("arm.system", text).unwrap();
    let serial = pd(&system, "serial");
    assert_eq!((serial.maps.len(), *serial.smc), (1, true));
    assert!(matches!(serial.irqs[0].kind, IrqKind::Conventional { .. }));
    let errors = errors.unwrap();
    assert!(errors.iter().all(Error::is_foreign));
    let elements: Vec<_> = errors.iter().map(|error| error.element.as_str()).collect();
    let expected = ["protection_domain", "protection_domain", "irq", "heap", "setvar", "vcpu", "multikernel"];
    assert_eq!(elements, expected);
    assert!(System::parse("arm.system", text).is_err());
}

#[test]
fn a_report_shows_the_text_around_each_place() {
    let text = "<system>\n    <protection_domain name=\"a\" priority=\"255\">\n        <program_image path=\"a.elf\" />\n    </protection_domain>\n</system>\n";
    let report = System::parse("system.xml", text).unwrap_err().report();
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor());
    let mut shown = String::new();
    handler.render_report(&mut shown, report.as_ref()).unwrap();
    for part in [
        "system.xml: 1 error in the system description",
        "system.xml:2:33",
        "priority=\"255\"",
        "use 0 to 254",
    ] {
        assert!(shown.contains(part), "no {part} in\n{shown}");
    }
}

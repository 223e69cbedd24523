// SPDX-License-Identifier: BSD-2-Clause
//! What is compiled says what the two files say.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{TOML, XML};
use ioasid_config::{Client, Config, MAX_SPACES, Window};

fn compile(toml: &str) -> Config {
    common::compile(XML, toml).unwrap()
}

fn window(vaddr: u64, paddr: u64, size: u64) -> Window {
    Window { vaddr, paddr, size }
}

#[test]
fn the_unit_is_where_the_system_says() {
    let unit = compile(TOML).unit;
    assert_eq!(unit.registers, window(0x1000_0000, 0xfed9_0000, 0x1000));
    assert_eq!(unit.tables, window(0x1020_0000, 0x1000_0000, 0x20_0000));
    assert_eq!(unit.registry, window(0x1040_0000, 0, 0x20_0000));
    assert_eq!(unit.ecam, window(0x1060_0000, 0xb000_0000, 0x20_0000));
    assert_eq!(unit.trace, window(0, 0, 0), "nothing is said of a trace");
    assert_eq!((unit.fault_channel, unit.fault_vector, unit.pasid_bits), (40, 9, 20));
}

#[test]
fn a_trace_has_a_place_that_is_known_outside() {
    let toml = TOML.replace("[unit]", "trace = \"spare\"\n[unit]");
    let xml =
        XML.replace(r#"name="spare" size="0x1000""#, r#"name="spare" size="0x3000" phys_addr="0x10500000""#);
    let map = r#"<program_image path="ioasid.elf" /><map mr="spare" vaddr="0x10a00000" perms="rw" />"#;
    let xml = xml.replace(r#"<program_image path="ioasid.elf" />"#, map);
    let unit = common::compile(&xml, &toml).unwrap().unit;
    assert_eq!(unit.trace, window(0x10a0_0000, 0x1050_0000, 0x3000));
}

#[test]
fn a_client_has_what_it_was_granted() {
    let config = compile(TOML);
    let [driver, admin] = config.clients() else { panic!("{:?}", config.clients()) };
    assert_eq!((driver.name.as_str(), driver.channel, driver.rights), ("driver", 7, 0));
    assert_eq!((driver.reservation, driver.limit), (8, 16));
    assert_eq!(driver.events, window(0x1090_0000, 0, 0x1000));
    assert_eq!(driver.find, window(0x1090_1000, 0, 0x1000));
    assert_eq!(driver.batch, window(0x1090_2000, 0, 0x1000));
    assert_eq!((admin.name.as_str(), admin.channel, admin.rights), ("admin", 8, Client::ADMIN));
    assert_eq!((admin.reservation, admin.limit), (0, 0));

    let [nic] = config.devices() else { panic!("{:?}", config.devices()) };
    assert_eq!((nic.name.as_str(), nic.source, nic.client), ("nic", 3 << 3, 0));
    assert_eq!((nic.bars, nic.msi_vector_plus_one), ([0xd000_0000, 0, 0, 0, 0, 0], 6));

    let [buffer] = config.regions() else { panic!("{:?}", config.regions()) };
    assert_eq!((buffer.name.as_str(), buffer.client, buffer.access), ("buffer", 0, 3));
    assert_eq!((buffer.paddr, buffer.size), (0x1040_0000, 0x1_0000));
}

#[test]
fn a_bar_is_placed_wherever_it_may_have_its_size_and_width() {
    for (size, place) in [("0x3000", "0xd0004000"), ("0x1000", "0xd0003000"), ("0x4000", "0x100000000")] {
        let region = format!(r#"name="nic_registers" size="{size}" phys_addr="{place}""#);
        let xml = XML.replace(r#"name="nic_registers" size="0x1000" phys_addr="0xd0000000""#, &region);
        let config = common::compile(&xml, TOML).unwrap();
        assert_eq!(format!("{:#x}", config.devices()[0].bars[0]), place);
    }
}

#[test]
fn what_is_compiled_is_read_back() {
    let config = compile(TOML);
    // Aligned as the page is that the server maps.
    let mut memory = vec![0u64; size_of::<Config>().div_ceil(8)];
    let bytes = zerocopy::IntoBytes::as_mut_bytes(&mut memory[..]);
    bytes[..size_of::<Config>()].copy_from_slice(config.to_bytes());
    assert_eq!(Config::read(bytes), Ok(&config));
}

#[test]
fn a_limit_is_the_reservation_where_nothing_is_said() {
    let config = compile(&TOML.replace("limit = 16\n", ""));
    assert_eq!(config.clients()[0].limit, 8);
    let config = compile(&TOML.replace("reservation = 8\n", ""));
    assert_eq!((config.clients()[0].reservation, config.clients()[0].limit), (0, 16));
}

#[test]
fn a_unit_is_believed_where_nothing_is_said() {
    assert_eq!(compile(&TOML.replace("pasid_bits = 20\n", "")).unit.pasid_bits, 0);
}

#[test]
fn rights_of_memory_are_kept() {
    for (access, bits) in [("r", 1), ("w", 2), ("rw", 3)] {
        let config = compile(&TOML.replace("access = \"rw\"", &format!("access = \"{access}\"")));
        assert_eq!(config.regions()[0].access, bits, "{access}");
    }
}

#[test]
fn shares_of_what_is_scarce_are_equal_where_nothing_is_said() {
    let config = compile(TOML);
    assert_eq!(config.clients()[0].spaces, u32::try_from(MAX_SPACES).unwrap());
    assert_eq!(config.clients()[1].spaces, 0, "a client without ids takes nothing");
    let config = compile(&TOML.replace("limit = 16\n", "limit = 16\nspaces = 24\ntable_frames = 100\n"));
    let config = (config.clients()[0].spaces, config.clients()[0].table_frames);
    assert_eq!(config, (24, 100));
    let config = compile(&(TOML.replace("limit = 16\n", "limit = 16\nspaces = 24\n") + "limit = 4\n"));
    assert_eq!(config.clients()[1].spaces, u32::try_from(MAX_SPACES - 24).unwrap());
}

#[test]
fn a_device_without_an_interrupt_has_none() {
    let xml = XML.replace("pcidev=\"0:3.0\"", "pcidev=\"0:4.0\"");
    let config = common::compile(&xml, TOML).unwrap();
    assert_eq!(config.devices()[0].msi_vector_plus_one, 0);
}

#[test]
fn a_function_on_another_bus_keeps_its_requester_id() {
    let config = compile(&TOML.replace("00:03.0", "01:1f.7"));
    assert_eq!(config.devices()[0].source, 0x01ff);
}

#[test]
fn memory_that_the_driver_only_reads_can_be_granted() {
    let xml = XML.replace(
        r#"<map mr="buffer" vaddr="0x10100000" perms="rw" />"#,
        r#"<map mr="buffer" vaddr="0x10100000" perms="r" />"#,
    );
    assert_eq!(common::compile(&xml, TOML).unwrap().regions().len(), 1);
}

#[test]
fn the_reference_system_holds_together() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
    let read = |name| std::fs::read_to_string(format!("{root}{name}")).unwrap();
    let config = common::compile(&read("system.xml"), &read("ioasid.toml")).unwrap();
    assert!(!config.clients().is_empty() && !config.devices().is_empty());
}

// SPDX-License-Identifier: BSD-2-Clause
//! Each thing that is wrong is said where it stands, with its remedy, word for word.

mod common;

use common::{TOML, XML};

/// A departure from the good pair, and everything that is said about it.
struct Case {
    /// What is replaced in `ioasid.toml`, and by what.
    toml: &'static [(&'static str, &'static str)],
    /// The same for `system.xml`.
    xml: &'static [(&'static str, &'static str)],
    /// What is said.
    said: &'static str,
}

fn edit(text: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(text.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old:?} is not in the good file");
        text.replacen(old, new, 1)
    })
}

/// The server maps the region that nobody uses.
const SPARE_IN_SERVER: (&str, &str) = (
    r#"<program_image path="ioasid.elf" />"#,
    r#"<program_image path="ioasid.elf" />
        <map mr="spare" vaddr="0x10a00000" perms="rw" />"#,
);

const CASES: &[Case] = &[
    Case {
        toml: &[(r#"pd = "server"
"#, "")],
        xml: &[],
        said: "ioasid.toml:1:1: missing field `pd`
  help: docs/integration.md lists the keys and what they take",
    },
    Case {
        toml: &[(r#"pd = "server"
"#, "pd = server
")],
        xml: &[],
        said: "ioasid.toml:2:6: string values must be quoted, expected literal string
  help: docs/integration.md lists the keys and what they take",
    },
    Case {
        toml: &[(r#"config = "config""#, r#"konfig = "config""#)],
        xml: &[],
        said: "ioasid.toml:3:1: unknown field `konfig`, expected one of `pd`, `config`, `trace`, `unit`, `device`, `client`
  help: did you mean `config`?",
    },
    Case {
        toml: &[("fault_irq = 40", r#"fault_irq = "40""#)],
        xml: &[],
        said: r#"ioasid.toml:10:13: invalid type: string "40", expected u64
  help: docs/integration.md lists the keys and what they take"#,
    },
    Case {
        toml: &[("limit = 16", "limit = -1")],
        xml: &[],
        said: "ioasid.toml:21:9: invalid value: integer `-1`, expected u32
  help: docs/integration.md lists the keys and what they take",
    },
    Case {
        toml: &[("limit = 16", "limits = 16")],
        xml: &[],
        said: "ioasid.toml:21:1: unknown field `limits`, expected one of `pd`, `reservation`, `limit`, `devices`, `memory`, `events`, `find`, `batch`, `table_frames`, `spaces`, `admin`, `provider`
  help: did you mean `limit`?",
    },
    Case {
        toml: &[(r#"access = "rw""#, r#"access = "rx""#)],
        xml: &[],
        said: "ioasid.toml:23:41: unknown variant `rx`, expected one of `r`, `w`, `rw`
  help: did you mean `r`?",
    },
    Case {
        toml: &[("admin = true", "admin = yes")],
        xml: &[],
        said: "ioasid.toml:30:9: string values must be quoted, expected literal string
  help: docs/integration.md lists the keys and what they take",
    },
    Case {
        toml: &[("[[device]]
name", "[[device]
name")],
        xml: &[],
        said: "ioasid.toml:13:10: unclosed array table, expected `]`
  help: docs/integration.md lists the keys and what they take",
    },
    Case {
        toml: &[(r#"pd = "server""#, r#"pd = "sever""#)],
        xml: &[],
        said: r#"ioasid.toml:2:6: system.xml has no protection domain "sever"
  help: did you mean "server"?"#,
    },
    Case {
        toml: &[(r#"config = "config""#, r#"config = "confg""#)],
        xml: &[],
        said: r#"ioasid.toml:3:10: system.xml has no memory region "confg"
  help: did you mean "config"?"#,
    },
    Case {
        toml: &[(r#"tables = "vtd_tables""#, r#"tables = "vtd_table""#)],
        xml: &[],
        said: r#"ioasid.toml:7:10: system.xml has no memory region "vtd_table"
  help: did you mean "vtd_tables"?"#,
    },
    Case {
        toml: &[(r#"registry = "registry""#, r#"registry = "pasids""#)],
        xml: &[],
        said: r#"ioasid.toml:8:12: system.xml has no memory region "pasids"
  help: there is: vtd_registers, vtd_tables, registry, ecam, config, nic_registers, buffer, spare, events, find, batch"#,
    },
    Case {
        toml: &[(r#"pd = "driver""#, r#"pd = "diver""#)],
        xml: &[],
        said: r#"ioasid.toml:19:6: system.xml has no protection domain "diver"
  help: did you mean "driver"?"#,
    },
    Case {
        toml: &[(r#"devices = ["nic"]"#, r#"devices = ["nik"]"#)],
        xml: &[],
        said: r#"ioasid.toml:22:12: no [[device]] is called "nik"
  help: did you mean "nic"?"#,
    },
    Case {
        toml: &[(r#"region = "buffer""#, r#"region = "bufer""#)],
        xml: &[],
        said: r#"ioasid.toml:23:22: system.xml has no memory region "bufer"
  help: did you mean "buffer"?"#,
    },
    Case {
        toml: &[(r#"events = "events""#, r#"events = "event""#)],
        xml: &[],
        said: r#"ioasid.toml:24:10: system.xml has no memory region "event"
  help: did you mean "events"?"#,
    },
    Case {
        toml: &[(r#"pd = "server""#, r#"pd = "driver""#)],
        xml: &[],
        said: r#"ioasid.toml:3:10: driver does not map the region "config"
  help: add <map mr="config" … /> to driver in system.xml
ioasid.toml:6:13: driver does not map the region "vtd_registers"
  help: add <map mr="vtd_registers" … /> to driver in system.xml
ioasid.toml:7:10: driver does not map the region "vtd_tables"
  help: add <map mr="vtd_tables" … /> to driver in system.xml
ioasid.toml:8:12: driver does not map the region "registry"
  help: add <map mr="registry" … /> to driver in system.xml
ioasid.toml:9:8: driver does not map the region "ecam"
  help: add <map mr="ecam" … /> to driver in system.xml
ioasid.toml:10:13: driver has no message-signalled <irq> with id 40
  help: add <irq id="40" pcidev="0:0.0" handle="0" vector="…" /> to it in system.xml
ioasid.toml:19:6: driver is the server itself
  help: name a domain that calls it
ioasid.toml:29:6: admin has no channel on which it may call driver
  help: add a <channel> between them with pp="true" at admin's end"#,
    },
    Case {
        toml: &[(r#"config = "config""#, r#"config = "spare""#)],
        xml: &[],
        said: r#"ioasid.toml:3:10: server does not map the region "spare"
  help: add <map mr="spare" … /> to server in system.xml"#,
    },
    Case {
        toml: &[],
        xml: &[(r#"name="config" size="0x10000" prefill_path="ioasid.bin""#, r#"name="config" size="0x10000""#)],
        said: r#"ioasid.toml:3:10: nothing fills the region "config"
  help: add prefill_path="ioasid.bin" to it in system.xml"#,
    },
    Case {
        toml: &[],
        xml: &[(r#"name="config" size="0x10000""#, r#"name="config" size="0x2000""#)],
        said: r#"ioasid.toml:3:10: the region has 0x2000 bytes, the configuration 0x77c0
  help: give it size="0x8000" in system.xml"#,
    },
    Case {
        toml: &[],
        xml: &[(r#"<program_image path="admin.elf" />"#, r#"<program_image path="admin.elf" />
        <map mr="config" vaddr="0x10800000" perms="rw" />"#)],
        said: r#"ioasid.toml:3:10: admin maps "config", which is the server's configuration and for server alone
  help: take the <map> out of admin in system.xml"#,
    },
    Case {
        toml: &[],
        xml: &[(r#"<program_image path="admin.elf" />"#, r#"<program_image path="admin.elf" />
        <map mr="vtd_tables" vaddr="0x10800000" perms="r" />"#)],
        said: r#"ioasid.toml:7:10: admin maps "vtd_tables", which is the unit's tables and for server alone
  help: take the <map> out of admin in system.xml"#,
    },
    Case {
        toml: &[],
        xml: &[(r#"<program_image path="driver.elf" />"#, r#"<program_image path="driver.elf" />
        <virtual_machine name="guest"><vcpu id="0" /><map mr="registry" vaddr="0x10800000" perms="r" /></virtual_machine>"#)],
        said: r#"ioasid.toml:8:12: driver maps "registry", which is the registry and for server alone
  help: take the <map> out of driver in system.xml"#,
    },
    Case {
        toml: &[("fault_irq = 40", "fault_irq = 40\nfirmware = \"spare\"")],
        xml: &[(r#"<program_image path="ioasid.elf" />"#, r#"<program_image path="ioasid.elf" />
        <map mr="spare" vaddr="0x10a00000" perms="r" />"#)],
        said: r#"ioasid.toml:11:12: the region "spare" has no fixed place in physical memory
  help: give it a phys_addr in system.xml: it is reached by its physical address"#,
    },
    Case {
        toml: &[],
        xml: &[(r#" size="0x200000" phys_addr="0x10000000""#, r#" size="0x200000""#)],
        said: r#"ioasid.toml:7:10: the region "vtd_tables" has no fixed place in physical memory
  help: give it a phys_addr in system.xml: it is reached by its physical address"#,
    },
    Case {
        toml: &[],
        xml: &[(r#"vaddr="0x10000000" perms="rw" cached="false""#, r#"vaddr="0x10000000" perms="rw""#)],
        said: r#"ioasid.toml:6:13: server maps "vtd_registers" as memory, and it is the unit's registers
  help: add cached="false" to the <map> in server in system.xml"#,
    },
    Case {
        toml: &[],
        xml: &[(r#"<map mr="registry" vaddr="0x10400000" perms="rw" />"#, r#"<map mr="registry" vaddr="0x10400000" perms="r" />"#)],
        said: r#"ioasid.toml:8:12: server may not both read and write "registry"
  help: map it in server with perms="rw" in system.xml"#,
    },
    Case {
        toml: &[],
        xml: &[(r#"        <map mr="ecam" vaddr="0x10600000" perms="rw" cached="false" />
"#, "")],
        said: r#"ioasid.toml:9:8: server does not map the region "ecam"
  help: add <map mr="ecam" … /> to server in system.xml"#,
    },
    Case {
        toml: &[(r#"registry = "registry""#, r#"registry = "vtd_tables""#)],
        xml: &[],
        said: r#"ioasid.toml:7:10: the region "vtd_tables" is the registry already, and cannot be the unit's tables
  help: give each its own <memory_region>"#,
    },
    Case {
        toml: &[("fault_irq = 40", "fault_irq = 41")],
        xml: &[],
        said: r#"ioasid.toml:10:13: server has no message-signalled <irq> with id 41
  help: add <irq id="41" pcidev="0:0.0" handle="0" vector="…" /> to it in system.xml"#,
    },
    Case {
        toml: &[],
        xml: &[(r#"<irq id="40" pcidev="0:0.0" handle="0" vector="9" />"#, r#"<irq id="40" pin="9" vector="9" />"#)],
        said: r#"ioasid.toml:10:13: server has no message-signalled <irq> with id 40
  help: add <irq id="40" pcidev="0:0.0" handle="0" vector="…" /> to it in system.xml"#,
    },
    Case {
        toml: &[("pasid_bits = 20", "pasid_bits = 21")],
        xml: &[],
        said: "ioasid.toml:11:14: a PASID cannot have 21 bits
  help: write a number from 1 to 20, or leave the line out to believe the unit",
    },
    Case {
        toml: &[],
        xml: &[("    <channel>", r#"    <io_address_space name="edu" peripheral_id="00:02.0" domain_id="1">
        <iomap mr="spare" iovaddr="0x1000" perms="rw" />
    </io_address_space>
    <channel>"#)],
        said: "ioasid.toml:6:13: system.xml has an <io_address_space>, for which the kernel takes the unit
  help: take it out: the kernel and the server cannot both own the unit",
    },
    Case {
        toml: &[(r#"tables = "vtd_tables"
"#, "")],
        xml: &[],
        said: "ioasid.toml:6:13: [unit] has only some of registers, tables, ecam and fault_irq
  help: state all four, or none of them for a service of ids without a unit",
    },
    Case {
        toml: &[("limit = 16", "limmit = 16")],
        xml: &[],
        said: "ioasid.toml:21:1: unknown field `limmit`, expected one of `pd`, `reservation`, `limit`, `devices`, `memory`, `events`, `find`, `batch`, `table_frames`, `spaces`, `admin`, `provider`
  help: did you mean `limit`?",
    },
    Case {
        toml: &[("00:03.0", "00:03")],
        xml: &[],
        said: r#"ioasid.toml:15:11: "00:03" is not the address of a PCI function
  help: write bus:device.function in hexadecimal, as in "00:03.0""#,
    },
    Case {
        toml: &[("00:03.0", "00:20.0")],
        xml: &[],
        said: r#"ioasid.toml:15:11: "00:20.0" is not the address of a PCI function
  help: write bus:device.function in hexadecimal, as in "00:03.0""#,
    },
    Case {
        toml: &[(r#"[[client]]
pd = "admin""#, r#"[[device]]
name = "other"
address = "00:03.0"

[[client]]
devices = ["other"]
pd = "admin""#)],
        xml: &[],
        said: "ioasid.toml:30:11: 00:03.0 is another device's address already
  help: give each function one [[device]] only",
    },
    Case {
        toml: &[(r#"[[client]]
pd = "admin""#, r#"[[device]]
name = "nic"
address = "00:04.0"

[[client]]
pd = "admin""#)],
        xml: &[],
        said: r#"ioasid.toml:29:8: "nic" is another device's name already
  help: give each device its own name"#,
    },
    Case {
        toml: &[(r#"devices = ["nic"]
"#, "")],
        xml: &[],
        said: r#"ioasid.toml:14:8: no client is granted the device "nic"
  help: name it in a client's `devices`, or delete it: what nobody is granted stays cut off anyway"#,
    },
    Case {
        toml: &[("admin = true", r#"admin = true
devices = ["nic"]"#)],
        xml: &[],
        said: r#"ioasid.toml:31:12: driver is granted the device "nic" already
  help: a device belongs to one client: take it from one of them"#,
    },
    Case {
        toml: &[("bars = { 0 =", "bars = { 6 =")],
        xml: &[],
        said: r#"ioasid.toml:16:10: there is no BAR "6"
  help: write a number from 0 to 5"#,
    },
    Case {
        toml: &[("nic_registers", "spare")],
        xml: &[],
        said: r#"ioasid.toml:16:14: driver does not map the region "spare"
  help: add <map mr="spare" … /> to driver in system.xml"#,
    },
    Case {
        toml: &[],
        xml: &[(r#"vaddr="0x10000000" perms="rw" cached="false" />
        <map mr="buffer""#, r#"vaddr="0x10000000" perms="rw" />
        <map mr="buffer""#)],
        said: r#"ioasid.toml:16:14: driver maps "nic_registers" as memory, and it is BAR 0 of nic
  help: add cached="false" to the <map> in driver in system.xml"#,
    },
    Case {
        toml: &[(r#"pd = "admin""#, r#"pd = "driver""#)],
        xml: &[],
        said: "ioasid.toml:29:6: driver is a client already
  help: put everything it gets into one [[client]]",
    },
    Case {
        toml: &[(r#"pd = "admin""#, r#"pd = "server""#)],
        xml: &[],
        said: "ioasid.toml:29:6: server is the server itself
  help: name a domain that calls it",
    },
    Case {
        toml: &[],
        xml: &[(r#"<end pd="admin" id="1" pp="true" />"#, r#"<end pd="admin" id="1" />"#)],
        said: r#"ioasid.toml:29:6: admin has no channel on which it may call server
  help: add a <channel> between them with pp="true" at admin's end"#,
    },
    Case {
        toml: &[],
        xml: &[(r#"    <channel>
        <end pd="admin""#, r#"    <channel>
        <end pd="driver" id="2" pp="true" />
        <end pd="server" id="9" />
    </channel>
    <channel>
        <end pd="admin""#)],
        said: "ioasid.toml:19:6: driver has several channels on which it may call server
  help: leave one: what a client may do follows from its channel",
    },
    Case {
        toml: &[("limit = 16", "limit = 4")],
        xml: &[],
        said: "ioasid.toml:20:15: driver has 8 ids reserved and may have 4
  help: raise its limit or lower its reservation",
    },
    Case {
        toml: &[("reservation = 8", "reservation = 500000"), ("limit = 16", "limit = 600000")],
        xml: &[],
        said: "ioasid.toml:20:15: 500000 ids are reserved, and there are {ids}
  help: lower the reservations, or give the registry's region more memory (16.2 bytes an id)",
    },
    Case {
        toml: &[("limit = 16", "limit = 16
spaces = 1000"), ("admin = true", "limit = 1
spaces = 25")],
        xml: &[],
        said: "ioasid.toml:32:10: 1025 address spaces are given out, and there are 1024
  help: lower the numbers; a client for which nothing is said has an equal share of the rest",
    },
    Case {
        toml: &[("limit = 16", "limit = 16
table_frames = 1000")],
        xml: &[],
        said: "ioasid.toml:22:16: 1000 frames for tables are given out, and there are 414
  help: lower the numbers; a client for which nothing is said has an equal share of the rest",
    },
    Case {
        toml: &[(r#"region = "buffer""#, r#"region = "spare""#)],
        xml: &[],
        said: r#"ioasid.toml:23:22: driver does not map the region "spare"
  help: add <map mr="spare" … /> to driver in system.xml"#,
    },
    Case {
        toml: &[],
        xml: &[(r#"<program_image path="admin.elf" />"#, r#"<program_image path="admin.elf" />
        <map mr="buffer" vaddr="0x10800000" perms="r" />"#)],
        said: r#"ioasid.toml:23:22: admin maps "buffer", which is memory for the devices of driver and for driver alone
  help: take the <map> out of admin in system.xml"#,
    },
    Case {
        toml: &[(r#"access = "rw" }]"#, r#"access = "rw" }, { region = "buffer", access = "r" }]"#)],
        xml: &[],
        said: r#"ioasid.toml:23:60: the region "buffer" is memory for the devices of driver already
  help: name each region once"#,
    },
    Case {
        toml: &[(r#"region = "buffer""#, r#"region = "vtd_tables""#)],
        xml: &[],
        said: r#"ioasid.toml:23:22: the region "vtd_tables" is the unit's tables already, and cannot be memory for the devices of driver
  help: give each its own <memory_region>"#,
    },
    Case {
        toml: &[],
        xml: &[(r#" size="0x10000" phys_addr="0x10400000""#, r#" size="0x10000""#)],
        said: r#"ioasid.toml:23:22: the region "buffer" has no fixed place in physical memory
  help: give it a phys_addr in system.xml: it is reached by its physical address"#,
    },
    Case {
        toml: &[],
        xml: &[(r#"<map mr="events" vaddr="0x10200000" perms="r" />"#, r#"<map mr="events" vaddr="0x10200000" perms="rw" />"#)],
        said: r#"ioasid.toml:24:10: driver may write "events", which the server alone writes
  help: map it in driver with perms="r""#,
    },
    Case {
        toml: &[],
        xml: &[(r#"<map mr="find" vaddr="0x10901000" perms="rw" />"#, r#"<map mr="find" vaddr="0x10901000" perms="r" />"#)],
        said: r#"ioasid.toml:25:8: server may not both read and write "find"
  help: map it in server with perms="rw" in system.xml"#,
    },
    Case {
        toml: &[],
        xml: &[(r#"<map mr="batch" vaddr="0x10202000" perms="rw" />"#, r#"<map mr="batch" vaddr="0x10202000" perms="r" />"#)],
        said: r#"ioasid.toml:26:9: driver may not both read and write "batch"
  help: map it in driver with perms="rw" in system.xml"#,
    },
    Case {
        toml: &[],
        xml: &[(r#"        <map mr="find" vaddr="0x10201000" perms="r" />
"#, "")],
        said: r#"ioasid.toml:25:8: driver does not map the region "find"
  help: add <map mr="find" … /> to driver in system.xml"#,
    },
    Case {
        toml: &[(r#"find = "find""#, r#"find = "events""#)],
        xml: &[],
        said: r#"ioasid.toml:25:8: the region "events" is driver's event ring already, and cannot be driver's find page
  help: give each its own <memory_region>"#,
    },
    Case {
        toml: &[],
        xml: &[(r#"<program_image path="admin.elf" />"#, r#"<program_image path="admin.elf" />
        <map mr="batch" vaddr="0x10800000" perms="r" />"#)],
        said: r#"ioasid.toml:26:9: admin maps "batch", which is driver's batch page and for server and driver alone
  help: take the <map> out of admin in system.xml"#,
    },
    Case {
        toml: &[("[unit]", "trace = \"spare\"\n[unit]")],
        xml: &[],
        said: r#"ioasid.toml:5:9: server does not map the region "spare"
  help: add <map mr="spare" … /> to server in system.xml"#,
    },
    Case {
        toml: &[("[unit]", "trace = \"spare\"\n[unit]")],
        xml: &[SPARE_IN_SERVER, (r#"name="spare" size="0x1000""#, r#"name="spare" size="0x3000""#)],
        said: r#"ioasid.toml:5:9: the region "spare" has no fixed place in physical memory
  help: give it a phys_addr in system.xml: it is reached by its physical address"#,
    },
    Case {
        toml: &[("[unit]", "trace = \"spare\"\n[unit]")],
        xml: &[SPARE_IN_SERVER, (r#"name="spare" size="0x1000""#, r#"name="spare" size="0x1000" phys_addr="0x10500000""#),
            (r#"<program_image path="admin.elf" />"#, r#"<program_image path="admin.elf" />
        <map mr="spare" vaddr="0x10800000" perms="r" />"#)],
        said: r#"ioasid.toml:5:9: admin maps "spare", which is the trace and for server alone
  help: take the <map> out of admin in system.xml
ioasid.toml:5:9: the region has 0x1000 bytes, and a trace of this system needs 0x20e0
  help: give it size="0x3000" or more in system.xml"#,
    },
    Case {
        toml: &[(r#"pd = "driver""#, r#"pd = "diver""#), ("00:03.0", "3"), ("pasid_bits = 20", "pasid_bits = 0")],
        xml: &[],
        said: r#"ioasid.toml:11:14: a PASID cannot have 0 bits
  help: write a number from 1 to 20, or leave the line out to believe the unit
ioasid.toml:15:11: "3" is not the address of a PCI function
  help: write bus:device.function in hexadecimal, as in "00:03.0"
ioasid.toml:19:6: system.xml has no protection domain "diver"
  help: did you mean "driver"?"#,
    },
];

#[test]
fn each_case_is_said_word_for_word() {
    // What the registry's region of 2 MiB holds, but for PASID 0.
    let ids = ioasid_core::Memory::slots_in(0x20_0000) - 1;
    let mut failures = Vec::new();
    for Case { toml, xml, said } in CASES {
        let found = match common::compile(&edit(XML, xml), &edit(TOML, toml)) {
            Ok(_) => "nothing".to_owned(),
            Err(problems) => problems.to_string(),
        };
        let said = said.replace("{ids}", &ids.to_string());
        if found != said {
            failures.push(format!("{toml:?} {xml:?}\nexpected:\n{said}\nfound:\n{found}\n"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

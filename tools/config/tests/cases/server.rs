// SPDX-License-Identifier: BSD-2-Clause
//! What is wrong with the server: its regions, its unit, its trace.

use super::Case;

/// The server maps the region that nobody uses.
const SPARE_IN_SERVER: (&str, &str) = (
    r#"<program_image path="ioasid.elf" />"#,
    r#"<program_image path="ioasid.elf" />
        <map mr="spare" vaddr="0x10a00000" perms="rw" />"#,
);

pub const CASES: &[Case] = &[
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
        xml: &[(
            r#"name="config" size="0x10000" prefill_path="ioasid.bin""#,
            r#"name="config" size="0x10000""#,
        )],
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
        xml: &[(
            r#"<program_image path="admin.elf" />"#,
            r#"<program_image path="admin.elf" />
        <map mr="config" vaddr="0x10800000" perms="rw" />"#,
        )],
        said: r#"ioasid.toml:3:10: admin maps "config", which is the server's configuration and for server alone
  help: take the <map> out of admin in system.xml"#,
    },
    Case {
        toml: &[],
        xml: &[(
            r#"<program_image path="admin.elf" />"#,
            r#"<program_image path="admin.elf" />
        <map mr="vtd_tables" vaddr="0x10800000" perms="r" />"#,
        )],
        said: r#"ioasid.toml:7:10: admin maps "vtd_tables", which is the unit's tables and for server alone
  help: take the <map> out of admin in system.xml"#,
    },
    Case {
        toml: &[],
        xml: &[(
            r#"<program_image path="driver.elf" />"#,
            r#"<program_image path="driver.elf" />
        <virtual_machine name="guest"><vcpu id="0" /><map mr="registry" vaddr="0x10800000" perms="r" /></virtual_machine>"#,
        )],
        said: r#"ioasid.toml:8:12: driver maps "registry", which is the registry and for server alone
  help: take the <map> out of driver in system.xml"#,
    },
    Case {
        toml: &[("fault_irq = 40", "fault_irq = 40\nfirmware = \"spare\"")],
        xml: &[(
            r#"<program_image path="ioasid.elf" />"#,
            r#"<program_image path="ioasid.elf" />
        <map mr="spare" vaddr="0x10a00000" perms="r" />"#,
        )],
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
        xml: &[(
            r#"<map mr="registry" vaddr="0x10400000" perms="rw" />"#,
            r#"<map mr="registry" vaddr="0x10400000" perms="r" />"#,
        )],
        said: r#"ioasid.toml:8:12: server may not both read and write "registry"
  help: map it in server with perms="rw" in system.xml"#,
    },
    Case {
        toml: &[],
        xml: &[(
            r#"        <map mr="ecam" vaddr="0x10600000" perms="rw" cached="false" />
"#,
            "",
        )],
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
        xml: &[(
            r#"<irq id="40" pcidev="0:0.0" handle="0" vector="9" />"#,
            r#"<irq id="40" pin="9" vector="9" />"#,
        )],
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
        xml: &[(
            "    <channel>",
            r#"    <io_address_space name="edu" peripheral_id="00:02.0" domain_id="1">
        <iomap mr="spare" iovaddr="0x1000" perms="rw" />
    </io_address_space>
    <channel>"#,
        )],
        said: "ioasid.toml:6:13: system.xml has an <io_address_space>, for which the kernel takes the unit
  help: take it out: the kernel and the server cannot both own the unit",
    },
    Case {
        toml: &[(
            r#"tables = "vtd_tables"
"#,
            "",
        )],
        xml: &[],
        said: "ioasid.toml:6:13: [unit] has only some of registers, tables, ecam and fault_irq
  help: state all four, or none of them for a service of ids without a unit",
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
        xml: &[
            SPARE_IN_SERVER,
            (r#"name="spare" size="0x1000""#, r#"name="spare" size="0x1000" phys_addr="0x10500000""#),
            (
                r#"<program_image path="admin.elf" />"#,
                r#"<program_image path="admin.elf" />
        <map mr="spare" vaddr="0x10800000" perms="r" />"#,
            ),
        ],
        said: r#"ioasid.toml:5:9: admin maps "spare", which is the trace and for server alone
  help: take the <map> out of admin in system.xml
ioasid.toml:5:9: the region has 0x1000 bytes, and a trace of this system needs 0x20e0
  help: give it size="0x3000" or more in system.xml"#,
    },
];

// SPDX-License-Identifier: BSD-2-Clause
//! What is wrong with a device: its address, its registers, whose it is.

use super::Case;

pub const CASES: &[Case] = &[
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
        toml: &[("00:03.0", "02:03.0")],
        xml: &[],
        said: r#"ioasid.toml:15:11: 02:03.0 is on bus 0x2, and "ecam" has the configuration space of 2 buses
  help: give it size="0x300000" or more in system.xml: 1 MiB a bus"#,
    },
    Case {
        toml: &[(
            r#"[[client]]
pd = "admin""#,
            r#"[[device]]
name = "other"
address = "00:03.0"

[[client]]
devices = ["other"]
pd = "admin""#,
        )],
        xml: &[],
        said: "ioasid.toml:30:11: 00:03.0 is another device's address already
  help: give each function one [[device]] only",
    },
    Case {
        toml: &[(
            r#"[[client]]
pd = "admin""#,
            r#"[[device]]
name = "nic"
address = "00:04.0"

[[client]]
pd = "admin""#,
        )],
        xml: &[],
        said: r#"ioasid.toml:29:8: "nic" is another device's name already
  help: give each device its own name"#,
    },
    Case {
        toml: &[(
            r#"devices = ["nic"]
"#,
            "",
        )],
        xml: &[],
        said: r#"ioasid.toml:14:8: no client is granted the device "nic"
  help: name it in a client's `devices`, or delete it: what nobody is granted stays cut off anyway"#,
    },
    Case {
        toml: &[(
            "admin = true",
            r#"admin = true
devices = ["nic"]"#,
        )],
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
        xml: &[(
            r#"vaddr="0x10000000" perms="rw" cached="false" />
        <map mr="buffer""#,
            r#"vaddr="0x10000000" perms="rw" />
        <map mr="buffer""#,
        )],
        said: r#"ioasid.toml:16:14: driver maps "nic_registers" as memory, and it is BAR 0 of nic
  help: add cached="false" to the <map> in driver in system.xml"#,
    },
    Case {
        toml: &[],
        xml: &[(
            r#"name="nic_registers" size="0x1000" phys_addr="0xd0000000""#,
            r#"name="nic_registers" size="0x3000" phys_addr="0xd0002000""#,
        )],
        said: r#"ioasid.toml:16:14: BAR 0 of nic with 0x3000 bytes of registers cannot be at 0xd0002000: a BAR is aligned to its size
  help: give "nic_registers" a phys_addr that is a multiple of 0x4000 in system.xml"#,
    },
    Case {
        toml: &[],
        xml: &[(r#"phys_addr="0xd0000000""#, r#"phys_addr="0xfee00000""#)],
        said: r#"ioasid.toml:16:14: the region "nic_registers" reaches into 0xfee00000..0xfef00000, where interrupts are sent to
  help: give it another phys_addr in system.xml: no memory and no device's registers are there"#,
    },
    Case {
        toml: &[("bars = { 0 =", "bars = { 5 =")],
        xml: &[(r#"phys_addr="0xd0000000""#, r#"phys_addr="0x100000000""#)],
        said: r#"ioasid.toml:16:14: BAR 5 of nic cannot be at 0x100000000: it has 32 bits, as a BAR of 64 bits takes the next number too
  help: give "nic_registers" a phys_addr below 0x100000000 in system.xml"#,
    },
    Case {
        toml: &[(r#"bars = { 0 = "nic_registers""#, r#"bars = { 0 = "nic_registers", 1 = "spare""#)],
        xml: &[
            (r#"phys_addr="0xd0000000""#, r#"phys_addr="0x100000000""#),
            (r#"name="spare" size="0x1000""#, r#"name="spare" size="0x1000" phys_addr="0xd0000000""#),
            (
                r#"<program_image path="driver.elf" />"#,
                r#"<program_image path="driver.elf" />
        <map mr="spare" vaddr="0x10800000" perms="rw" cached="false" />"#,
            ),
        ],
        said: r#"ioasid.toml:16:14: BAR 0 of nic cannot be at 0x100000000: it has 32 bits, as a BAR of 64 bits takes the next number too
  help: give "nic_registers" a phys_addr below 0x100000000 in system.xml"#,
    },
];

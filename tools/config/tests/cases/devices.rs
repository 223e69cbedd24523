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
];

// SPDX-License-Identifier: BSD-2-Clause
//! What cannot be read in `ioasid.toml`, names that system.xml has not, and several things at once.

use super::Case;

pub const CASES: &[Case] = &[
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

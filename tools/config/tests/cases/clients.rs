// SPDX-License-Identifier: BSD-2-Clause
//! What is wrong with a client: its channel, its share, its memory and its pages.

use super::Case;

pub const CASES: &[Case] = &[
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
        xml: &[(
            r#"    <channel>
        <end pd="admin""#,
            r#"    <channel>
        <end pd="driver" id="2" pp="true" />
        <end pd="server" id="9" />
    </channel>
    <channel>
        <end pd="admin""#,
        )],
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
        toml: &[
            (
                "limit = 16",
                "limit = 16
spaces = 1000",
            ),
            (
                "admin = true",
                "limit = 1
spaces = 25",
            ),
        ],
        xml: &[],
        said: "ioasid.toml:32:10: 1025 address spaces are given out, and there are 1024
  help: lower the numbers; a client for which nothing is said has an equal share of the rest",
    },
    Case {
        toml: &[(
            "limit = 16",
            "limit = 16
table_frames = 1000",
        )],
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
        xml: &[(
            r#"<program_image path="admin.elf" />"#,
            r#"<program_image path="admin.elf" />
        <map mr="buffer" vaddr="0x10800000" perms="r" />"#,
        )],
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
        xml: &[(
            r#"<map mr="events" vaddr="0x10200000" perms="r" />"#,
            r#"<map mr="events" vaddr="0x10200000" perms="rw" />"#,
        )],
        said: r#"ioasid.toml:24:10: driver may write "events", which the server alone writes
  help: map it in driver with perms="r""#,
    },
    Case {
        toml: &[],
        xml: &[(
            r#"<map mr="find" vaddr="0x10901000" perms="rw" />"#,
            r#"<map mr="find" vaddr="0x10901000" perms="r" />"#,
        )],
        said: r#"ioasid.toml:25:8: server may not both read and write "find"
  help: map it in server with perms="rw" in system.xml"#,
    },
    Case {
        toml: &[],
        xml: &[(
            r#"<map mr="batch" vaddr="0x10202000" perms="rw" />"#,
            r#"<map mr="batch" vaddr="0x10202000" perms="r" />"#,
        )],
        said: r#"ioasid.toml:26:9: driver may not both read and write "batch"
  help: map it in driver with perms="rw" in system.xml"#,
    },
    Case {
        toml: &[],
        xml: &[(
            r#"        <map mr="find" vaddr="0x10201000" perms="r" />
"#,
            "",
        )],
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
        xml: &[(
            r#"<program_image path="admin.elf" />"#,
            r#"<program_image path="admin.elf" />
        <map mr="batch" vaddr="0x10800000" perms="r" />"#,
        )],
        said: r#"ioasid.toml:26:9: admin maps "batch", which is driver's batch page and for server and driver alone
  help: take the <map> out of admin in system.xml"#,
    },
    Case {
        toml: &[],
        xml: &[(r#"size="0x10000" phys_addr="0x10400000""#, r#"size="0x10000" phys_addr="0xfedf1000""#)],
        said: r#"ioasid.toml:23:22: the region "buffer" reaches into 0xfee00000..0xfef00000, where interrupts are sent to
  help: give it another phys_addr in system.xml: no memory and no device's registers are there"#,
    },
];

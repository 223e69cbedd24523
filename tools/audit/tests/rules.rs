// SPDX-License-Identifier: BSD-2-Clause
//! Each rule finds what it is for: a system in which nothing is wrong, changed in one place, gives exactly the
//! findings that belong to the change, each at its place.

use sdf::System;
use system_audit::{Audit, Policy, Rule, Severity};

const SYSTEM: &str = include_str!("base/system.xml");
const POLICY: &str = include_str!("base/ioasid.toml");

/// A change: every occurrence of the first text in one of the two files becomes the second.
type Change = (&'static str, &'static str);

fn audit(changes: &[Change]) -> Audit {
    let (mut system, mut policy) = (SYSTEM.to_owned(), POLICY.to_owned());
    for (from, to) in changes {
        let text = if system.contains(from) { &mut system } else { &mut policy };
        assert_eq!(text.matches(from).count(), 1, "not exactly once: {from}");
        *text = text.replace(from, to);
    }
    let (system, _) = System::survey("system.xml", &system).unwrap_or_else(|errors| panic!("{errors}"));
    let policy = Policy::parse("ioasid.toml", &policy).unwrap_or_else(|problems| panic!("{problems}"));
    Audit::of(&system, Some(&policy))
}

/// Each finding as one line.
fn findings(audit: &Audit) -> Vec<String> {
    let line = |finding: &system_audit::Finding| {
        let place = format!("{}:{}:{}", finding.file, finding.line, finding.column);
        format!("{} {place} {}", finding.rule.name(), finding.message)
    };
    audit.findings.iter().map(line).collect()
}

/// In `other`, the domain that has nothing to do with the server.
const IN_OTHER: &str = r#"<map mr="spare" vaddr="0x20000000" />"#;
/// Where a whole element can be added.
const AT_THE_END: &str = "</system>";

const CASES: &[(&[Change], &[&str])] = &[
    (
        &[(IN_OTHER, r#"<map mr="tables" vaddr="0x20000000" perms="r" />"#)],
        &["server-memory system.xml:49:9 other maps tables, the unit's tables, which must be server's alone"],
    ),
    (
        &[(IN_OTHER, r#"<map mr="registers" vaddr="0x20000000" perms="r" />"#)],
        &[
            "server-memory system.xml:49:9 other maps registers, the unit's registers, which must be server's alone",
        ],
    ),
    (
        &[(IN_OTHER, r#"<map mr="ecam" vaddr="0x20000000" />"#)],
        &[
            "server-memory system.xml:49:9 other maps ecam, PCI configuration space, which must be server's alone",
        ],
    ),
    (
        &[(
            IN_OTHER,
            r#"<virtual_machine name="guest"><vcpu id="0" /><map mr="registry" vaddr="0" /></virtual_machine>"#,
        )],
        &["server-memory system.xml:49:54 guest maps registry, the registry, which must be server's alone"],
    ),
    (
        &[
            (IN_OTHER, r#"<map mr="spare" vaddr="0x20000000" perms="r" />"#),
            (r#"config = "config""#, "config = \"config\"\ntrace = \"spare\""),
        ],
        &[
            "server-memory system.xml:49:9 other maps spare, the trace of every client, which must be server's alone",
        ],
    ),
    (
        &[(IN_OTHER, r#"<cspace><cap_tcb slot="1" pd="server" /></cspace>"#)],
        &["server-controlled system.xml:49:17 other holds a capability to an object of server"],
    ),
    (
        &[
            (
                r#"    <protection_domain name="server" priority="200""#,
                r#"    <protection_domain name="top"><program_image path="top.elf" /><protection_domain id="0" name="server" priority="200""#,
            ),
            (
                r#"vector="0" />
    </protection_domain>"#,
                r#"vector="0" />
    </protection_domain></protection_domain>"#,
            ),
        ],
        &[
            "server-controlled system.xml:19:67 top is the parent of server and can stop and restart it",
            "server-restart system.xml:19:122 server is passive: top can stop it, and nobody can start it again",
        ],
    ),
    (
        &[
            (
                r#"    <protection_domain name="server" priority="200" passive="true""#,
                r#"    <protection_domain name="top"><program_image path="top.elf" /><protection_domain id="0" name="server" priority="200""#,
            ),
            (
                r#"vector="0" />
    </protection_domain>"#,
                r#"vector="0" />
    </protection_domain></protection_domain>"#,
            ),
        ],
        &["server-controlled system.xml:19:67 top is the parent of server and can stop and restart it"],
    ),
    (
        &[(IN_OTHER, r#"<ioport id="1" addr="0xcfc" size="4" />"#)],
        &[
            "configuration-space system.xml:49:9 other has PCI's configuration ports, with which every device can be redirected",
        ],
    ),
    (
        &[(r#"name="spare" size="0x1000""#, r#"name="spare" size="0x1000" phys_addr="0xb0200000""#)],
        &[
            "configuration-space system.xml:49:9 other maps spare, which is PCI configuration space of further buses",
        ],
    ),
    (
        &[(r#"name="spare" size="0x1000""#, r#"name="spare" size="0x1000" phys_addr="0xfee00000""#)],
        &["interrupt-addresses system.xml:49:9 other maps spare, where interrupts of all kinds can be made"],
    ),
    (
        &[(AT_THE_END, r#"<io_address_space name="gpu" peripheral_id="00:05.0" domain_id="1" /></system>"#)],
        &["kernel-iommu system.xml:60:1 the kernel makes tables for gpu in the unit that server owns"],
    ),
    (
        &[(IN_OTHER, r#"<irq id="3" pcidev="0:5.0" handle="0" vector="3" />"#)],
        &[
            "device-not-declared system.xml:49:9 other gets interrupts of PCI 00:05.0, which is no [[device]]: its DMA stays cut off",
        ],
    ),
    (
        &[(IN_OTHER, r#"<irq id="3" pcidev="0:3.0" handle="0" vector="3" />"#)],
        &["device-interrupt system.xml:49:9 other gets interrupts of nic, which it does not own"],
    ),
    (
        &[(IN_OTHER, r#"<map mr="nic_registers" vaddr="0x20000000" />"#)],
        &[
            "device-registers system.xml:49:9 other maps nic_registers, registers of nic, which it does not own",
        ],
    ),
    (
        &[(IN_OTHER, r#"<map mr="buffer_a" vaddr="0x20000000" />"#)],
        &["grant-shared system.xml:49:9 other maps buffer_a, which devices of a reach"],
    ),
    (
        &[(IN_OTHER, r#"<map mr="events_a" vaddr="0x20000000" perms="r" />"#)],
        &["client-page system.xml:49:9 other reaches events_a, the event ring of a"],
    ),
    (
        &[(
            r#"<map mr="events_a" vaddr="0x22000000" perms="r" />"#,
            r#"<map mr="events_a" vaddr="0x22000000" perms="rw" />"#,
        )],
        &["client-page system.xml:35:9 a may write events_a, its event ring"],
    ),
    (
        &[(r#"events = "events_b""#, r#"events = "events_a""#)],
        &[
            "client-page ioasid.toml:36:10 events_a, the event ring of b, is the event ring of a too",
            "client-page system.xml:35:9 a reaches events_a, the event ring of b",
        ],
    ),
    (
        &[(r#"batch = "batch_b""#, "find = \"batch_b\"")],
        &["client-page system.xml:43:9 b may write batch_b, its find page"],
    ),
    (
        &[(r#"batch = "batch_b""#, "batch = \"events_b\"")],
        &["client-page ioasid.toml:37:9 events_b, the batch page of b, is the event ring of b too"],
    ),
    (
        &[(r#"devices = ["disk"]"#, r#"devices = ["nic", "disk"]"#)],
        &["granted-twice ioasid.toml:34:12 the device nic is granted to a already"],
    ),
    (
        &[(r#"region = "buffer_b""#, r#"region = "buffer_a""#)],
        &[
            "granted-twice ioasid.toml:35:22 the memory of buffer_a is granted to a already",
            "grant-shared system.xml:33:9 a maps buffer_a, which devices of b reach",
        ],
    ),
    (
        &[(r#"address = "00:04.0""#, r#"address = "0:3.0""#)],
        &[
            "granted-twice ioasid.toml:19:11 disk and nic are the same PCI function, 00:03.0",
            "device-interrupt system.xml:36:9 a gets interrupts of disk, which it does not own",
            "device-not-declared system.xml:44:9 b gets interrupts of PCI 00:04.0, which is no [[device]]: its DMA stays cut off",
        ],
    ),
    (
        &[(r#"region = "buffer_b""#, r#"region = "tables""#)],
        &[
            "granted-server-memory ioasid.toml:35:22 tables, the unit's tables, is granted to b: its devices could rewrite it",
        ],
    ),
    (
        &[(r#"region = "buffer_b""#, r#"region = "disk_registers""#)],
        &["grant-of-registers ioasid.toml:35:22 disk_registers is granted and holds registers of disk"],
    ),
    (
        &[(r#" phys_addr="0x10210000""#, "")],
        &["granted-without-address ioasid.toml:35:22 buffer_b is granted and has no fixed physical address"],
    ),
    (
        &[(r#"devices = ["disk"]"#, "devices = []")],
        &[
            "device-registers system.xml:41:9 b maps disk_registers, registers of disk, which it does not own",
            "device-interrupt system.xml:44:9 b gets interrupts of disk, which it does not own",
            "device-without-owner ioasid.toml:18:8 no client is granted the device disk: its DMA stays cut off",
        ],
    ),
    (
        &[(r#"<end pd="b" id="1" pp="true" notify="false" />"#, r#"<end pd="b" id="1" />"#)],
        &["client-channel ioasid.toml:31:6 b has 0 channels on which it may call server"],
    ),
    (
        &[(
            AT_THE_END,
            r#"<channel><end pd="server" id="9" /><end pd="b" id="9" pp="true" /></channel></system>"#,
        )],
        &["client-channel ioasid.toml:31:6 b has 2 channels on which it may call server"],
    ),
    (
        &[(
            AT_THE_END,
            r#"<channel><end pd="server" id="9" /><end pd="other" id="9" pp="true" /></channel></system>"#,
        )],
        &[
            "caller-without-set system.xml:60:36 other may call server and is no [[client]]: every call is refused",
        ],
    ),
    (
        &[(r#"name="b" priority="100""#, r#"name="b" priority="200""#)],
        &["client-priority system.xml:38:33 b has priority 200, not below that of server, 200"],
    ),
    (
        &[("pd = \"b\"\nreservation = 8\nlimit = 16", "pd = \"b\"\nreservation = 17\nlimit = 16")],
        &["quota ioasid.toml:32:15 b has 17 ids reserved and may have 16"],
    ),
    (
        &[(r#"name="registry" size="0x800000""#, r#"name="registry" size="0x1000""#)],
        &["quota ioasid.toml:32:15 16 ids are reserved, and there are 0"],
    ),
    (
        &[
            ("fault_irq = 40", "fault_irq = 40\npasid_bits = 4"),
            ("pd = \"b\"\nreservation = 8", "pd = \"b\"\nreservation = 8 # more than 15 with a's"),
        ],
        &["quota ioasid.toml:33:15 16 ids are reserved, and there are 15"],
    ),
    (
        &[("fault_irq = 40", "fault_irq = 40\npasid_bits = 5")],
        &[
            "common-numbers ioasid.toml:34:9 with the 16 of b the limits come to 32 ids, and there are 31: no client has numbers of its own",
        ],
    ),
    (
        &[
            ("fault_irq = 40", "fault_irq = 40\npasid_bits = 5"),
            ("pd = \"b\"\nreservation = 8\nlimit = 16", "pd = \"b\"\nlimit = 15"),
        ],
        &[],
    ),
    (
        &[
            ("fault_irq = 40", "fault_irq = 40\npasid_bits = 5"),
            ("pd = \"b\"\nreservation = 8\nlimit = 16", "pd = \"b\"\nreservation = 15"),
        ],
        &[],
    ),
    // Whom others could see has no ids.
    (
        &[
            ("pd = \"a\"\nreservation = 8\nlimit = 16", "pd = \"a\""),
            ("pd = \"b\"\nreservation = 8\nlimit = 16", "pd = \"b\"\nlimit = 2000000"),
        ],
        &[],
    ),
    (
        &[(r#"pd = "b""#, r#"pd = "a""#)],
        &[
            "granted-twice ioasid.toml:31:6 a is a client twice",
            "device-registers system.xml:41:9 b maps disk_registers, registers of disk, which it does not own",
            "client-page system.xml:42:9 b reaches events_b, the event ring of a",
            "client-page system.xml:43:9 b reaches batch_b, the batch page of a",
            "grant-shared system.xml:40:9 b maps buffer_b, which devices of a reach",
            "device-interrupt system.xml:44:9 b gets interrupts of disk, which it does not own",
            "caller-without-set system.xml:58:9 b may call server and is no [[client]]: every call is refused",
        ],
    ),
    (
        &[(r#"registry = "registry""#, r#"registry = "heap""#)],
        &["unknown-name ioasid.toml:8:12 there is no memory region heap"],
    ),
    (
        &[(r#"pd = "server""#, r#"pd = "iommu""#)],
        &[
            "unknown-name ioasid.toml:2:6 there is no protection domain iommu, which is to own the unit",
            "device-not-declared system.xml:29:9 server gets interrupts of PCI 00:00.0, which is no [[device]]: its DMA stays cut off",
        ],
    ),
    (
        &[(r#"devices = ["nic"]"#, r#"devices = ["nic", "gpu"]"#)],
        &["unknown-name ioasid.toml:26:19 there is no [[device]] gpu"],
    ),
];

#[test]
fn the_base_has_no_findings() {
    let audit = audit(&[]);
    assert_eq!(findings(&audit), Vec::<String>::new());
    assert!(audit.passes());
}

#[test]
fn each_change_gives_its_findings() {
    let mut failures = Vec::new();
    for (changes, expected) in CASES {
        let found = findings(&audit(changes));
        if found != *expected {
            failures.push(format!("{changes:?}\nexpected {expected:#?}\nfound {found:#?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn each_rule_has_a_system_that_breaks_it() {
    for rule in Rule::ALL {
        let broken = CASES
            .iter()
            .any(|(_, expected)| expected.iter().any(|line| line.starts_with(&format!("{} ", rule.name()))));
        assert!(broken, "{} is broken by no test", rule.name());
    }
}

#[test]
fn each_rule_is_in_the_documentation() {
    let document = include_str!("../../../docs/tools.md");
    for rule in Rule::ALL {
        let row = format!("| `{}` | {} | ", rule.name(), rule.severity().name());
        assert_eq!(document.matches(&row).count(), 1, "{row}");
    }
}

#[test]
fn only_errors_make_an_audit_fail() {
    for (changes, _) in CASES {
        let audit = audit(changes);
        let error = audit.findings.iter().any(|finding| finding.rule.severity() == Severity::Error);
        assert_eq!(audit.passes(), !error);
    }
}

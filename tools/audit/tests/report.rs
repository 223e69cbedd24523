// SPDX-License-Identifier: BSD-2-Clause
//! The matrix says who reaches what, and the reports say all that an audit found.

use sdf::System;
use system_audit::{Audit, Policy};

const SYSTEM: &str = include_str!("base/system.xml");
const POLICY: &str = include_str!("base/ioasid.toml");

fn audit(system: &str) -> Audit {
    let (system, _) = System::survey("system.xml", system).unwrap_or_else(|errors| panic!("{errors}"));
    let policy = Policy::parse("ioasid.toml", POLICY).unwrap_or_else(|problems| panic!("{problems}"));
    Audit::of(&system, Some(&policy))
}

fn access(audit: &Audit, region: &str, subject: &str) -> String {
    audit.matrix.reach(region, subject).map_or("none".to_owned(), |reach| reach.access.to_string())
}

#[test]
fn the_matrix_has_what_the_cpu_reaches() {
    let audit = audit(SYSTEM);
    assert_eq!(access(&audit, "events_a", "server"), "rw");
    assert_eq!(access(&audit, "events_a", "a"), "r");
    assert_eq!(access(&audit, "events_a", "b"), "none");
    assert_eq!(access(&audit, "tables", "a"), "none");
}

#[test]
fn a_device_reaches_what_its_client_is_granted_and_no_more() {
    let audit = audit(SYSTEM);
    assert_eq!(access(&audit, "buffer_a", "nic"), "rw");
    assert_eq!(access(&audit, "buffer_b", "disk"), "r");
    assert_eq!(access(&audit, "buffer_b", "nic"), "none");
    assert_eq!(access(&audit, "events_a", "nic"), "none");
    assert_eq!(
        audit
            .matrix
            .reaches
            .iter()
            .filter(|reach| audit.matrix.subjects[reach.subject].name == "nic")
            .count(),
        1
    );
}

#[test]
fn two_mappings_give_what_either_gives() {
    let twice = SYSTEM.replace(
        r#"<map mr="spare" vaddr="0x20000000" />"#,
        r#"<map mr="spare" vaddr="0x20000000" perms="r" /><map mr="spare" vaddr="0x20001000" perms="rx" />"#,
    );
    assert_eq!(access(&audit(&twice), "spare", "other"), "rx");
}

#[test]
fn the_text_has_the_matrix_and_a_verdict() {
    let text = audit(SYSTEM).to_text();
    let line =
        |begins: &str| text.lines().find(|line| line.trim_start().starts_with(begins)).unwrap().to_owned();
    let cells: Vec<_> = line("buffer_a").split_whitespace().map(str::to_owned).collect();
    assert_eq!(cells, ["buffer_a", "·", "rw", "·", "·", "*rw", "·"]);
    assert_eq!(line("0x3f8"), "  0x3f8–0x3ff b");
    assert_eq!(text.lines().last(), Some("audit: 0 errors, 0 warnings"));
    // Columns are aligned: every line of the table has the same width.
    let table: Vec<_> =
        text.lines().skip(2).take_while(|line| !line.is_empty()).map(|line| line.chars().count()).collect();
    assert_eq!(table.len(), 14);
    assert!(table.iter().all(|width| *width == table[0]), "{text}");
}

#[test]
fn a_finding_in_the_text_has_its_rule_its_place_and_a_remedy() {
    let text = audit(&SYSTEM.replace(r#"mr="spare" vaddr"#, r#"mr="registers" vaddr"#)).to_text();
    let finding = "error[server-memory]: other maps registers, the unit's registers, which must be server's alone\n  \
                   system.xml:49:9\n  help: remove the <map>\n";
    assert!(text.contains(finding), "{text}");
    assert!(text.ends_with("audit: 1 error, 0 warnings\n"), "{text}");
}

#[test]
fn the_json_says_the_same() {
    let audit = audit(&SYSTEM.replace(r#"mr="spare" vaddr"#, r#"mr="registers" vaddr"#));
    let json: serde_json::Value = serde_json::from_str(&audit.to_json()).unwrap();
    assert_eq!(json["passes"], false);
    assert_eq!(json["files"], serde_json::json!(["system.xml", "ioasid.toml"]));
    assert_eq!(json["subjects"].as_array().unwrap().len(), 6);
    assert_eq!(json["reaches"].as_array().unwrap().len(), audit.matrix.reaches.len());
    let dma = json["reaches"].as_array().unwrap().iter().find(|reach| reach["subject"] == "disk").unwrap();
    assert_eq!(
        *dma,
        serde_json::json!({"subject": "disk", "region": "buffer_b", "by": "dma", "access": "r"})
    );
    assert_eq!(json["ports"], serde_json::json!([{"subject": "b", "first": 0x3f8, "last": 0x3ff}]));
    let finding = &json["findings"][0];
    assert_eq!((&finding["rule"], &finding["line"]), (&"server-memory".into(), &49.into()));
    assert_eq!(finding["severity"], "error");
}

#[test]
fn a_system_without_an_ioasid_toml_has_a_matrix_too() {
    let text = r#"<system>
        <memory_region name="dma" size="0x1000" />
        <protection_domain name="parent"><program_image path="a" /><map mr="dma" vaddr="0x1000" />
            <protection_domain name="child" id="0"><program_image path="a" /></protection_domain>
        </protection_domain>
        <io_address_space name="edu" peripheral_id="00:02.0" domain_id="1"><iomap mr="dma" iovaddr="0" perms="w" /></io_address_space>
    </system>"#;
    let (system, _) = System::survey("system.xml", text).unwrap();
    let audit = Audit::of(&system, None);
    assert_eq!(access(&audit, "dma", "PCI 00:02.0"), "w");
    assert_eq!(
        audit.matrix.controls[0].how,
        "is the parent of child: receives its faults, stops and restarts it"
    );
    assert!(audit.passes());
    assert!(audit.to_text().starts_with("Who can reach what, from system.xml\n"));
}

// SPDX-License-Identifier: BSD-2-Clause
//! `fragment.system.xml`, which others copy into their system descriptions: it holds by itself, and a system that was made
//! of it still has all of it.

mod common;

use roxmltree::{Document, Node};

const FRAGMENT: &str = include_str!("../../../pds/ioasid/fragment.system.xml");
const COPIER: &str = include_str!("../../../examples/copier/system.xml");
const POLICY: &str = include_str!("../../../examples/copier/ioasid.toml");

/// Whether `parent` has an element like `wanted`: of the same attributes but the priority, with all that is in it.
fn has(parent: Node<'_, '_>, wanted: Node<'_, '_>) -> bool {
    let attributes = |node: Node<'_, '_>| {
        let all = node.attributes().filter(|attribute| attribute.name() != "priority");
        let mut all: Vec<_> =
            all.map(|attribute| (attribute.name().to_owned(), attribute.value().to_owned())).collect();
        all.sort();
        all
    };
    parent.children().filter(Node::is_element).any(|child| {
        child.tag_name() == wanted.tag_name()
            && attributes(child) == attributes(wanted)
            && wanted.children().filter(Node::is_element).all(|inner| has(child, inner))
    })
}

#[test]
fn the_example_is_made_of_the_fragment() {
    let (fragment, copier) = (Document::parse(FRAGMENT).unwrap(), Document::parse(COPIER).unwrap());
    for element in fragment.root_element().children().filter(Node::is_element) {
        let name = element.attribute("name").unwrap_or_default();
        assert!(has(copier.root_element(), element), "<{} {name}>", element.tag_name().name());
    }
}

#[test]
fn a_client_is_all_that_the_fragment_lacks() {
    let client = r#"<memory_region name="events" size="0x1000" />
        <protection_domain name="client" priority="100">
            <program_image path="client.elf" />
            <map mr="events" vaddr="0x20000000" perms="r" />
        </protection_domain>
        <channel><end pd="ioasid" id="1" /><end pd="client" id="1" pp="true" /></channel></system>"#;
    let system = FRAGMENT.replace("</system>", client);
    let unit = POLICY.split("[[device]]").next().unwrap();
    let toml = format!("{unit}\n[[client]]\npd = \"client\"\nreservation = 1\nlimit = 2\n");
    common::compile(&system, &toml).unwrap();
    let unmapped = common::compile(&system, &format!("{toml}events = \"events\"\n")).unwrap_err().to_string();
    assert!(unmapped.contains("events"), "the server has to map it, too: {unmapped}");
}

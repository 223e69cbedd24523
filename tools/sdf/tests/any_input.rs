// SPDX-License-Identifier: BSD-2-Clause
//! No text makes the reader panic, and whatever it says about a text lies in that text: arbitrary text, damaged
//! descriptions, and elements put together at random out of the format's own words.

use proptest::prelude::*;
use sdf::System;

const EVERYTHING: &str = include_str!("good/everything.xml");

const ELEMENTS: &[&str] = &[
    "system",
    "protection_domain",
    "memory_region",
    "channel",
    "end",
    "map",
    "irq",
    "ioport",
    "setvar",
    "program_image",
    "virtual_machine",
    "vcpu",
    "cspace",
    "cap_tcb",
    "io_address_space",
    "iomap",
    "domains",
    "domain",
    "domain_schedule",
    "schedule_entry",
    "x",
];
const ATTRIBUTES: &[&str] = &[
    "name",
    "size",
    "page_size",
    "phys_addr",
    "prefill_path",
    "mr",
    "vaddr",
    "perms",
    "cached",
    "setvar_vaddr",
    "setvar_prefill_size",
    "id",
    "pd",
    "pp",
    "priority",
    "period",
    "stack_size",
    "cpu",
    "pin",
    "pcidev",
    "vector",
    "irq",
    "addr",
    "symbol",
    "region_paddr",
    "path",
    "slot",
    "domain",
    "duration",
    "iovaddr",
    "domain_id",
    "peripheral_id",
    "start_index",
    "index_shift",
];
const VALUES: &[&str] = &[
    "a",
    "b",
    "",
    "0",
    "1",
    "61",
    "62",
    "0x1000",
    "0x2000",
    "0x20_0000",
    "0x7fff_ffff_f000",
    "0xffff_ffff_ffff_f000",
    "18446744073709551615",
    "true",
    "rw",
    "w",
    "00:02.0",
    "é",
    "1 us",
    "0x",
    "_",
];

#[derive(Clone, Debug)]
struct Node {
    name: &'static str,
    attributes: Vec<(&'static str, &'static str)>,
    children: Vec<Node>,
}

fn write(node: &Node, text: &mut String) {
    text.push_str(&format!("<{}", node.name));
    let mut seen = Vec::new();
    for (name, value) in &node.attributes {
        // An attribute there twice is no XML, which other cases try.
        if !seen.contains(name) {
            text.push_str(&format!(" {name}=\"{value}\""));
            seen.push(name);
        }
    }
    text.push_str(">\n");
    node.children.iter().for_each(|child| write(child, text));
    text.push_str(&format!("</{}>", node.name));
}

fn node() -> impl Strategy<Value = Node> {
    use proptest::collection::vec;
    use proptest::sample::select;
    let attributes = || vec((select(ATTRIBUTES), select(VALUES)), 0..8);
    let leaf = (select(ELEMENTS), attributes()).prop_map(|(name, attributes)| Node {
        name,
        attributes,
        children: vec![],
    });
    leaf.prop_recursive(4, 48, 8, move |inner| {
        (select(ELEMENTS), attributes(), vec(inner, 0..8)).prop_map(|(name, attributes, children)| Node {
            name,
            attributes,
            children,
        })
    })
}

/// Reads `text` and checks that every place lies in it and every index is valid.
fn read(text: &str) {
    let length = |path: &str| if path == "a" { Ok(5000) } else { Err(std::io::ErrorKind::NotFound.into()) };
    let strict = System::parse_with("any.xml", text, &length);
    if let Err(errors) = &strict {
        assert!(!errors.to_string().is_empty());
        for error in errors {
            let place = error.place;
            assert!(text.get(place.offset..place.offset + place.len).is_some(), "{error} at {place:?}");
            for (also, _) in &error.also {
                assert!(text.get(also.offset..also.offset + also.len).is_some(), "{error} at {also:?}");
            }
        }
        errors.clone().report();
    }
    let Ok((system, errors)) = System::survey("any.xml", text) else { return };
    if strict.is_ok() {
        assert_eq!(errors, None);
    }
    for pd in &system.protection_domains {
        assert!(pd.parent.as_ref().is_none_or(|link| link.pd < system.protection_domains.len()));
        assert!(pd.maps.iter().all(|map| *map.region < system.memory_regions.len()));
    }
    assert!(
        system
            .channels
            .iter()
            .flat_map(|channel| &channel.ends)
            .all(|end| *end.pd < system.protection_domains.len())
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text(text in any::<String>()) {
        read(&text);
    }

    #[test]
    fn damaged_descriptions(cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..40, "[a-z0-9<>\"/= é]{0,6}"), 1..4)) {
        let mut characters: Vec<char> = EVERYTHING.chars().collect();
        for (at, length, put) in cuts {
            let start = at.index(characters.len());
            let end = (start + length).min(characters.len());
            characters.splice(start..end, put.chars());
        }
        read(&characters.into_iter().collect::<String>());
    }

    #[test]
    fn random_elements(children in proptest::collection::vec(node(), 0..8)) {
        let mut text = String::new();
        write(&Node { name: "system", attributes: vec![], children }, &mut text);
        read(&text);
    }
}

/// One attribute of a valid description set to each of the values that are likely to be mishandled.
#[test]
fn every_attribute_with_every_odd_value() {
    let document: Vec<_> = EVERYTHING.match_indices("=\"").map(|(at, _)| at + 2).collect();
    for start in document {
        let end = start + EVERYTHING[start..].find('"').unwrap();
        for value in ["", "0", "62", "0xffff_ffff_ffff_f000", "18446744073709551615", "a", "é"] {
            read(&format!("{}{value}{}", &EVERYTHING[..start], &EVERYTHING[end..]));
        }
    }
}

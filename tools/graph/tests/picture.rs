// SPDX-License-Identifier: BSD-2-Clause
//! A picture shows everything in its system, is well-formed, and no word in it meets another.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use config_compiler::Schema;
use sdf::System;
use system_graph::{ActorKind, By, LinkKind, Picture};

const EVERYTHING: &str = include_str!("../../sdf/tests/good/everything.xml");

fn picture(text: &str) -> Picture {
    let (system, errors) = System::survey("system.xml", text).unwrap_or_else(|errors| panic!("{errors}"));
    Picture::of(&system, None).with_unknown(errors.as_ref())
}

/// A system of `count` domains, each sharing memory and a channel with some of the others.
fn woven(count: usize) -> String {
    let mut text = String::from("<system>");
    for i in 0..count {
        let name = format!("domain_{}{i}", "x".repeat(i * 7 % 23));
        text.push_str(&format!("<memory_region name=\"shared_{i}\" size=\"0x{:x}000\" />", i * i + 1));
        text.push_str(&format!(
            "<protection_domain name=\"{name}\" priority=\"{i}\"><program_image path=\"a\" />"
        ));
        for j in [i, i * 3 % count, i * 5 % count] {
            text.push_str(&format!("<map mr=\"shared_{j}\" vaddr=\"0x{:x}0_0000\" />", j + 16));
        }
        text.push_str(&format!("<irq id=\"60\" pcidev=\"0:{:x}.0\" handle=\"0\" vector=\"{i}\" />", i % 32));
        text.push_str("</protection_domain>");
    }
    let name = |i: usize| format!("domain_{}{i}", "x".repeat(i * 7 % 23));
    for i in 1..count {
        let (a, b) = (name(i - 1), name(i * 7 % (i + 1)));
        text.push_str(&format!(
            "<channel><end pd=\"{a}\" id=\"{i}\" pp=\"true\" /><end pd=\"{b}\" id=\"{}\" /></channel>",
            i + 20
        ));
    }
    text.push_str("</system>");
    text
}

/// A word in the picture: its box, generously estimated from the font's size, and the word.
struct Word {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    word: String,
}

fn words(svg: &str) -> Vec<Word> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts
        .map(|node| {
            let number = |name: &str| node.attribute(name).unwrap().parse::<f64>().unwrap();
            let word = node.text().unwrap_or_default().to_owned();
            let (x, y, size) = (number("x"), number("y"), number("font-size"));
            let width = word.chars().count() as f64 * size * 0.6;
            let left = if node.attribute("text-anchor") == Some("middle") { x - width / 2.0 } else { x };
            Word { left, right: left + width, top: y - size * 0.75, bottom: y + size * 0.2, word }
        })
        .collect()
}

fn assert_tidy(svg: &str) {
    let document = roxmltree::Document::parse(svg).unwrap();
    let root = document.root_element();
    let size = |name: &str| root.attribute(name).unwrap().parse::<f64>().unwrap();
    let words = words(svg);
    for (index, a) in words.iter().enumerate() {
        assert!(
            a.left >= 0.0 && a.right <= size("width") && a.bottom <= size("height"),
            "{} leaves the picture",
            a.word
        );
        for b in &words[index + 1..] {
            let apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
            assert!(apart, "'{}' meets '{}'", a.word, b.word);
        }
    }
}

#[test]
fn no_word_meets_another() {
    assert_tidy(&picture(EVERYTHING).to_svg());
    for count in [2, 5, 12, 30] {
        assert_tidy(&picture(&woven(count)).to_svg());
    }
}

#[test]
fn every_part_of_the_system_is_in_the_picture() {
    let (svg, mermaid) = (picture(EVERYTHING).to_svg(), picture(EVERYTHING).to_mermaid());
    for shown in [&svg, &mermaid] {
        for name in [
            "server",
            "supervisor",
            "client",
            "vmm",
            "guest",
            "unit",
            "tables",
            "image",
            "ram",
            "rsdp",
            "dma",
            "edu",
            "00:1f.2",
            "00:02.0",
            "priority 254, passive",
            "0x3f8–0x3ff",
            "TCB of client",
        ] {
            assert!(shown.contains(name), "no {name} in\n{shown}");
        }
    }
}

#[test]
fn a_channel_shows_who_may_do_what() {
    let picture = picture(EVERYTHING);
    let channel = picture.links.iter().find(|link| matches!(link.kind, LinkKind::Channel { .. })).unwrap();
    assert_eq!(channel.kind, LinkKind::Channel { call: [false, true], notify: [false, true] });
    let marks: Vec<_> = channel.ends.iter().map(|end| (end.actor, end.mark.as_str())).collect();
    assert_eq!(marks, [(0, "0"), (2, "61")]);
    let mermaid = picture.to_mermaid();
    assert!(mermaid.contains("a2 ==>|\"call 61→0\"| a0"), "{mermaid}");
    assert!(mermaid.contains("a2 -.->|\"notify 61→0\"| a0"), "{mermaid}");
}

#[test]
fn memory_of_one_domain_is_in_its_card_and_shared_memory_has_a_row() {
    let picture = picture(EVERYTHING);
    assert!(picture.actors[0].facts.contains(&("unit".to_owned(), "4 KiB rw".to_owned())));
    let rows: Vec<_> = picture.links.iter().filter(|link| link.kind == LinkKind::Memory).collect();
    assert_eq!(rows.iter().map(|link| link.label.as_str()).collect::<Vec<_>>(), ["tables"]);
    let marks: Vec<_> = rows[0].ends.iter().map(|end| (end.actor, end.mark.as_str())).collect();
    assert_eq!(marks, [(0, "rw"), (2, "r")]);
}

#[test]
fn a_foreign_system_is_drawn_and_its_unknown_elements_are_named() {
    let text = r#"<system>
        <memory_region name="spare" size="0x1000" />
        <protection_domain name="serial" smc="true">
            <program_image path="serial.elf" />
            <irq irq="33" id="1" />
            <heap size="0x1000" />
        </protection_domain>
    </system>"#;
    let picture = picture(text);
    assert_eq!(
        picture.notes,
        ["Memory that nobody maps: spare (4 KiB)", "Not drawn, because not known: <heap> (line 6)"]
    );
    let svg = picture.to_svg();
    assert!(svg.contains("interrupt 33") && svg.contains("&lt;heap&gt;"), "{svg}");
    assert_tidy(&svg);
}

#[test]
fn a_channel_of_a_domain_with_itself_is_a_fact() {
    let text = r#"<system><protection_domain name="a"><program_image path="a" /></protection_domain>
        <channel><end pd="a" id="1" /><end pd="a" id="2" /></channel></system>"#;
    let picture = picture(text);
    assert!(picture.links.is_empty());
    assert!(picture.actors[0].facts.contains(&("channel to itself".to_owned(), "1 and 2".to_owned())));
    assert_tidy(&picture.to_svg());
}

#[test]
fn a_system_of_nothing_is_a_picture_still() {
    assert_tidy(&picture("<system></system>").to_svg());
}

#[test]
fn names_are_escaped() {
    let text = r#"<system><protection_domain name="a&lt;b>&amp;&quot;"><program_image path="a" /></protection_domain></system>"#;
    let picture = picture(text);
    assert!(words(&picture.to_svg()).iter().any(|word| word.word == "a<b>&\""));
    assert!(picture.to_mermaid().contains("a#60;b#62;#38;#34;"));
}

#[test]
fn the_same_system_gives_the_same_picture() {
    assert_eq!(picture(&woven(20)).to_svg(), picture(&woven(20)).to_svg());
}

/// The base system of the audit's tests: a server, two clients with a device each.
fn with_policy(change: impl Fn(&str) -> String) -> Picture {
    let (system, _) =
        System::survey("system.xml", include_str!("../../audit/tests/base/system.xml")).unwrap();
    let policy = change(include_str!("../../audit/tests/base/ioasid.toml"));
    Picture::of(&system, Some(&Schema::parse("ioasid.toml", &policy).unwrap()))
}

/// Ends of the memory row called `label`: name, mark, and how it is reached.
fn ends<'p>(picture: &'p Picture, label: &str) -> Vec<(&'p str, &'p str, By)> {
    let row = picture.links.iter().find(|link| link.label == label).unwrap();
    row.ends.iter().map(|end| (picture.actors[end.actor].name.as_str(), end.mark.as_str(), end.by)).collect()
}

#[test]
fn grants_join_devices_with_memory() {
    let picture = with_policy(str::to_owned);
    assert_eq!(ends(&picture, "buffer_a"), [("nic", "rw", By::Dma), ("a", "rw", By::Cpu)]);
    assert_eq!(ends(&picture, "buffer_b"), [("disk", "r", By::Dma), ("b", "rw", By::Cpu)]);
    assert_eq!(ends(&picture, "nic_registers"), [("nic", "BAR 0", By::Registers), ("a", "rw", By::Cpu)]);
    assert_eq!(ends(&picture, "tables"), [("VT-d unit", "walks", By::Dma), ("server", "rw", By::Cpu)]);
    assert_tidy(&picture.to_svg());
}

#[test]
fn quotas_stand_in_the_clients_cards_and_addresses_in_the_devices() {
    let picture = with_policy(|text| text.replacen("limit = 16\n", "limit = 16\nadmin = true\n", 1));
    let facts = |name: &str| &picture.actors.iter().find(|actor| actor.name == name).unwrap().facts;
    assert!(facts("a").contains(&("PASIDs".to_owned(), "8 reserved".to_owned())));
    assert!(facts("a").contains(&(String::new(), "16 at most".to_owned())));
    assert!(facts("a").contains(&(String::new(), "administers all sets".to_owned())));
    assert!(!facts("b").contains(&(String::new(), "administers all sets".to_owned())));
    assert!(facts("nic").contains(&(String::new(), "PCI 00:03.0".to_owned())));
}

#[test]
fn interrupts_come_from_the_unit_and_the_named_devices() {
    let picture = with_policy(str::to_owned);
    let interrupts = picture.links.iter().filter(|link| link.kind == LinkKind::Interrupt);
    let pairs: Vec<_> = interrupts
        .map(|link| {
            let name = |end: usize| picture.actors[link.ends[end].actor].name.as_str();
            (name(0), name(1), link.ends[1].mark.as_str())
        })
        .collect();
    assert_eq!(pairs, [("VT-d unit", "server", "40"), ("nic", "a", "3"), ("disk", "b", "3")]);
    assert!(
        picture.actors.iter().all(|actor| actor.kind != ActorKind::Device || !actor.name.starts_with("PCI"))
    );
}

#[test]
fn a_region_that_is_not_there_is_a_note() {
    let picture = with_policy(|text| text.replace("tables = \"tables\"", "tables = \"heap\""));
    assert_eq!(picture.notes, ["ioasid.toml names the memory region heap, which is not there"]);
}

// SPDX-License-Identifier: BSD-2-Clause
//! `<system>`: the whole.

use roxmltree::Document;

use super::protection_domain::Pending;
use super::xml::{Element, PrefillLength, Reader};
use crate::error::{Error, Errors};
use crate::limits::MAX_PROTECTION_DOMAINS;
use crate::model::System;
use crate::source::{Place, Source};

const ELEMENTS: [&str; 5] = ["protection_domain", "memory_region", "channel", "io_address_space", "domains"];

/// Reads all of `source`: what was understood, and the errors; or the one error that leaves nothing to read.
pub(crate) fn system(
    source: &Source,
    prefill_length: Option<PrefillLength<'_>>,
) -> Result<(System, Vec<Error>), Errors> {
    let alone = |error| Errors::one(source.clone(), error);
    let document = Document::parse(source.text()).map_err(|error| alone(not_xml(source, &error)))?;
    let mut reader = Reader::new(&document, source, prefill_length);
    let root = reader.element(document.root_element());
    if root.name() != "system" {
        let message = "is the root element, where <system> is to be";
        let help = "put the description inside <system> … </system>";
        return Err(alone(Error::new(root.place, root.name(), message, help)));
    }
    reader.known_attributes(root, &[]);
    reader.no_text(root);

    let mut system = System {
        source: source.clone(),
        memory_regions: Vec::new(),
        protection_domains: Vec::new(),
        channels: Vec::new(),
        io_address_spaces: Vec::new(),
        domains: None,
    };
    let elements = reader.children(root);
    let called = |name: &'static str| elements.iter().copied().filter(move |element| element.name() == name);

    // What is referred to comes before what refers to it, whatever the order of the text.
    for element in called("memory_region") {
        let region = reader.memory_region(element);
        system.memory_regions.extend(region);
    }
    for (index, element) in called("domains").enumerate() {
        if index > 0 {
            reader.error(element, element.place, "is there twice".into(), "keep one");
            continue;
        }
        let domains = reader.domains(element);
        system.domains = Some(domains);
    }
    let mut pending = Pending::default();
    for element in called("protection_domain") {
        reader.protection_domain(element, None, &mut system, &mut pending);
    }
    reader.cap_maps(&mut system, &pending);
    for element in called("channel") {
        reader.channel(element, &mut system);
    }
    for element in called("io_address_space") {
        reader.io_address_space(element, &mut system);
    }
    for element in elements.iter().filter(|element| !ELEMENTS.contains(&element.name())) {
        reader.misplaced(*element);
    }
    if system.protection_domains.is_empty() && called("protection_domain").next().is_none() {
        reader.error(root, root.place, "has no <protection_domain>".into(), "add at least one");
    }
    if let Some(first_beyond) = system.protection_domains.get(MAX_PROTECTION_DOMAINS) {
        let message = format!(
            "is one of {} protection domains, more than {MAX_PROTECTION_DOMAINS}",
            system.protection_domains.len()
        );
        let help = "merge some of them, or leave some out";
        reader.errors.push(Error::new(first_beyond.place, "protection_domain", message, help));
    }

    // The rules between elements are only worth checking when the elements themselves are right.
    let mut errors = reader.errors;
    if errors.iter().all(Error::is_foreign) {
        crate::check::rules(&mut system, &mut errors);
    }
    Ok((system, errors))
}

impl<'d> Reader<'d> {
    /// Reports an element that `<system>` does not have, with the place where it would go if there is one.
    fn misplaced(&mut self, element: Element<'d>) {
        let home = match element.name() {
            "virtual_machine" | "program_image" | "map" | "irq" | "ioport" | "setvar" | "cspace" => {
                "<protection_domain>"
            }
            "end" => "<channel>",
            "vcpu" => "<virtual_machine>",
            "iomap" => "<io_address_space>",
            _ => return self.unknown_element(element, &ELEMENTS),
        };
        self.error(
            element,
            element.place,
            "is outside its element".into(),
            &format!("move it into a {home}"),
        );
    }
}

/// The error for a text that is not XML.
fn not_xml(source: &Source, error: &roxmltree::Error) -> Error {
    let at = error.pos();
    let line_start: usize =
        source.text().split_inclusive('\n').take(at.row.saturating_sub(1) as usize).map(str::len).sum();
    let line = source.text().get(line_start..).unwrap_or_default();
    let in_line =
        line.char_indices().nth(at.col.saturating_sub(1) as usize).map_or(line.len(), |(offset, _)| offset);
    let place = Place { offset: line_start + in_line, len: 0, line: at.row, column: at.col };
    // The parser ends its message with the place, which is shown apart.
    let message = error.to_string();
    let message = message.strip_suffix(&format!(" at {at}")).unwrap_or(&message);
    // As many public examples are: a template of a file for several boards.
    let help = if line.starts_with("#include") || line.starts_with("#define") || line.starts_with("#if") {
        "this is for the C preprocessor: give what `cpp -P` makes of it"
    } else {
        "correct the XML at this place"
    };
    Error::new(place, "xml", format!("not well-formed: {message}"), help)
}

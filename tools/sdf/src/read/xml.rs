// SPDX-License-Identifier: BSD-2-Clause
//! Elements and attributes with their places, and the values that attributes can have.

use roxmltree::{Document, Node};

use crate::error::{Error, Kind};
use crate::limits::MAX_ID;
use crate::source::{At, Place, Source};

/// Gives the length in bytes of a file that a memory region is filled with.
pub(crate) type PrefillLength<'f> = &'f dyn Fn(&str) -> std::io::Result<u64>;

/// The places of a document and the errors found in it so far.
pub(crate) struct Reader<'d> {
    document: &'d Document<'d>,
    /// Byte at which each line starts, so that finding a place takes no walk through the text.
    lines: Vec<usize>,
    pub(crate) errors: Vec<Error>,
    pub(crate) prefill_length: Option<PrefillLength<'d>>,
}

/// An element: its name and the place of its opening tag's name.
#[derive(Clone, Copy)]
pub(crate) struct Element<'d> {
    pub(crate) node: Node<'d, 'd>,
    pub(crate) place: Place,
}

impl<'d> Element<'d> {
    /// Its name without a namespace.
    pub(crate) fn name(&self) -> &'d str {
        self.node.tag_name().name()
    }
}

impl<'d> Reader<'d> {
    pub(crate) fn new(
        document: &'d Document<'d>,
        source: &Source,
        prefill_length: Option<PrefillLength<'d>>,
    ) -> Self {
        let starts =
            source.text().bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        debug_assert_eq!(document.input_text(), source.text());
        Self {
            document,
            lines: std::iter::once(0).chain(starts).collect(),
            errors: Vec::new(),
            prefill_length,
        }
    }

    fn place(&self, range: std::ops::Range<usize>) -> Place {
        let line = self.lines.partition_point(|start| *start <= range.start);
        let start = self.lines[line - 1];
        let column = self.document.input_text()[start..range.start].chars().count() + 1;
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Place { offset: range.start, len: range.len(), line: small(line), column: small(column) }
    }

    /// The node as an element; its place is `<name`, which no other element's is.
    pub(crate) fn element(&self, node: Node<'d, 'd>) -> Element<'d> {
        let start = node.range().start;
        let text = &self.document.input_text()[node.range()];
        let len = text.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(text.len());
        Element { node, place: self.place(start..start + len) }
    }

    /// The child elements of `parent`.
    pub(crate) fn children(&self, parent: Element<'d>) -> Vec<Element<'d>> {
        parent.node.children().filter(Node::is_element).map(|node| self.element(node)).collect()
    }

    /// Adds an error about `place` in `element`.
    pub(crate) fn error(&mut self, element: Element<'_>, place: Place, message: String, help: &str) {
        self.errors.push(Error::new(place, element.name(), message, help));
    }

    /// Adds an error about something that another architecture has.
    pub(crate) fn foreign(&mut self, element: Element<'_>, place: Place, message: String, help: &str) {
        self.errors.push(Error::new(place, element.name(), message, help).of_kind(Kind::OtherArchitecture));
    }

    /// Reports every attribute of `element` that is not in `known`.
    pub(crate) fn known_attributes(&mut self, element: Element<'d>, known: &[&str]) {
        for attribute in element.node.attributes().filter(|attribute| !known.contains(&attribute.name())) {
            let place = self.place(attribute.range());
            let message = format!("has an unknown attribute '{}'", attribute.name());
            let help = match known {
                [] => "remove it: this element has no attributes".to_owned(),
                _ => format!("remove it, or use one of: {}", known.join(", ")),
            };
            self.errors
                .push(Error::new(place, element.name(), message, help).of_kind(Kind::UnknownAttribute));
        }
    }

    /// Reports `element` as one that its parent cannot have; `known` are those that it can.
    pub(crate) fn unknown_element(&mut self, element: Element<'d>, known: &[&str]) {
        let parent = element.node.parent_element().map_or("", |parent| parent.tag_name().name());
        let message = format!("is not an element that <{parent}> can have");
        let help = match known {
            [] => format!("remove it: <{parent}> has no elements inside"),
            _ => format!("remove it, or use one of: {}", known.join(", ")),
        };
        self.errors
            .push(Error::new(element.place, element.name(), message, help).of_kind(Kind::UnknownElement));
    }

    /// Reports every attribute that is not in `known`, and every element inside: `element` has none.
    pub(crate) fn leaf(&mut self, element: Element<'d>, known: &[&str]) {
        self.known_attributes(element, known);
        for child in self.children(element) {
            self.unknown_element(child, &[]);
        }
    }

    /// The text of an attribute, if it is there.
    pub(crate) fn optional(&mut self, element: Element<'d>, name: &str) -> Option<At<&'d str>> {
        let attribute = element.node.attribute_node(name)?;
        Some(At::new(attribute.value(), self.place(attribute.range())))
    }

    /// The text of an attribute that must be there.
    pub(crate) fn required(&mut self, element: Element<'d>, name: &str) -> Option<At<&'d str>> {
        let found = self.optional(element, name);
        if found.is_none() {
            let message = format!("lacks the attribute '{name}'");
            self.error(element, element.place, message, &format!("add {name}=\"…\""));
        }
        found
    }

    /// The text of a name or path that must be there and not be empty.
    pub(crate) fn name(&mut self, element: Element<'d>, name: &str) -> Option<At<String>> {
        let text = self.required(element, name)?;
        self.not_empty(element, name, text)
    }

    /// The text of a name or path that must not be empty where it is given.
    pub(crate) fn optional_name(&mut self, element: Element<'d>, name: &str) -> Option<At<String>> {
        let text = self.optional(element, name)?;
        self.not_empty(element, name, text)
    }

    fn not_empty(&mut self, element: Element<'d>, name: &str, text: At<&str>) -> Option<At<String>> {
        if text.is_empty() {
            self.error(element, text.place, format!("{name} is empty"), "give it a value");
            return None;
        }
        Some(text.map(str::to_owned))
    }

    /// `text` as a number as Microkit reads most of them: decimal, or hexadecimal after `0x`, with underscores.
    pub(crate) fn number(&mut self, element: Element<'d>, name: &str, text: At<&str>) -> Option<At<u64>> {
        let digits = text.replace('_', "");
        let (digits, base) = match digits.strip_prefix("0x") {
            Some(digits) => (digits, 16),
            None => (digits.as_str(), 10),
        };
        let value = parse(digits, base);
        if value.is_none() {
            let message = format!("{name}=\"{}\" is not a 64-bit number", text.value);
            let help = "write it in decimal or, after 0x, in hexadecimal; underscores may part the digits";
            self.error(element, text.place, message, help);
        }
        value.map(|value| At::new(value, text.place))
    }

    /// `text` as a number where Microkit reads decimal only.
    pub(crate) fn decimal(&mut self, element: Element<'d>, name: &str, text: At<&str>) -> Option<At<u64>> {
        // Microkit holds these in signed words.
        let value = parse(text.value, 10).filter(|value| i64::try_from(*value).is_ok());
        if value.is_none() {
            let message = format!("{name}=\"{}\" is not a number in decimal digits", text.value);
            let help =
                "write digits only, without 0x, sign or underscores: Microkit takes no other form here";
            self.error(element, text.place, message, help);
        }
        value.map(|value| At::new(value, text.place))
    }

    /// A number that must be there.
    pub(crate) fn required_number(&mut self, element: Element<'d>, name: &str) -> Option<At<u64>> {
        let text = self.required(element, name)?;
        self.number(element, name, text)
    }

    /// A number that may be there.
    pub(crate) fn optional_number(&mut self, element: Element<'d>, name: &str) -> Option<At<u64>> {
        let text = self.optional(element, name)?;
        self.number(element, name, text)
    }

    /// A decimal number that must be there.
    pub(crate) fn required_decimal(&mut self, element: Element<'d>, name: &str) -> Option<At<u64>> {
        let text = self.required(element, name)?;
        self.decimal(element, name, text)
    }

    /// `true` or `false`, or else `default` at the element's place.
    pub(crate) fn boolean(&mut self, element: Element<'d>, name: &str, default: bool) -> At<bool> {
        self.choice(element, name, &[("true", true), ("false", false)], default)
    }

    /// One of the words of `choices`, or else `default` at the element's place.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        element: Element<'d>,
        name: &str,
        choices: &[(&str, T)],
        default: T,
    ) -> At<T> {
        let Some(text) = self.optional(element, name) else { return At::new(default, element.place) };
        match choices.iter().find(|(word, _)| *word == text.value) {
            Some((_, value)) => At::new(*value, text.place),
            None => {
                let words: Vec<_> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
                let message = format!("{name}=\"{}\" is none of {}", text.value, words.join(", "));
                self.error(element, text.place, message, &format!("write {}", words.join(" or ")));
                At::new(default, text.place)
            }
        }
    }

    /// Checks that `id` is at most [`MAX_ID`].
    pub(crate) fn id_in_range(&mut self, element: Element<'d>, id: At<u64>) -> Option<At<u64>> {
        if id.value > MAX_ID {
            let message = format!("id is {id}, above {MAX_ID}");
            self.error(element, id.place, message, &format!("choose a free id from 0 to {MAX_ID}"));
            return None;
        }
        Some(id)
    }

    /// Reports text in `root` or inside: a description has none.
    pub(crate) fn no_text(&mut self, root: Element<'d>) {
        for node in root.node.descendants().filter(Node::is_text) {
            let text = node.text().unwrap_or_default();
            let trimmed = text.trim();
            let Some(parent) = node.parent_element().filter(|_| !trimmed.is_empty()) else { continue };
            // In the document's own text: what the parser gives may have its references resolved.
            let raw = &self.document.input_text()[node.range()];
            let start = node.range().start + (raw.len() - raw.trim_start().len());
            let place = self.place(start..start + raw.trim().len());
            let parent = self.element(parent);
            self.error(
                parent,
                place,
                "has text inside".into(),
                "remove it, or make it a comment: <!-- … -->",
            );
        }
    }
}

/// Digits only: `from_str_radix` alone would take a sign.
fn parse(digits: &str, base: u32) -> Option<u64> {
    if digits.starts_with('+') {
        return None;
    }
    u64::from_str_radix(digits, base).ok()
}

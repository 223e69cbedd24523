// SPDX-License-Identifier: BSD-2-Clause
//! The reference's tables, between markers in a document whose prose is written by hand.

use anyhow::{Context, Result};
use ioasid_api::{Code, Event, Family, OPERATIONS, OperationInfo, REPLIES, TypeInfo, WordInfo};

use crate::words::{prose, types};

/// A generated part of the document.
struct Section {
    /// What its markers call it.
    name: &'static str,
    render: fn() -> String,
}

const SECTIONS: &[Section] = &[
    Section { name: "operations", render: operations },
    Section { name: "replies", render: replies },
    Section { name: "words", render: words },
    Section { name: "codes", render: codes },
    Section { name: "event", render: event },
];

/// The document `present` with every generated section as the tables give it now.
pub fn renew(present: &str) -> Result<String> {
    let mut text = present.to_owned();
    for Section { name, render } in SECTIONS {
        let (begin, end) = (format!("<!-- table: {name} -->\n"), format!("<!-- end: {name} -->"));
        let missing = || format!("the document has no lines `{}` and `{end}` behind it", begin.trim());
        let from = text.find(&begin).with_context(missing)? + begin.len();
        let to = from + text[from..].find(&end).with_context(missing)?;
        text.replace_range(from..to, &format!("\n{}\n", render().trim_end()));
    }
    Ok(text)
}

/// A table's row.
fn row(cells: &[&str]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// A table's head.
fn head(cells: &[&str]) -> String {
    format!("{}|{}\n", row(cells), "---|".repeat(cells.len()))
}

fn list(words: &[WordInfo]) -> String {
    let words = words.iter().map(|word| format!("`{}`: {}", word.name, word.ty.name));
    words.collect::<Vec<_>>().join("<br>")
}

fn operations() -> String {
    let mut out = String::new();
    for operation in OPERATIONS {
        let right =
            operation.right.granted_by().map_or("every client".to_owned(), |line| format!("`{line}`"));
        out.push_str(&format!(
            "### {:#04x} {}\n\n{}\n\n",
            operation.number,
            operation.name,
            prose(operation.doc)
        ));
        out.push_str(&format!("For {right}. Answer: {}.{}\n\n", operation.reply, refusals(operation)));
        out.push_str(&fields(operation.request));
    }
    out
}

/// The codes that are an operation's own.
fn refusals(operation: &OperationInfo) -> String {
    let codes: Vec<_> = operation.refusals.iter().map(|code| format!("`{}`", code.name())).collect();
    if codes.is_empty() { String::new() } else { format!(" Or: {}.", codes.join(", ")) }
}

/// The words of a message, one row each.
fn fields(words: &[WordInfo]) -> String {
    if words.is_empty() {
        return "It has no words.\n\n".to_owned();
    }
    let mut out = head(&["word", "name", "type", "what it says"]);
    for (index, word) in words.iter().enumerate() {
        out.push_str(&row(&[
            &index.to_string(),
            &format!("`{}`", word.name),
            word.ty.name,
            &prose(word.doc),
        ]));
    }
    out.push('\n');
    out
}

fn replies() -> String {
    let mut out = head(&["answer", "words", "what it says"]);
    for reply in REPLIES {
        out.push_str(&row(&[reply.name, &list(reply.words), &prose(reply.doc)]));
    }
    out
}

fn words() -> String {
    let mut out = head(&["type", "bits", "part", "values"]);
    for ty in types() {
        out.push_str(&parts(ty));
    }
    out
}

fn parts(ty: &TypeInfo) -> String {
    let mut out = String::new();
    for (index, part) in ty.parts.iter().enumerate() {
        let name = if index == 0 { ty.name } else { "" };
        let bits = match part.bits {
            1 => part.shift.to_string(),
            bits => format!("{}:{}", part.shift + bits - 1, part.shift),
        };
        let values: Vec<_> =
            part.values.iter().map(|value| format!("{} {}", value.value, value.name)).collect();
        out.push_str(&row(&[name, &bits, part.name, &values.join(", ")]));
    }
    out
}

fn codes() -> String {
    let mut out = head(&["code", "name", "family", "what it means"]);
    for &code in Code::ALL {
        let family = match code.family() {
            Family::Malformed => "malformed",
            Family::Refused => "refused",
            Family::Hardware => "hardware",
        };
        out.push_str(&row(&[&code.to_label().to_string(), code.name(), family, &prose(code.doc())]));
    }
    out
}

fn event() -> String {
    let mut out = fields(Event::WORDS);
    out.push_str(&head(&["number", "event", "what happened"]));
    let kinds = Event::WORDS.iter().flat_map(|word| word.ty.parts).filter(|part| part.name == "event");
    for kind in kinds.flat_map(|part| part.values) {
        out.push_str(&row(&[&kind.value.to_string(), kind.name, &prose(kind.doc)]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document with all the markers.
    fn empty() -> String {
        let sections = SECTIONS.iter().map(|section| {
            let name = section.name;
            format!("<!-- table: {name} -->\nstale\n<!-- end: {name} -->\n")
        });
        sections.collect::<Vec<_>>().join("by hand\n")
    }

    #[test]
    fn prose_stays_and_tables_are_renewed() {
        let text = renew(&empty()).unwrap();
        assert!(!text.contains("\nstale\n"));
        assert_eq!(text.matches("by hand").count(), SECTIONS.len() - 1);
        assert_eq!(renew(&text).unwrap(), text);
        assert!(text.contains("### 0x10 Alloc"), "{text}");
    }

    #[test]
    fn a_lost_marker_is_named() {
        let text = empty().replace("<!-- end: codes -->", "");
        assert!(renew(&text).unwrap_err().to_string().contains("end: codes"));
    }
}

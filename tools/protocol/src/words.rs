// SPDX-License-Identifier: BSD-2-Clause
//! What the tables say, in the forms that both C and the reference need.

use ioasid_api::{Event, OPERATIONS, REPLIES, ReplyInfo, TypeInfo};

/// Every type that is not a plain integer, in the order in which the tables first name it.
pub fn types() -> Vec<&'static TypeInfo> {
    let sent = OPERATIONS.iter().flat_map(|operation| operation.request);
    let answered = REPLIES.iter().flat_map(|reply| reply.words);
    let mut types: Vec<&TypeInfo> = Vec::new();
    for ty in sent.chain(answered).chain(Event::WORDS).map(|word| word.ty) {
        if !ty.parts.is_empty() && types.iter().all(|known| known.name != ty.name) {
            types.push(ty);
        }
    }
    types
}

/// The kind of answer with this name.
pub fn reply(name: &str) -> &'static ReplyInfo {
    let found = REPLIES.iter().find(|reply| reply.name == name);
    found.expect("ioasid-api tests that every operation's answer is in the table")
}

/// `SetData` as `set_data`.
pub fn snake(name: &str) -> String {
    let mut out = String::new();
    for (index, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && index > 0 {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// `SetData` as `SET_DATA`.
pub fn capitals(name: &str) -> String {
    snake(name).to_ascii_uppercase()
}

/// Lines of documentation as one text, with links between Rust items as plain names.
pub fn prose(lines: &[&str]) -> String {
    let text = lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    text.replace("[`", "`").replace("`]", "`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_change_their_case() {
        assert_eq!(snake("SetData"), "set_data");
        assert_eq!(capitals("Hello"), "HELLO");
        assert_eq!(snake("region_offset"), "region_offset");
    }

    #[test]
    fn links_become_names() {
        assert_eq!(prose(&[" As [`Code`]", " says."]), "As `Code` says.");
    }

    #[test]
    fn a_type_is_listed_once() {
        let names: Vec<_> = types().iter().map(|ty| ty.name).collect();
        let mut once = names.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), names.len());
        assert!(names.contains(&"handle"), "{names:?}");
    }
}

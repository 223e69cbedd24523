// SPDX-License-Identifier: BSD-2-Clause
//! Each thing that is wrong is said where it stands, with its remedy, word for word.

mod cases;
mod common;

use cases::Case;
use common::{TOML, XML};

fn edit(text: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(text.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old:?} is not in the good file");
        text.replacen(old, new, 1)
    })
}

#[test]
fn each_case_is_said_word_for_word() {
    // What the registry's region of 2 MiB holds, but for PASID 0.
    let ids = ioasid_core::Memory::slots_in(0x20_0000) - 1;
    let mut failures = Vec::new();
    for Case { toml, xml, said } in cases::all() {
        let found = match common::compile(&edit(XML, xml), &edit(TOML, toml)) {
            Ok(_) => "nothing".to_owned(),
            Err(problems) => problems.to_string(),
        };
        let said = said.replace("{ids}", &ids.to_string());
        if found != said {
            failures.push(format!("{toml:?} {xml:?}\nexpected:\n{said}\nfound:\n{found}\n"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

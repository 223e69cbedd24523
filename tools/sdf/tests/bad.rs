// SPDX-License-Identifier: BSD-2-Clause
//! Every description in `tests/bad` is refused with exactly the errors that the `.expected` file beside it has.
//! With `BLESS=1` in the environment these files are written anew, to be read before they are kept.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use sdf::{Errors, System};

const LICENCE: &str = "# SPDX-License-Identifier: BSD-2-Clause\n";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad")
}

/// The files of the folder with this extension, by name.
fn files(extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    files.sort();
    files
}

/// A file called `<number>.bin` has as many bytes; others are not there.
fn prefill_length(path: &str) -> std::io::Result<u64> {
    let digits = path.strip_suffix(".bin").and_then(|digits| digits.parse().ok());
    digits.ok_or(std::io::Error::new(std::io::ErrorKind::NotFound, "not found"))
}

fn errors_of(path: &Path) -> Option<Errors> {
    let text = fs::read_to_string(path).unwrap();
    System::parse_with(path.file_name().unwrap().to_str().unwrap(), &text, &prefill_length).err()
}

#[test]
fn each_bad_description_has_the_errors_beside_it() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut failures = Vec::new();
    for path in files("xml") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(errors) = errors_of(&path) else {
            failures.push(format!("{name} is accepted"));
            continue;
        };
        let found = format!("{LICENCE}{errors}\n");
        let beside = path.with_extension("expected");
        if bless {
            fs::write(&beside, &found).unwrap();
        }
        match fs::read_to_string(&beside) {
            Ok(expected) if expected == found => {}
            Ok(expected) => failures.push(format!("{name}: expected\n{expected}\nbut found\n{found}")),
            Err(error) => failures.push(format!("{name}: {}: {error}", beside.display())),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn each_expectation_has_its_description() {
    let descriptions = files("xml");
    assert!(descriptions.len() >= 40);
    let orphans: Vec<_> = files("expected")
        .into_iter()
        .filter(|path| !descriptions.contains(&path.with_extension("xml")))
        .collect();
    assert_eq!(orphans, Vec::<PathBuf>::new());
}

/// What every error promises: a place in the text, an element, a message and a remedy.
#[test]
fn each_error_names_its_place_its_element_and_a_remedy() {
    for path in files("xml") {
        let text = fs::read_to_string(&path).unwrap();
        for error in &errors_of(&path).unwrap() {
            let place = error.place;
            let before = &text[..place.offset];
            assert_eq!(place.line as usize, before.matches('\n').count() + 1, "{}: {error}", path.display());
            assert!(!error.element.is_empty() && !error.message.is_empty() && !error.help.is_empty());
            let marked = &text[place.offset..place.offset + place.len];
            assert!(!marked.contains('\n'), "{}: {marked:?}", path.display());
        }
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! The patches meet the source that they were written for, all of them and with any one left out.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use microkit_kernel::{Config, Error, PATCHES, Patch, Source, build};

fn source() -> Source {
    Source::locate(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The patched files, by name.
fn apply<'a>(source: &Source, patches: impl Iterator<Item = &'a Patch>) -> BTreeMap<&'a str, String> {
    let mut files = BTreeMap::new();
    for patch in patches {
        for edit in patch.edits {
            let text = files
                .remove(edit.file)
                .unwrap_or_else(|| std::fs::read_to_string(source.tree().join(edit.file)).unwrap());
            files.insert(edit.file, edit.apply(patch, &text).unwrap());
        }
    }
    files
}

#[test]
fn every_patch_hits_exactly_once() {
    let files = apply(&source(), PATCHES.iter());
    for patch in PATCHES {
        for edit in patch.edits {
            assert!(files[edit.file].contains(edit.after), "{} is undone in {}", patch.name, edit.file);
        }
    }
}

#[test]
fn every_patch_can_be_left_out_alone() {
    let source = source();
    let all = apply(&source, PATCHES.iter());
    for left_out in PATCHES {
        let files = apply(&source, PATCHES.iter().filter(|patch| patch.name != left_out.name));
        assert!(
            left_out.edits.iter().any(|edit| files.get(edit.file) != all.get(edit.file)),
            "{}",
            left_out.name
        );
    }
}

#[test]
fn every_patch_has_a_name_of_its_own_a_reason_and_a_place_in_the_docs() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/kernel.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let names: BTreeSet<_> = PATCHES.iter().map(|patch| patch.name).collect();
    assert_eq!(names.len(), PATCHES.len());
    for patch in PATCHES {
        assert!(!patch.reason.is_empty() && !patch.upstream.is_empty(), "{}", patch.name);
        assert!(docs.contains(&format!("`{}`", patch.name)), "docs/kernel.md does not name {}", patch.name);
    }
}

#[test]
fn leaving_out_an_unknown_patch_is_an_error_that_names_the_known_ones() {
    let out = tempfile::tempdir().unwrap();
    let config = Config::release().without("stack-alinment");
    let error = build(&source(), &config, out.path(), |_| {}).unwrap_err().to_string();
    assert!(
        error.starts_with("there is no kernel patch `stack-alinment`; the patches are: stack-alignment, "),
        "{error}"
    );
}

#[test]
fn another_source_is_refused_with_a_remedy() {
    let tree = tempfile::tempdir().unwrap();
    std::fs::write(tree.path().join("VERSION"), "5.0.1\n").unwrap();
    let error = Source::at(tree.path()).unwrap_err();
    assert!(matches!(error, Error::SourceChanged { .. }));
    let error = error.to_string();
    assert!(error.contains("is not the pinned one") && error.contains("cargo fetch --locked"), "{error}");
}

#[test]
fn a_workspace_without_the_package_is_an_error_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let error = Source::locate(folder.path()).unwrap_err();
    assert!(matches!(error, Error::SourceNotFound { .. }));
    assert!(error.to_string().ends_with("try `cargo fetch --locked`"), "{error}");
}

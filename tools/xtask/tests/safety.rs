// SPDX-License-Identifier: BSD-2-Clause
//! docs/safety.md against the tree: every file with unsafe code is in its table, with as much as it has.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace is there")
}

/// Every Rust file below a folder.
fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let hidden = name.to_string_lossy().starts_with('.') || name == "target";
        if path.is_dir() && !hidden {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// How often the keyword stands in a file's code.
fn keywords(text: &str) -> usize {
    let words = |line: &str| {
        let code = line.split("//").next().unwrap_or_default().to_owned();
        let word = |c: char| !c.is_alphanumeric() && c != '_';
        code.split(word).filter(|&piece| piece == concat!("un", "safe")).count()
    };
    text.lines().map(words).sum()
}

/// Each file of the tree that has any, and how often.
fn tree() -> BTreeMap<String, usize> {
    let root = root();
    let mut files = Vec::new();
    for folder in ["drivers", "examples", "pds", "tests", "tools"].map(|folder| root.join(folder)) {
        if folder.is_dir() {
            rust_files(&folder, &mut files);
        }
    }
    assert!(files.len() > 200, "the whole tree was seen");
    files
        .iter()
        .map(|path| {
            let name = path.strip_prefix(&root).expect("below the root").to_string_lossy().into_owned();
            (name, keywords(&fs::read_to_string(path).expect("a file")))
        })
        .filter(|&(_, count)| count > 0)
        .collect()
}

/// The rows of the table: file or folder, and how often; `None` for a folder.
fn table() -> BTreeMap<String, Option<usize>> {
    let text = fs::read_to_string(root().join("docs/safety.md")).expect("docs/safety.md");
    text.lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|row| {
            let mut cells = row.split('|').map(str::trim);
            let name = cells.next().unwrap_or_default().trim_end_matches('`').to_owned();
            (name, cells.next().and_then(|count| count.parse().ok()))
        })
        .collect()
}

#[test]
fn every_file_with_unsafe_code_is_listed_with_as_much_as_it_has() {
    let (tree, table) = (tree(), table());
    let folders: Vec<_> = table.keys().filter(|name| name.ends_with('/')).collect();
    assert!(folders.iter().all(|folder| folder.starts_with("tests/")), "only tests go by folder");
    for (file, &count) in &tree {
        if folders.iter().any(|folder| file.starts_with(folder.as_str())) {
            continue;
        }
        let listed = table.get(file).copied().flatten();
        assert_eq!(listed, Some(count), "{file}: give the reason and the number in docs/safety.md");
    }
    for name in table.keys() {
        let there = tree.keys().any(|file| file == name || (name.ends_with('/') && file.starts_with(name)));
        assert!(there, "{name} has none any more: take it out of docs/safety.md");
    }
}

#[test]
fn a_crate_without_unsafe_code_forbids_it() {
    let (tree, root) = (tree(), root());
    let mut files = Vec::new();
    ["drivers", "pds", "tests", "tools"].iter().for_each(|folder| rust_files(&root.join(folder), &mut files));
    let roots = files.iter().filter(|path| path.ends_with("src/lib.rs") || path.ends_with("src/main.rs"));
    let missing: Vec<_> = roots
        .filter_map(|path| path.strip_prefix(&root).ok().and_then(Path::to_str))
        .filter(|name| {
            let package = name.rsplit_once("src/").map_or("", |(package, _)| package);
            let text = fs::read_to_string(root.join(name)).expect("a file");
            // A domain's entry is made by a macro that exports a symbol.
            let domain = text.contains("#[protection_domain");
            let has_some = tree.keys().any(|file| file.starts_with(&format!("{package}src/")));
            !domain && !has_some && !text.contains("#![forbid(unsafe_code)]")
        })
        .collect();
    assert!(missing.is_empty(), "these have none, and do not forbid it: {missing:#?}");
}

#[test]
fn words_in_comments_and_names_are_not_counted() {
    let word = concat!("un", "safe");
    assert_eq!(keywords(&format!("{word} {{ f() }} // {word}\n/// {word}\n#![forbid({word}_code)]")), 1);
}

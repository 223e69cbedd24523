// SPDX-License-Identifier: BSD-2-Clause
//! Every statement of docs/semantics.md has its tests, and the document says which.
//!
//! A test of a statement is a function that is called by its number, or a check of a booted scenario whose line begins with
//! it. `RENEW=1 cargo test -p semantics --test statements` writes what was found into the document.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Which folders have what tests of each statement.
type Tests = BTreeMap<u32, BTreeSet<String>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

/// The sources of the workspace.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, found);
        } else if name.ends_with(".rs") || name.ends_with(".s") {
            found.push(path);
        }
    }
}

/// The statement that a name or a line begins with.
fn number(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('s')?.get(..2)?;
    let ends = |text: &str| !text.starts_with(|c: char| c.is_ascii_alphanumeric());
    text.get(3..).filter(|rest| ends(rest))?;
    digits.parse().ok()
}

/// The statements that a line of a source is a test of: `fn s36_…`, or a string that begins with `s35, s36: …`.
fn statements(line: &str) -> Vec<u32> {
    let function =
        line.split("fn ").skip(1).filter_map(|rest| number(rest).filter(|_| rest[3..].starts_with('_')));
    let checks = line.split('"').skip(1).step_by(2).filter_map(|text| Some(text.split_once(": ")?.0));
    let checks = checks.flat_map(|numbers| {
        let all: Option<Vec<u32>> =
            numbers.split(", ").map(|one| number(one).filter(|_| one.len() == 3)).collect();
        all.unwrap_or_default()
    });
    function.chain(checks).collect()
}

/// What a source is called in the document: the folder of its package, or the scenario.
fn called(path: &Path) -> Option<String> {
    let path = path.strip_prefix(root()).ok()?.to_string_lossy().into_owned();
    if let Some(scenario) = path.strip_prefix("tests/system/service/src/bin/") {
        return Some(format!("system/{}", scenario.trim_end_matches(".rs")));
    }
    if let Some(inside) = path.strip_prefix("tests/system/").filter(|inside| !inside.contains("/src/")) {
        return Some(format!("system/{}", inside.split('/').next()?));
    }
    let folder = path.split("/src/").next()?.split("/tests/").next()?;
    let file = path.rsplit('/').next()?.trim_end_matches(".rs");
    Some(match folder {
        "tests" => path.trim_start_matches("tests/").split('/').take(2).collect::<Vec<_>>().join("/"),
        _ if path.contains("/tests/") => format!("{folder}: {file}"),
        _ => folder.to_owned(),
    })
}

fn tests() -> Tests {
    let mut paths = Vec::new();
    sources(&root(), &mut paths);
    let mut tests = Tests::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a source");
        let Some(name) = called(&path) else { continue };
        for statement in text.lines().flat_map(statements) {
            tests.entry(statement).or_default().insert(name.clone());
        }
    }
    tests
}

/// The document, with what was found in its last column; and the statements that are in it.
fn renewed(text: &str, tests: &Tests) -> (String, Vec<u32>) {
    let mut all = Vec::new();
    let lines = text.lines().map(|line| {
        let row =
            line.strip_prefix("| ").and_then(|rest| Some((number(rest)?, rest.rsplitn(3, '|').nth(2)?)));
        let Some((statement, begin)) = row else { return line.to_owned() };
        all.push(statement);
        let held = tests.get(&statement).map(|names| names.iter().cloned().collect::<Vec<_>>().join(", "));
        format!("| {}| {} |", begin, held.unwrap_or_default())
    });
    let text: String = lines.collect::<Vec<_>>().join("\n") + "\n";
    (text, all)
}

#[test]
fn every_statement_has_a_test_and_the_document_says_where() {
    let path = root().join("docs/semantics.md");
    let present = std::fs::read_to_string(&path).expect("docs/semantics.md");
    let tests = tests();
    let (text, all) = renewed(&present, &tests);
    assert!(all.iter().copied().eq(1..=95), "each number once, in order: {all:?}");
    let missing: Vec<_> = all.iter().filter(|number| !tests.contains_key(number)).collect();
    assert!(missing.is_empty(), "no test has the number {missing:?}");
    let unknown: Vec<_> = tests.keys().filter(|number| !all.contains(number)).collect();
    assert!(unknown.is_empty(), "tests of statements that there are not: {unknown:?}");
    if std::env::var_os("RENEW").is_some() {
        std::fs::write(&path, &text).expect("docs/semantics.md can be written");
    }
    let differs = present.lines().zip(text.lines()).find(|(present, found)| present != found);
    let stale = differs.is_some() && std::env::var_os("RENEW").is_none();
    assert!(
        !stale,
        "docs/semantics.md is stale: RENEW=1 cargo test -p semantics --test statements; {differs:?}"
    );
}

#[test]
fn tests_are_recognised_by_their_numbers() {
    assert_eq!(statements("fn s36_custom_id_already_tracked_leaves_the_entry_alone() {"), [36]);
    assert_eq!(statements(r#"    checks.equal("s35, s36: a number outside", a, b);"#), [35, 36]);
    for none in
        ["fn s3(", "fn s361_x()", r#""s36 is no check""#, r#""as s36: no""#, "// s36: a comment", "fn save()"]
    {
        assert_eq!(statements(none), [0; 0], "{none}");
    }
}

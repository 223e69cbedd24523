// SPDX-License-Identifier: BSD-2-Clause
//! The step that runs what docs/tools.md shows and compares what comes. Numbers are left open: they change with the
//! system, and what they say is held elsewhere.

use super::{Step, Tally};
use crate::system::System;
use crate::trace::Files;
use crate::workspace;
use miette::{IntoDiagnostic as _, Result, WrapErr as _, miette};
use std::process::Command;

const DOCUMENT: &str = "docs/tools.md";

/// It. Comes when systems have been booted, since a trace is of a run.
pub fn steps() -> Vec<Step<'static>> {
    vec![Step { name: "documents/output".into(), run: Box::new(|| Tally::of(all())), parallel: false }]
}

fn all() -> Result<String> {
    let file = workspace::root().join(DOCUMENT);
    let text = std::fs::read_to_string(file).into_diagnostic().wrap_err(DOCUMENT)?;
    if Files::of(&System::load(None)?)?.read().is_err() {
        output(&["run".into()])?;
    }
    let shown = shown(&text);
    for (line, command, expected) in &shown {
        let words: Vec<_> = command.split_whitespace().map(str::to_owned).collect();
        differs(expected, &output(&words)?)
            .map_or(Ok(()), |what| Err(miette!("{DOCUMENT}:{line}: `cargo xtask {command}` {what}")))?;
    }
    Ok(format!("{} commands of {DOCUMENT}", shown.len()))
}

/// What a command of this program prints.
fn output(words: &[String]) -> Result<String> {
    let mut command = Command::new(workspace::this_program());
    let output = command.args(words).current_dir(workspace::root()).output().into_diagnostic()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(miette!("`cargo xtask {}` fails:\n{said}", words.join(" ")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The blocks that begin with a command of this program: the line, the command's words, and what is to come.
fn shown(text: &str) -> Vec<(usize, String, Vec<String>)> {
    let mut found = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((at, line)) = lines.next() {
        if line != "```console" {
            continue;
        }
        let block: Vec<_> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        if let Some((command, rest)) = block.split_first()
            && let Some(command) = command.strip_prefix("$ cargo xtask ")
        {
            found.push((at + 1, command.to_owned(), rest.iter().map(|&line| line.to_owned()).collect()));
        }
    }
    found
}

/// A line with its numbers left open, and its columns as near as may be.
fn open(line: &str) -> String {
    let words = line.split_whitespace().map(|word| {
        let hexadecimal = word.replace("0x", "");
        let is_number = |part: &str| !part.is_empty() && part.chars().all(|digit| digit.is_ascii_hexdigit());
        if word.contains("0x") && is_number(hexadecimal.trim_matches(['(', ')', ':', ','])) {
            return "#".to_owned();
        }
        word.chars().map(|letter| if letter.is_ascii_digit() { '#' } else { letter }).collect()
    });
    let mut opened = words.collect::<Vec<String>>().join(" ");
    // So many digits, so much room.
    while opened.contains("##") {
        opened = opened.replace("##", "#");
    }
    opened
}

/// How the output differs from what was to come, where `…` stands for any lines.
fn differs(expected: &[String], found: &str) -> Option<String> {
    let mut found = found.lines();
    let mut any = false;
    for line in expected {
        if line == "…" {
            any = true;
            continue;
        }
        let next = if any { found.find(|other| open(other) == open(line)) } else { found.next() };
        any = false;
        match next {
            Some(next) if open(next) == open(line) => {}
            Some(next) => return Some(format!("prints\n  {next}\nwhere the document has\n  {line}")),
            None => return Some(format!("does not print\n  {line}")),
        }
    }
    (!any && found.next().is_some()).then(|| "prints more than the document has".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_left_open_and_words_are_not() {
        for (one, other) in [
            ("time 7 to 665,  none", "time 12 to 3, none"),
            ("edu write 0x71000 (0x5)", "edu write 0x5 (0x6b)"),
            ("PASID 17.1 of 00:03.0", "PASID 3.10 of 10:13.1"),
        ] {
            assert_eq!(open(one), open(other));
        }
        assert_ne!(open("a 1"), open("b 1"));
        assert_ne!(open("a 1"), open("a"));
    }

    #[test]
    fn lines_must_come_one_after_the_other_but_for_dots() {
        let expected = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(differs(&expected("a 1\n…\nd"), "a 7\nb\nc\nd\n"), None);
        assert_eq!(differs(&expected("a\n…"), "a\nb\n"), None);
        assert!(differs(&expected("a\nd"), "a\nb\nd\n").unwrap().contains("where the document has"));
        assert!(differs(&expected("a\n…\ne"), "a\nb\n").unwrap().contains("does not print"));
        assert!(differs(&expected("a"), "a\nb\n").unwrap().contains("prints more"));
    }

    #[test]
    fn blocks_with_commands_are_found() {
        let text = "x\n```console\n$ cargo xtask audit --json\n{\n…\n```\n```toml\n$ cargo xtask\n```\n```console\n$ make run\n```\n";
        let found = shown(text);
        assert_eq!(found, [(3, "audit --json".to_owned(), vec!["{".to_owned(), "…".to_owned()])]);
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! The steps that hold the documents to what they say: links lead somewhere, commands are there and are run, and the
//! crates that others use can be published.

use super::{Step, Tally};
use crate::Cli;
use crate::workspace;
use clap::Parser as _;
use miette::{IntoDiagnostic as _, Result, WrapErr as _, miette};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// What others build on.
const PUBLISHED: [&str; 9] = [
    "ioasid-api",
    "ioasid-client",
    "ioasid-config",
    "ioasid-core",
    "ioasid-server",
    "ioasid-trace",
    "dmar",
    "pci",
    "vtd",
];

/// Who runs a command that stands in a document.
#[derive(Clone, Copy)]
enum By {
    /// This step: it is quick, and must succeed.
    Here,
    /// Another step of the test, by name.
    Step(&'static str),
    /// A person: it takes long, or needs what is not here. Its last outcome stands in docs/assurance.md or
    /// docs/performance.md.
    Hand,
}

/// Each command's beginning; the longest that fits counts.
const COMMANDS: &[(&str, By)] = &[
    ("make run", By::Step("system/reference")),
    ("make run-vm", By::Step("system/vm")),
    ("make test", By::Step("host")),
    ("make -C examples/copier run", By::Step("example/copier")),
    ("make bench", By::Hand),
    ("cargo xtask --help", By::Here),
    ("cargo xtask audit", By::Here),
    ("cargo xtask bench", By::Hand),
    ("cargo xtask build", By::Step("system/reference")),
    ("cargo xtask compile", By::Step("example/copier")),
    ("cargo xtask compile --manifest-path", By::Step("example/copier@rust")),
    ("cargo xtask export", By::Step("example/copier")),
    ("cargo xtask graph", By::Here),
    ("cargo xtask monitor", By::Step("host")),
    ("cargo xtask run", By::Step("system/reference")),
    ("cargo xtask setup", By::Step("negative/tool-missing")),
    ("cargo xtask soak", By::Hand),
    ("cargo xtask test", By::Step("host")),
    ("cargo xtask trace", By::Step("documents/output")),
    ("cargo build --release --config tools/microkit/embedded.toml", By::Step("system/ping")),
    ("cargo run -p config-compiler", By::Step("system/reference")),
    ("cargo run -p protocol-export", By::Step("host")),
    ("cargo run --release -p qtest --bin bench-vtd", By::Hand),
    ("cargo run -p qtest --bin mutants", By::Hand),
    ("cargo test -p attacks", By::Step("host")),
    ("cargo test -p qtest --test fake random", By::Step("host")),
    ("cargo test --release -p vmm-machine", By::Hand),
    ("cargo test --package xtask --test safety", By::Step("host")),
    ("cargo mutants --package ioasid-core", By::Hand),
    ("cargo run --profile proof -p model", By::Hand),
    ("cargo xtask fuzz", By::Hand),
    ("cargo metadata --locked", By::Here),
];

/// All of them. `steps` are the names of the others.
pub fn steps(steps: &[String]) -> Vec<Step<'static>> {
    let steps = steps.to_vec();
    let step = |name: &str, run: Box<dyn FnOnce() -> Result<String> + Send>| Step {
        name: name.into(),
        run: Box::new(move || Tally::of(run())),
        parallel: false,
    };
    vec![
        step("documents/links", Box::new(links)),
        step("documents/commands", Box::new(move || commands(&steps))),
        step("package", Box::new(package)),
    ]
}

/// README.md and everything in docs.
fn documents() -> Result<Vec<(PathBuf, String)>> {
    let docs = workspace::root().join("docs");
    let entries = std::fs::read_dir(&docs).into_diagnostic().wrap_err("docs")?;
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.extend(["README.md", "CHANGELOG.md"].map(|name| workspace::root().join(name)));
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    let read = |path: PathBuf| {
        let text =
            std::fs::read_to_string(&path).into_diagnostic().wrap_err_with(|| workspace::display(&path))?;
        Ok((path, text))
    };
    paths.into_iter().map(read).collect()
}

/// Every link to a file of this project leads to one.
fn links() -> Result<String> {
    let mut count = 0;
    for (path, text) in documents()? {
        for (number, target) in text.lines().enumerate().flat_map(|(at, line)| {
            line.split("](").skip(1).filter_map(move |rest| Some((at + 1, rest.split_once(')')?.0)))
        }) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || target.contains("://") {
                continue;
            }
            count += 1;
            let folder = path.parent().unwrap_or(Path::new("."));
            if !folder.join(file).exists() {
                return Err(miette!(
                    "{}:{number}: the link leads to {file}, which is not there",
                    workspace::display(&path)
                ));
            }
        }
    }
    Ok(format!("{count} links"))
}

/// The commands of a document, with the lines where they stand: code in backticks and lines of a block that begin with
/// `cargo` or `make`, with or without a prompt.
fn commands_of(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut block = false;
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            block = !block;
            continue;
        }
        let pieces: Vec<&str> = if block { vec![line] } else { line.split('`').skip(1).step_by(2).collect() };
        for piece in pieces {
            let piece = piece.trim().trim_start_matches("$ ");
            // Variables before the command are not part of it, and neither is what is said of it.
            let words = piece.split_whitespace().skip_while(|word| {
                word.split_once('=').is_some_and(|(name, _)| {
                    name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
                })
            });
            let words: Vec<_> = words.take_while(|word| !matches!(*word, "#" | "\\" | "…" | "|")).collect();
            if words.len() > 1 && matches!(words[0], "cargo" | "make") {
                found.push((at + 1, words.join(" ")));
            }
        }
    }
    found
}

/// Who runs a command.
fn runner(command: &str) -> Option<By> {
    let fits = |beginning: &str| {
        command.strip_prefix(beginning).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    let known = COMMANDS.iter().filter(|(beginning, _)| fits(beginning));
    known.max_by_key(|(beginning, _)| beginning.len()).map(|&(_, by)| by)
}

/// Every command that stands in a document is one, and somebody runs it.
fn commands(steps: &[String]) -> Result<String> {
    let (mut count, mut ran) = (0, Vec::new());
    for (path, text) in documents()? {
        for (line, command) in commands_of(&text) {
            let place = format!("{}:{line}: `{command}`", workspace::display(&path));
            if command == "cargo xtask" {
                continue;
            }
            count += 1;
            if let Some(words) = command.strip_prefix("cargo ").filter(|words| words.starts_with("xtask")) {
                let parsed = Cli::try_parse_from(words.split(' '));
                if parsed.is_err_and(|error| error.use_stderr()) {
                    return Err(miette!("{place} is no command line that `cargo xtask` takes"));
                }
            }
            match runner(&command) {
                None => {
                    return Err(miette!(
                        help = "add it to COMMANDS in tools/xtask/src/test/documents.rs, with who runs it",
                        "{place} is run by no test"
                    ));
                }
                Some(By::Step(step)) if !steps.iter().any(|name| name == step) => {
                    return Err(miette!("{place}: there is no step {step}"));
                }
                Some(By::Here) if !ran.contains(&command) => {
                    succeed(&command).wrap_err(place)?;
                    ran.push(command);
                }
                Some(By::Step(_) | By::Here | By::Hand) => {}
            }
        }
    }
    Ok(format!("{count} commands, {} of them run here", ran.len()))
}

fn succeed(command: &str) -> Result<()> {
    let words: Vec<_> = command.split(' ').collect();
    let mut process = match words[..] {
        ["cargo", "xtask", ..] => {
            let mut process = Command::new(workspace::this_program());
            process.args(&words[2..]);
            process
        }
        _ => {
            let mut process = workspace::cargo(words[1]);
            process.args(&words[2..]);
            process
        }
    };
    let output = process.current_dir(workspace::root()).output().into_diagnostic()?;
    if output.status.success() {
        return Ok(());
    }
    Err(miette!("it fails:\n{}", String::from_utf8_lossy(&output.stderr)))
}

/// The crates build from what would be published, without this workspace around them.
fn package() -> Result<String> {
    let home = fresh_home()?;
    let mut cargo = workspace::cargo("package");
    cargo.args(["--locked", "--allow-dirty"]).env("CARGO_HOME", home.path());
    PUBLISHED.iter().for_each(|name| {
        cargo.args(["--package", name]);
    });
    let output = cargo.output().into_diagnostic()?;
    if output.status.success() {
        Ok(format!("{} crates", PUBLISHED.len()))
    } else {
        let printed = String::from_utf8_lossy(&output.stderr);
        let what = printed.lines().skip_while(|line| !line.starts_with("error"));
        Err(miette!("{}", what.collect::<Vec<_>>().join("\n")))
    }
}

/// A home for Cargo that has all of the person's own but the unpacked sources. A crate that waits to be published is
/// unpacked there by its version alone, so one that is built against it would see what it was at an earlier run.
fn fresh_home() -> Result<TempDir> {
    let own = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let own = own.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let own = own.ok_or_else(|| miette!("no home folder is known: set CARGO_HOME"))?;
    let fresh = tempfile::tempdir().into_diagnostic()?;
    std::fs::create_dir(fresh.path().join("registry")).into_diagnostic()?;
    for (folder, but) in [("", "registry"), ("registry", "src")] {
        let entries = std::fs::read_dir(own.join(folder)).into_diagnostic();
        for entry in entries.wrap_err_with(|| own.join(folder).display().to_string())? {
            let entry = entry.into_diagnostic()?;
            if entry.file_name() != but {
                let link = fresh.path().join(folder).join(entry.file_name());
                std::os::unix::fs::symlink(entry.path(), link).into_diagnostic()?;
            }
        }
    }
    Ok(fresh)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_in_backticks_and_blocks() {
        let text = "Say `make run` or `run`.\n```console\n$ MICROKIT_SDK=dir make run\n$ cargo xtask graph   # draws\n\
                    fn make_it()\n```\nand `cargo`, `V=1 cargo test -p a`.\n";
        let found: Vec<_> = commands_of(text);
        let expected = [(1, "make run"), (3, "make run"), (4, "cargo xtask graph"), (7, "cargo test -p a")];
        assert!(found.iter().map(|(line, command)| (*line, command.as_str())).eq(expected), "{found:?}");
    }

    #[test]
    fn the_longest_beginning_counts_and_words_are_whole() {
        assert!(matches!(runner("cargo xtask --help"), Some(By::Here)));
        assert!(matches!(runner("cargo xtask bench core"), Some(By::Hand)));
        assert!(runner("cargo xtask benches").is_none());
        assert!(runner("make love").is_none());
    }
}

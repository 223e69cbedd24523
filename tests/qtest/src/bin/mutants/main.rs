// SPDX-License-Identifier: BSD-2-Clause
//! Breaks the driver in one place at a time and shows that a named test notices.
//!
//! Each mutant is an exact text of the driver, which must occur once, and what replaces it; it is made in a copy
//! of the sources under `target/mutants`. `cargo run -p qtest --bin mutants [part of a name]` runs them all, or
//! those asked for; the exit code says whether every one was killed.
mod list;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use anyhow::{Context, Result, ensure};

use list::{MUTANTS, Mutant};

fn main() -> ExitCode {
    let only = std::env::args().nth(1).unwrap_or_default();
    match run(&only) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the mutants whose name contains `only`; says whether all of them were killed.
fn run(only: &str) -> Result<bool> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let copy = workspace.join("target/mutants/source");
    if copy.exists() {
        std::fs::remove_dir_all(&copy)?;
    }
    copy_sources(&workspace, &copy)?;
    let chosen: Vec<_> = MUTANTS.iter().filter(|mutant| mutant.name.contains(only)).collect();
    ensure!(!chosen.is_empty(), "no mutant is called {only}");

    for mutant in &chosen {
        let output = test(&copy, mutant)?;
        ensure!(passed(&output), "{} fails on the driver as it is:\n{}", mutant.killer, text(&output));
    }
    let mut survivors = 0;
    for mutant in &chosen {
        let killed = kill(&copy, mutant)?;
        survivors += usize::from(!killed);
        println!("{:9} {} (by {})", if killed { "killed" } else { "SURVIVED" }, mutant.name, mutant.killer);
    }
    println!("{} of {} mutants killed", chosen.len() - survivors, chosen.len());
    Ok(survivors == 0)
}

/// Makes one mutant, runs its killer, and mends the source again. A mutant that does not compile is a mistake of
/// the list, not a kill.
fn kill(copy: &Path, mutant: &Mutant) -> Result<bool> {
    let path = copy.join(mutant.file);
    let source = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let hits = source.matches(mutant.from).count();
    ensure!(hits == 1, "{}: its text occurs {hits} times in {}", mutant.name, mutant.file);
    std::fs::write(&path, source.replacen(mutant.from, mutant.to, 1))?;
    let result = test(copy, mutant);
    std::fs::write(&path, source)?;
    let output = result?;
    let ran = text(&output).contains("running 1 test");
    ensure!(ran, "{} did not compile, or its test was not found:\n{}", mutant.name, text(&output));
    Ok(!passed(&output))
}

fn test(copy: &Path, mutant: &Mutant) -> Result<Output> {
    let (suite, name) = mutant.killer.split_once(' ').context("a killer is a suite and a test")?;
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(copy).env("CARGO_TARGET_DIR", copy.with_file_name("build"));
    command.args(["test", "--quiet", "--offline", "-p", "qtest", "--test", suite, "--", "--exact", name]);
    command.output().context("cargo")
}

fn passed(output: &Output) -> bool {
    output.status.success() && text(output).contains("1 passed")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Copies everything but what was built and what is hidden, besides Cargo's configuration.
fn copy_sources(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let hidden = name.to_string_lossy().starts_with('.') && name != ".cargo";
        let target: PathBuf = to.join(&name);
        match entry.file_type()? {
            _ if hidden || name == "target" => {}
            kind if kind.is_dir() => copy_sources(&entry.path(), &target)?,
            kind if kind.is_file() => {
                std::fs::copy(entry.path(), target)?;
            }
            _ => {}
        }
    }
    Ok(())
}

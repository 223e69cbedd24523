// SPDX-License-Identifier: BSD-2-Clause
//! The steps that need no booted system: format, lints, host tests, documentation.

use super::{Step, Tally};
use crate::embedded;
use crate::setup::{self, qemu72};
use crate::workspace::{self, Packages};
use std::process::{Command, Output};

/// All of them, cheapest first.
pub fn steps() -> Vec<Step<'static>> {
    let step =
        |name: &str, run: fn() -> Tally| Step { name: name.into(), run: Box::new(run), parallel: false };
    vec![
        step("fmt", fmt),
        step("clippy/host", clippy_host),
        step("clippy/pds", clippy_pds),
        step("host", host),
        step("driver@qemu-7.2", driver_72),
        step("doctest", doctest),
        step("doc", doc),
    ]
}

fn fmt() -> Tally {
    let outside = ["fmt", "--check", "--manifest-path", "examples/copier/rust/Cargo.toml"];
    match check(workspace::cargo("fmt").args(["--all", "--check"])) {
        Tally { failed: 0, .. } => check(workspace::cargo(outside[0]).args(&outside[1..])),
        broken => broken,
    }
}

fn clippy_host() -> Tally {
    check(workspace::cargo("clippy").args(["--locked", "--all-targets", "--", "--deny", "warnings"]))
}

/// The programs that run on seL4, for the target that they are built for.
fn clippy_pds() -> Tally {
    let config = workspace::root().join("tools/microkit/embedded.toml");
    let packages = match Packages::load() {
        Ok(packages) => packages.embedded,
        Err(error) => return Tally::broken(format!("{error:?}")),
    };
    if !config.is_file() {
        return Tally {
            remark: "left out: this tree has no platform for them yet".into(),
            ..Tally::default()
        };
    }
    let mut cargo = workspace::cargo("clippy");
    cargo.arg("--locked").arg("--config").arg(config);
    // As they are built for the scenarios, so that what they depend on is built once.
    cargo.args(["--profile", embedded::DEBUG_PROFILE, "--target", setup::pd_target()]);
    for package in &packages {
        cargo.args(["--package", package]);
    }
    check(cargo.args(["--", "--deny", "warnings"]))
}

fn doc() -> Tally {
    check(workspace::cargo("doc").args(["--locked", "--no-deps"]).env("RUSTDOCFLAGS", "--deny warnings"))
}

fn doctest() -> Tally {
    counted(workspace::cargo("test").args(["--locked", "--no-fail-fast", "--doc"]))
}

/// The tests of all crates that build for the host.
fn host() -> Tally {
    tests(&[])
}

/// The tests of what `chosen` says, by cargo-nextest where that is installed.
fn tests(chosen: &[&str]) -> Tally {
    let nextest =
        workspace::cargo("nextest").arg("--version").output().is_ok_and(|output| output.status.success());
    if nextest {
        let arguments = [
            "run",
            "--locked",
            "--no-fail-fast",
            "--no-tests=pass",
            "--status-level=fail",
            "--hide-progress-bar",
        ];
        counted(workspace::cargo("nextest").args(arguments).args(chosen))
    } else {
        let arguments = ["--locked", "--no-fail-fast", "--lib", "--bins", "--tests"];
        counted(workspace::cargo("test").args(arguments).args(chosen))
    }
}

/// The driver's tests on the oldest QEMU that it is made for; the newer one is among all the others.
fn driver_72() -> Tally {
    if !qemu72::offered() {
        return Tally { remark: "left out: only Debian 12 has QEMU 7.2".into(), ..Tally::default() };
    }
    match qemu72::unpack() {
        Ok(_) => tests(&["--package", "qtest", "--features", "qemu-7", "qemu_7"]),
        Err(error) => Tally::broken(format!("{error:?}")),
    }
}

/// One command, one test.
fn check(command: &mut Command) -> Tally {
    match command.output() {
        Ok(output) if output.status.success() => Tally::held(""),
        Ok(output) => Tally::broken(said(&output)),
        Err(error) => Tally::broken(format!("cannot run {command:?}: {error}")),
    }
}

/// One command that runs many tests and says how many.
fn counted(command: &mut Command) -> Tally {
    let output = match command.env("CARGO_TERM_COLOR", "never").output() {
        Ok(output) => output,
        Err(error) => return Tally::broken(format!("cannot run {command:?}: {error}")),
    };
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let (passed, mut failed) = count(&text);
    let mut failures = Vec::new();
    if !output.status.success() {
        // What did not even compile has failed, too.
        failed = failed.max(1);
        failures.push(said(&output));
    }
    Tally { passed, failed, remark: format!("{} tests", passed + failed), failures }
}

/// Adds up libtest's `test result: …` lines and nextest's `Summary` line.
fn count(text: &str) -> (u32, u32) {
    let number = |line: &str, word: &str| {
        let before = line.split(word).next().filter(|before| before.len() < line.len())?;
        before.rsplit([' ', ';', ',', ':']).find(|piece| !piece.is_empty())?.parse::<u32>().ok()
    };
    let results = text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("test result: ") || line.starts_with("Summary ["));
    results.fold((0, 0), |(passed, failed), line| {
        let timed_out = number(line, " timed out").unwrap_or(0);
        (
            passed + number(line, " passed").unwrap_or(0),
            failed + number(line, " failed").unwrap_or(0) + timed_out,
        )
    })
}

/// What a failed command said; of much, the beginning, where causes stand, and the end, where the count stands.
fn said(output: &Output) -> String {
    const HEAD: usize = 80;
    const TAIL: usize = 40;
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let progress = ["Compiling ", "Checking ", "Documenting ", "PASS "];
    let noise = |line: &&str| progress.iter().any(|word| line.trim_start().starts_with(word));
    let mut lines: Vec<_> = text.lines().filter(|line| !noise(line)).collect();
    if lines.len() > HEAD + TAIL {
        let end = lines.len() - TAIL;
        lines.splice(HEAD..end, ["[...]"]);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_both_runners() {
        let libtest = "test result: ok. 31 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.4s\n\
                       test result: FAILED. 4 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(count(libtest), (35, 3));
        assert_eq!(count("     Summary [   0.012s] 118 tests run: 118 passed, 0 skipped\n"), (118, 0));
        assert_eq!(
            count("Summary [ 1.2s] 9 tests run: 6 passed (1 slow), 2 failed, 1 timed out, 0 skipped"),
            (6, 3)
        );
        assert_eq!(count("nothing of the kind: 7 passed"), (0, 0));
    }
}

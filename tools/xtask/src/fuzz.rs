// SPDX-License-Identifier: BSD-2-Clause
//! `cargo xtask fuzz`: one of the targets of `tests/fuzz` under libFuzzer.
//!
//! What the fuzzer needs of the compiler, counters on every edge, is had by stable options: no nightly, no sanitizer
//! (the code has no `unsafe`), no further tool. It is built in a folder of its own, so that nothing else is built anew.

use crate::workspace;
use miette::{IntoDiagnostic as _, Result, WrapErr as _, miette};
use std::path::Path;
use std::process::Command;

/// Options of `cargo xtask fuzz`.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  cargo xtask fuzz registry\n  cargo xtask fuzz server --runs 10000000")]
pub struct Args {
    /// What to fuzz
    target: Target,
    /// How many inputs
    #[arg(long, default_value_t = 100_000)]
    runs: u64,
    /// Other inputs for another seed
    #[arg(long, default_value_t = 1)]
    seed: u32,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Target {
    /// The registry against its model
    Registry,
    /// The server's decoding and dispatching, on a unit in software
    Server,
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Server => "server",
        }
    }

    /// Bytes of the longest input that means something.
    fn longest(self) -> usize {
        match self {
            Self::Registry => 1 + 16 * 6,
            Self::Server => 1 + 12 * 12,
        }
    }
}

/// Counters on every edge, as libFuzzer reads them.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table --cfg fuzzing";

/// Builds the fuzzer and runs it on what it has found so far.
pub fn main(args: &Args) -> Result<()> {
    let name = args.target.name();
    let folder = workspace::root().join("target/fuzz");
    let triple = "x86_64-unknown-linux-gnu";
    let mut cargo = workspace::cargo("build");
    cargo.args(["--locked", "--profile", "proof", "--package", "fuzz", "--features", "libfuzzer"]);
    cargo.args(["--bin", &format!("fuzz-{name}"), "--target", triple]);
    cargo.env("RUSTFLAGS", INSTRUMENTATION).env("CARGO_TARGET_DIR", &folder);
    run(&mut cargo)?;
    let (found, findings) = (folder.join("corpus").join(name), folder.join("findings").join(name));
    for folder in [&found, &findings] {
        std::fs::create_dir_all(folder).into_diagnostic().wrap_err("the folder for what is found")?;
    }
    let seeds = workspace::root().join("tests/fuzz/corpus").join(name);
    let mut fuzzer = Command::new(folder.join(triple).join("proof").join(format!("fuzz-{name}")));
    fuzzer.args([&found, &seeds]).arg(format!("-runs={}", args.runs)).arg(format!("-seed={}", args.seed));
    fuzzer.arg(format!("-max_len={}", args.target.longest())).arg("-print_final_stats=1");
    fuzzer.arg(prefix(&findings));
    run(&mut fuzzer)
}

/// Where a finding is written. The option takes a prefix of a path, not a folder.
fn prefix(folder: &Path) -> String {
    format!("-artifact_prefix={}/", folder.display())
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().into_diagnostic().wrap_err_with(|| format!("cannot run {command:?}"))?;
    if status.success() {
        return Ok(());
    }
    Err(miette!(help = "a finding's input stands in the path above: give it to the fuzzer alone", "{status}"))
}

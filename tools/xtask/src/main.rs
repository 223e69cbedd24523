// SPDX-License-Identifier: BSD-2-Clause
//! Everything this workspace does, as one program: `cargo xtask setup | build | compile | export | run | run-vm | test |
//! soak | fuzz | bench | graph | audit | trace | monitor`.
//!
//! Each subcommand is a module with an `Args` struct (its options, its `--help`, an example) and one
//! function. An error is one plain message: what, where, remedy; the exit status is then 1.
#![forbid(unsafe_code)]

mod audit;
mod bench;
mod blobs;
mod bochs;
mod build;
mod description;
mod embedded;
mod emulator;
mod export;
mod fuzz;
mod graph;
mod machine;
mod monitor;
mod progress;
mod qemu;
mod run;
mod sdk;
mod serial;
mod setup;
mod size;
mod soak;
mod stacks;
mod system;
mod test;
mod trace;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Builds, boots and tests the ioasid protection domain.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what building and running need (QEMU, the kernel build's tools, the Rust target)
    Setup(setup::Args),
    /// Build kernel, protection domains and image of a system
    Build(build::Args),
    /// Compile programs, of this workspace or outside, for an image that another build composes
    Compile(export::CompileArgs),
    /// Lay the embedded default out as a Microkit SDK
    Export(export::Args),
    /// Build a system, boot it in QEMU and judge its summary line
    Run(run::Args),
    /// Build the system with two virtual machines, boot it in Bochs and judge its summary line
    RunVm(run::VmArgs),
    /// Run every test: format, lints, host tests, documentation, booted systems
    Test(test::Args),
    /// Boot a system many times in a row
    Soak(soak::Args),
    /// Fuzz the registry or the server
    Fuzz(fuzz::Args),
    /// Print the figures, each beside its peer
    Bench(bench::Args),
    /// Draw a system as SVG or Mermaid
    Graph(graph::Args),
    /// Show what the ioasid server did, in a running system or in the last run
    Trace(trace::Args),
    /// Watch what the ioasid server does, live, beside a run in another terminal
    Monitor(monitor::Args),
    /// Say who can reach what in a system, by CPU and by DMA, and what is wrong with that
    Audit(audit::Args),
}

fn main() -> ExitCode {
    workspace::this_program();
    // Messages are also read by scripts and tests: no wrapping in the middle of a sentence.
    let hook = miette::set_hook(Box::new(|_| {
        Box::new(miette::MietteHandlerOpts::new().wrap_lines(false).break_words(false).build())
    }));
    debug_assert!(hook.is_ok(), "the hook is set once");
    let result = match Cli::parse().command {
        Command::Setup(args) => setup::main(&args),
        Command::Build(args) => build::main(&args),
        Command::Compile(args) => export::compile(&args),
        Command::Export(args) => export::main(&args),
        Command::Run(args) => run::main(&args),
        Command::RunVm(args) => run::vm(&args),
        Command::Test(args) => test::main(&args),
        Command::Soak(args) => soak::main(&args),
        Command::Fuzz(args) => fuzz::main(&args),
        Command::Bench(args) => bench::main(&args),
        Command::Graph(args) => graph::main(&args),
        Command::Trace(args) => trace::main(&args),
        Command::Monitor(args) => monitor::main(&args),
        Command::Audit(args) => audit::main(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            eprintln!("{report:?}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    #[test]
    fn command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }

    #[test]
    fn run_vm_offers_what_it_does() {
        let parses = |command: &str, option: &str| {
            let words = ["cargo xtask", command].into_iter().chain(option.split(' '));
            super::Cli::try_parse_from(words).is_ok()
        };
        for option in ["--system tests/system/ping", "--qemu 7.2", "--no-icount", "--no-vtd"] {
            assert!(parses("run", option) && !parses("run-vm", option), "{option}");
        }
        assert!(parses("run-vm", "--timeout 300") && parses("run-vm", "--config release"));
    }

    #[test]
    fn every_subcommand_shows_examples_that_are_right() {
        for command in super::Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples = help.lines().filter_map(|line| line.strip_prefix("  cargo xtask "));
            let mut count = 0;
            for example in examples {
                let words = || example.split_whitespace();
                assert_eq!(words().next(), Some(command.get_name()), "{example}");
                let parsed = super::Cli::try_parse_from(["cargo xtask"].into_iter().chain(words()));
                assert!(
                    parsed.is_ok(),
                    "{example}: {}",
                    parsed.err().map(|error| error.to_string()).unwrap_or_default()
                );
                for word in words().filter(|word| word.starts_with("tests/") && !word.contains('*')) {
                    assert!(super::workspace::root().join(word).exists(), "{example}: {word} is not there");
                }
                count += 1;
            }
            assert!(count > 0, "{}: no example in --help", command.get_name());
        }
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! Measures the registry beside its peers: instructions and nanoseconds, in one run.
//!
//! Instructions are what repeats: each subject and pattern runs once under valgrind's callgrind, which counts what
//! happens inside one function, and the same loop around nothing is taken off. Nanoseconds are measured natively,
//! the best of several, and say which order of magnitude it is.
#![forbid(unsafe_code)]

mod callgrind;
mod core;
mod noise;

use clap::{Parser, Subcommand};

/// Measures parts of the project beside their peers.
#[derive(Parser)]
#[command(after_help = "Example: cargo run --release -p bench -- core")]
struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The registry and other allocators of numbers.
    Core {
        /// Only those whose name contains this.
        #[arg(long)]
        only: Option<String>,
    },
    /// One loop and nothing else, for callgrind to count.
    #[command(hide = true)]
    Loop {
        /// The subject's name.
        subject: String,
        /// The pattern's name.
        pattern: String,
        /// How many turns.
        turns: usize,
    },
    /// One operation at a time, for callgrind to count each.
    #[command(hide = true)]
    Single {
        /// The subject's name.
        subject: String,
    },
}

fn main() -> anyhow::Result<()> {
    match Options::parse().what {
        What::Core { only } => core::report(only.as_deref().unwrap_or_default()),
        What::Loop { subject, pattern, turns } => core::run_loop(&subject, &pattern, turns),
        What::Single { subject } => core::run_single(&subject),
    }
}

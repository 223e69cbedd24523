// SPDX-License-Identifier: BSD-2-Clause
//! The long searches, as commands.
#![forbid(unsafe_code)]

use clap::Parser;
use model::exhaustive::Searched;
use std::process::ExitCode;

/// Holds the registry against its model.
#[derive(Parser)]
enum Command {
    /// Long random sequences
    Random {
        /// How many
        #[arg(long, default_value_t = 10_000)]
        runs: u32,
        /// Of how many operations, exactly
        #[arg(long, default_value_t = 200)]
        length: usize,
        /// Other sequences for another seed
        #[arg(long, default_value_t = 0)]
        seed: u64,
    },
    /// All sequences in a small world
    Exhaustive {
        /// Of how many operations, at the most
        #[arg(long, default_value_t = 7)]
        depth: usize,
    },
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Random { runs, length, seed } => model::random::run(runs, length, seed)
            .map(|()| println!("{runs} runs of {length} operations: no difference")),
        Command::Exhaustive { depth } => {
            let operations = model::exhaustive::alphabet().len();
            println!("{operations} operations in each state");
            let say = |depth, searched: Searched| {
                let Searched { states, transitions } = searched;
                println!("depth {depth}: {states} states, {transitions} transitions");
            };
            model::exhaustive::run(depth, say).map(|_| println!("no difference"))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! `microkit-sdk lock`: pins what rust-sel4 needs of a registry, beside this crate. Building is `cargo xtask`'s.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use microkit_sdk::Sdk;

#[derive(Parser)]
#[command(about = "Keep what builds with a Microkit SDK are made of")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Pin the packages that rust-sel4 needs, as a build with the SDK finds them
    Lock {
        /// The SDK's folder
        #[arg(long, value_name = "DIR", env = "MICROKIT_SDK")]
        sdk: PathBuf,
    },
}

fn main() -> miette::Result<()> {
    let Verb::Lock { sdk } = Cli::parse().verb;
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap_or(Path::new("."));
    println!("{}", Sdk::open(&sdk)?.lock(workspace)?.display());
    Ok(())
}

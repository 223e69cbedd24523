// SPDX-License-Identifier: BSD-2-Clause
//! `cargo xtask bench`: prints the figures, each beside a peer's or a null operation's of the same run.
//!
//! The registry and the driver are measured by programs of this workspace; the service in a booted image, where
//! instructions are the clock.

use crate::build::{self, BuildArgs, Program};
use crate::machine::Machine;
use crate::progress::{note, time};
use crate::qemu::Qemu;
use crate::run::{boot, judge};
use crate::system::System;
use crate::workspace::{self, Packages};
use crate::{serial, setup};
use microkit_sdk::Configuration;
use miette::Result;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

/// A family of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Family {
    /// The registry: instructions and nanoseconds for each operation, beside other allocators of numbers
    Core,
    /// The VT-d driver: submissions, descriptors and register accesses for each teardown, beside Linux's sequence
    Vtd,
    /// The service: instructions for each call, beside a call that does nothing
    Ipc,
}

/// Options of `cargo xtask bench`.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  cargo xtask bench\n  cargo xtask bench core")]
pub struct Args {
    /// Which figures; all where none is named
    #[arg(value_enum)]
    family: Option<Family>,
    /// Kernel configuration of the booted image
    #[arg(long, value_enum, default_value_t = Configuration::Release, env = "MICROKIT_CONFIG")]
    config: Configuration,
    /// Folder of a Microkit SDK to measure the service on, instead of the embedded default
    #[arg(long, value_name = "DIR", env = "MICROKIT_SDK")]
    sdk: Option<PathBuf>,
    /// The QEMU to boot in, instead of the one on PATH
    #[arg(long, value_name = "PATH")]
    qemu: Option<PathBuf>,
}

/// Prints what was asked for.
pub fn main(args: &Args) -> Result<()> {
    setup::ensure(args.qemu.as_deref())?;
    for family in args.family.map_or(vec![Family::Core, Family::Vtd, Family::Ipc], |family| vec![family]) {
        let start = Instant::now();
        match family {
            Family::Core => program("bench", &["core"])?,
            Family::Vtd => program("bench-vtd", &[])?,
            Family::Ipc => booted(args)?,
        }
        note(&format!("that took {}", time(start.elapsed())));
    }
    Ok(())
}

/// Runs a benchmark program of this workspace.
fn program(name: &str, arguments: &[&str]) -> Result<()> {
    let package = Program::find(name, &Packages::load()?)?.package;
    let mut cargo = workspace::cargo("run");
    cargo.args(["--release", "--quiet", "--package", &package, "--bin", name, "--"]).args(arguments);
    workspace::run(&mut cargo)
}

/// Boots the system whose client measures the service; shows what that client says.
fn booted(args: &Args) -> Result<()> {
    let system = System::load(Some(&workspace::root().join("tests/bench/ipc")))?;
    let machine = Machine::load(&system.folder)?;
    let (config, sdk) = (args.config, args.sdk.clone());
    let built = build::build(system, &BuildArgs { config, sdk, quiet: true, ..BuildArgs::default() })?;
    let qemu = Qemu::find(args.qemu.as_deref())?;
    let platform = if args.sdk.is_some() { "the Microkit SDK" } else { "the embedded default" };
    note(&format!(
        "the service on {platform}, {config}, in QEMU {}: one tick is one instruction",
        qemu.version
    ));
    let outcome = boot(&qemu, &machine, &built, true, "bench.log", &mut |line| {
        if let Some((_, "client")) = serial::speaker(line, &built.system.domains) {
            println!("{}", line.split_once("| ").map_or(line, |(_client, said)| said));
        }
        ControlFlow::Continue(())
    })?;
    judge(&built.system, &machine, &outcome).map(drop)
}

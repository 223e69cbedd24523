// SPDX-License-Identifier: BSD-2-Clause
//! `cargo xtask bench`: prints the figures, each beside a peer's or a null operation's of the same run.
//!
//! The registry and the driver are measured by programs of this workspace; the service in a booted image, where
//! instructions are the clock.

use crate::build::{self, BuildArgs, Program};
use crate::emulator::{Emulator, QemuArgs};
use crate::machine::Machine;
use crate::progress::{note, time};
use crate::run::judge;
use crate::system::System;
use crate::workspace::{self, Packages};
use crate::{serial, setup, size};
use microkit_sdk::Configuration;
use miette::Result;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

/// A family of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Family {
    /// The domain: bytes of code, constants and data, and what every domain uses of its stack
    Size,
    /// The registry: instructions and nanoseconds for each operation, beside other allocators of numbers
    Core,
    /// The VT-d driver: submissions, descriptors and register accesses for each teardown, beside Linux's sequence
    Vtd,
    /// The service: instructions for each call, beside a call that does nothing
    Ipc,
    /// A virtual machine: instructions for an exit, a virtual command and a call that does nothing, in Bochs
    Vm,
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
    let all = [Family::Size, Family::Core, Family::Vtd, Family::Ipc, Family::Vm];
    for family in args.family.map_or(all.to_vec(), |family| vec![family]) {
        let start = Instant::now();
        match family {
            Family::Size => size::report(args.config)?.iter().for_each(|line| println!("{line}")),
            Family::Core => program("bench", &["core"])?,
            Family::Vtd => program("bench-vtd", &[])?,
            Family::Ipc => booted(args, "ipc", "client")?,
            Family::Vm => booted(args, "vm", "measured")?,
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

/// Boots the system in `tests/bench` in which the domain `speaker` measures the service; shows what it says.
fn booted(args: &Args, folder: &str, speaker: &str) -> Result<()> {
    let system = System::load(Some(&workspace::root().join("tests/bench").join(folder)))?;
    let machine = Machine::load(&system.folder)?;
    // A system that cannot run on the SDK is measured where it can.
    let sdk = args.sdk.clone().filter(|_| machine.sdk);
    let platform = if sdk.is_some() { "the Microkit SDK" } else { "the embedded default" };
    let config = args.config;
    let built = build::build(system, &BuildArgs { config, sdk, quiet: true, ..BuildArgs::default() })?;
    let emulator = Emulator::find(&machine, &QemuArgs { qemu: args.qemu.clone(), ..QemuArgs::default() })?;
    note(&format!("the service on {platform}, {config}, in {emulator}: one tick is one instruction"));
    let outcome = emulator.boot(&machine, &built, "bench.log", &mut |line| {
        if serial::speaker(line, &built.system.domains).is_some_and(|(_, name)| name == speaker) {
            println!("{}", line.split_once("| ").map_or(line, |(_, said)| said));
        }
        ControlFlow::Continue(())
    })?;
    judge(&built.system, &machine, &outcome).map(drop)
}

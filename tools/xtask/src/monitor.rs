// SPDX-License-Identifier: BSD-2-Clause
//! `cargo xtask monitor`: what the ioasid server does, live, beside a `make run` in another terminal.
//!
//! It is a program of its own, built when it is first asked for: nobody else waits for its libraries.

use crate::machine::Machine;
use crate::progress::note;
use crate::system::System;
use crate::trace::Files;
use crate::workspace;
use miette::{Result, miette};
use std::io::IsTerminal as _;
use std::path::PathBuf;

/// Options of `cargo xtask monitor`.
#[derive(clap::Args)]
#[command(
    after_help = "Keys: q quit, p or space pause, arrows and page keys scroll, tab one set after the other, 1 to 6 kinds of event, a all.\n\nExample:\n  cargo xtask monitor\n  cargo xtask monitor --system tests/bench/ipc"
)]
pub struct Args {
    /// Folder of the system.xml whose runs are watched [default: the workspace's own]
    #[arg(long, value_name = "DIR")]
    system: Option<PathBuf>,
}

/// Watches the runs of a system until a key ends it.
pub fn main(args: &Args) -> Result<()> {
    let system = System::load(args.system.as_deref())?;
    let files = Files::of(&system)?;
    if Machine::load(&system.folder)?.bochs {
        let help = "watch a system that runs in QEMU";
        return Err(miette!(help = help, "{} runs in Bochs, whose memory cannot be read", system.name));
    }
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        let help = "`cargo xtask trace` prints what there is and ends";
        return Err(miette!(help = help, "the monitor needs a terminal"));
    }
    if !workspace::target().join("debug/monitor").is_file() {
        note("building the monitor, once");
    }
    let mut cargo = workspace::cargo("run");
    cargo.args(["--locked", "--quiet", "--package", "system-monitor", "--bin", "monitor", "--"]);
    cargo.args(["--name", &system.name]).arg("--memory").arg(&files.memory);
    cargo.args(["--address", &files.place.address.to_string(), "--bytes", &files.place.bytes.to_string()]);
    workspace::run(&mut cargo)
}

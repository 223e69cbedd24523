// SPDX-License-Identifier: BSD-2-Clause
//! `cargo xtask setup`: what building and running need, and how this machine gets it.
//!
//! [`probe`] looks, [`plan`] decides (pure), [`apt`] installs. With nothing missing it is a matter of a tenth of a
//! second, so every command that needs the tools calls [`ensure`] itself.

mod apt;
mod plan;
mod probe;
pub mod qemu72;
mod sources;

use crate::progress::{good, note};
use miette::{Result, miette};
use plan::Plan;
use std::path::Path;

/// The target that protection domains are built for.
pub const PD_TARGET: &str = "x86_64-unknown-none";
/// The target that they fall back to: the host's own, whose `core` is always there.
pub const HOST_TARGET: &str = "x86_64-unknown-linux-gnu";

/// Options of `cargo xtask setup`.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  cargo xtask setup\n  cargo xtask setup --dry-run\n  cargo xtask setup --qemu72"
)]
pub struct Args {
    /// Only say what is missing and what would be done
    #[arg(long)]
    dry_run: bool,
    /// Also unpack Debian's QEMU 7.2 into the output folder and print its path
    #[arg(long)]
    qemu72: bool,
}

/// Installs what is missing.
pub fn main(args: &Args) -> Result<()> {
    let missing = install(None, args.dry_run)?;
    if missing == 0 {
        note(&good("everything that is needed is there"));
    }
    if args.qemu72 {
        let qemu = qemu72::unpack()?;
        note(&format!("QEMU {} is in {}", qemu.version, qemu.program.display()));
    }
    Ok(())
}

/// Installs what is missing and says nothing where all is there. `qemu`: the one that was asked for, which is
/// then not looked for.
pub fn ensure(qemu: Option<&Path>) -> Result<()> {
    install(qemu, false).map(drop)
}

/// The target to build protection domains for.
pub fn pd_target() -> &'static str {
    if probe::pd_target_installed() { PD_TARGET } else { HOST_TARGET }
}

fn install(qemu: Option<&Path>, dry_run: bool) -> Result<usize> {
    let facts = probe::facts(qemu);
    let plan = plan::plan(&facts);
    if plan.is_empty() {
        return Ok(0);
    }
    for missing in &plan.missing {
        note(&format!("missing: {missing}"));
    }
    if dry_run {
        for line in plan.commands(facts.codename.as_deref()) {
            note(&format!("would run: {line}"));
        }
        return Ok(plan.missing.len());
    }
    if !plan.packages.is_empty() {
        if let Some(why) = facts.hands_off() {
            return Err(by_hand(&plan, why, facts.codename.as_deref()));
        }
        apt::install(&plan, facts.codename.as_deref().unwrap_or_default())?;
    }
    if plan.rust_target {
        add_rust_target();
    }
    // What was installed must be what was missing.
    let left = plan::plan(&probe::facts(qemu));
    if !left.packages.is_empty() {
        let (missing, packages) = (left.missing.join(", "), left.packages.join(" "));
        return Err(miette!(
            help = format!("install by hand and try again: {packages}"),
            "still missing after the installation: {missing}"
        ));
    }
    Ok(plan.missing.len())
}

fn by_hand(plan: &Plan, why: &str, codename: Option<&str>) -> miette::Report {
    let commands = plan.commands(codename).join("\n  ");
    miette!(
        help = format!("run, or install the like of it on your system:\n  {commands}"),
        "missing: {}; {why}, so nothing was installed",
        plan.missing.join(", ")
    )
}

/// Without the target the host's own serves: a note, not an error. The failure is remembered for this toolchain, so that
/// a machine without a network does not wait for it again.
fn add_rust_target() {
    match probe::add_rust_target() {
        Ok(()) => note(&format!("added the Rust target {PD_TARGET}")),
        Err(why) => {
            probe::remember_no_target();
            note(&format!(
                "the Rust target {PD_TARGET} cannot be had ({why}); building for {HOST_TARGET} instead"
            ));
        }
    }
}

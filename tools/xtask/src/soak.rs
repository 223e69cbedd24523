// SPDX-License-Identifier: BSD-2-Clause
//! `cargo xtask soak`: one image booted many times in a row, on a quiet host or a loaded one.

use crate::build::{self, BuildArgs, SystemArgs};
use crate::emulator::{Emulator, QemuArgs};
use crate::progress::{bad, good, note, time};
use crate::run::{Watchdog, judge};
use crate::setup;
use miette::{Result, miette};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Options of `cargo xtask soak`.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  cargo xtask soak --runs 30\n  cargo xtask soak --runs 30 --load --no-icount"
)]
pub struct Args {
    #[command(flatten)]
    system: SystemArgs,
    #[command(flatten)]
    build: BuildArgs,
    #[command(flatten)]
    qemu: QemuArgs,
    #[command(flatten)]
    watchdog: Watchdog,
    /// How often to boot
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    runs: u32,
    /// Keep every core of the host busy meanwhile
    #[arg(long)]
    load: bool,
}

/// Boots again and again; an error unless all runs are good.
pub fn main(args: &Args) -> Result<()> {
    setup::ensure(args.qemu.qemu.as_deref())?;
    let system = args.system.load()?;
    let machine = args.watchdog.machine(&system, &args.qemu)?;
    let emulator = Emulator::find(&machine, &args.qemu)?;
    let built = build::build(system, &args.build)?;
    let mut times = Vec::new();
    let mut failures = 0;
    let busy = AtomicBool::new(args.load);
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        for _ in 0..if args.load { cores } else { 0 } {
            scope.spawn(|| {
                while busy.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let result: Result<()> = (1..=args.runs).try_for_each(|run| {
            let outcome = emulator.boot(&machine, &built, "soak.log", &mut |_| ControlFlow::Continue(()))?;
            match judge(&built.system, &machine, &outcome) {
                Ok(verdict) => {
                    let took = time(outcome.elapsed);
                    note(&format!("run {run} of {}: {} {verdict} in {took}", args.runs, good("ok")));
                }
                Err(error) => {
                    failures += 1;
                    let seen = error.help().map(|help| help.to_string()).unwrap_or_default();
                    note(&format!("run {run} of {}: {} {error}\n  {seen}", args.runs, bad("FAILED")));
                }
            }
            times.push(outcome.elapsed);
            Ok(())
        });
        busy.store(false, Ordering::Relaxed);
        result
    })?;
    times.sort();
    let pick = |index: usize| time(times.get(index).copied().unwrap_or(Duration::ZERO));
    let (low, middle, high) = (pick(0), pick(times.len() / 2), pick(times.len().saturating_sub(1)));
    let held = args.runs - failures;
    let host = if args.load { "loaded host" } else { "quiet host" };
    note(&format!(
        "{}: {held} of {} boots good in {emulator} on a {host}; {low} at best, {middle} median, {high} at worst",
        built.system.name, args.runs
    ));
    if failures > 0 {
        return Err(miette!("{failures} of {} boots failed", args.runs));
    }
    Ok(())
}

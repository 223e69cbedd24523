// SPDX-License-Identifier: BSD-2-Clause
//! `cargo xtask test`: every check there is, in one run, with a count at the end.
//!
//! A [`Step`] has a name, by which a filter chooses it, and says how many tests it ran. Steps go in order, cheapest
//! first; a failed one does not keep the others from running.

mod host;
mod negative;
mod scenario;
mod views;

use crate::progress::{bad, dim, good, time};
use crate::setup;
use miette::{Result, miette};
use std::path::PathBuf;
use std::time::Instant;

/// Options of `cargo xtask test`.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  cargo xtask test\n  cargo xtask test system/\n  cargo xtask test --list")]
pub struct Args {
    /// Only the steps whose name contains this
    filter: Option<String>,
    /// Only name the steps
    #[arg(long)]
    list: bool,
    /// The QEMU to boot systems in, instead of the one on PATH; `7.2` is Debian 12's, unpacked
    #[arg(long, value_name = "PATH")]
    qemu: Option<PathBuf>,
}

/// How many tests a step ran and what went wrong with those that failed.
#[derive(Debug, Default)]
struct Tally {
    passed: u32,
    failed: u32,
    /// For people: what the step saw (`118 tests`, `in QEMU 10.0`).
    remark: String,
    /// What went wrong.
    failures: Vec<String>,
}

impl Tally {
    /// One test, which held.
    fn held(remark: impl Into<String>) -> Self {
        Self { passed: 1, remark: remark.into(), ..Self::default() }
    }

    /// One test, which did not.
    fn broken(why: impl Into<String>) -> Self {
        Self { failed: 1, failures: vec![why.into()], ..Self::default() }
    }

    /// One test: the error, where there is one, is the failure.
    fn of(result: Result<String>) -> Self {
        result.map_or_else(|error| Self::broken(format!("{error:?}")), Self::held)
    }
}

/// One step.
struct Step<'a> {
    name: String,
    run: Box<dyn FnOnce() -> Tally + Send + 'a>,
    /// May run beside others of its kind.
    parallel: bool,
}

/// Runs the steps that the filter leaves.
pub fn main(args: &Args) -> Result<()> {
    let chosen = |name: &str| args.filter.as_deref().is_none_or(|filter| name.contains(filter));
    let mut steps = host::steps();
    steps.extend(views::steps());
    steps.extend(negative::steps());
    steps.extend(scenario::steps(args.qemu.as_deref())?);
    steps.retain(|step| chosen(&step.name));
    if args.list {
        steps.iter().for_each(|step| println!("{}", step.name));
        return Ok(());
    }
    if steps.is_empty() {
        return Err(miette!(help = "`cargo xtask test --list` names them", "the filter leaves no step"));
    }
    setup::ensure(args.qemu.as_deref())?;
    let start = Instant::now();
    let (passed, failed) = run_all(steps);
    println!("{}", dim(&format!("all of it took {}", time(start.elapsed()))));
    println!("{passed} passed, {failed} failed");
    if failed > 0 {
        // Not an error to report: the count stays the last line.
        std::process::exit(1);
    }
    Ok(())
}

/// Runs steps in order, runs of parallel ones two at a time; gives how many tests passed and failed.
fn run_all(steps: Vec<Step<'_>>) -> (u32, u32) {
    let mut total = (0, 0);
    let mut steps = steps.into_iter().peekable();
    while let Some(first) = steps.next() {
        let second = if first.parallel { steps.next_if(|step| step.parallel) } else { None };
        std::thread::scope(|scope| {
            // QEMU dies with the thread that started it, so each step is joined before the scope ends.
            let threads: Vec<_> =
                std::iter::once(first).chain(second).map(|step| scope.spawn(move || run_one(step))).collect();
            for thread in threads {
                let (passed, failed) = thread.join().unwrap_or((0, 1));
                total = (total.0 + passed, total.1 + failed);
            }
        });
    }
    total
}

fn run_one(step: Step<'_>) -> (u32, u32) {
    if !step.parallel {
        println!("{}", dim(&format!("      {} ...", step.name)));
    }
    let start = Instant::now();
    let tally = (step.run)();
    let mark = if tally.failed == 0 { good("ok   ") } else { bad("FAILED") };
    let took = dim(&format!("({})", time(start.elapsed())));
    let failures: String = tally.failures.iter().map(|failure| format!("\n{failure}")).collect();
    println!("{mark} {} {} {took}{failures}", step.name, tally.remark);
    (tally.passed, tally.failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(parallel: bool, tally: Tally) -> Step<'static> {
        Step { name: "step".into(), run: Box::new(|| tally), parallel }
    }

    #[test]
    fn every_step_is_counted_once() {
        let steps = vec![
            step(false, Tally { passed: 5, failed: 1, ..Tally::default() }),
            step(true, Tally::held("")),
            step(true, Tally::broken("why")),
            step(true, Tally::held("")),
        ];
        assert_eq!(run_all(steps), (7, 2));
    }

    #[test]
    fn a_step_that_panics_has_failed() {
        let panics = Step { name: "panics".into(), run: Box::new(|| panic!("on purpose")), parallel: false };
        // The panic's message on standard error belongs to this test.
        assert_eq!(run_all(vec![panics, step(false, Tally::held(""))]), (1, 1));
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! `cargo xtask test`: every check there is, in one run, with a count at the end.
//!
//! A [`Step`] has a name, by which a filter chooses it, and says how many tests it ran. Steps go in order, cheapest
//! first; a failed one does not keep the others from running.

mod documents;
mod examples;
mod host;
mod negative;
mod page;
mod scenario;
mod shown;
mod views;

use crate::progress::{bad, dim, good, time};
use crate::setup;
use miette::{Result, miette};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// How many systems are booted at a time.
const WORKERS: usize = 2;

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
    /// Folder of a Microkit SDK: the systems that can also run there do
    #[arg(long, value_name = "DIR", env = "MICROKIT_SDK")]
    sdk: Option<PathBuf>,
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
    steps.extend(page::steps());
    steps.extend(negative::steps());
    steps.extend(scenario::steps(args.qemu.as_deref(), args.sdk.as_deref())?);
    steps.extend(examples::steps(args.sdk.as_deref()));
    steps.extend(shown::steps());
    let names: Vec<_> = steps.iter().map(|step| step.name.clone()).collect();
    let documents = documents::steps(&names);
    steps.splice(0..0, documents);
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

/// Runs steps in order, stretches of parallel ones on [`WORKERS`] threads; gives how many tests passed and failed.
fn run_all(steps: Vec<Step<'_>>) -> (u32, u32) {
    let mut total = (0, 0);
    let mut steps = VecDeque::from(steps);
    while let Some(first) = steps.pop_front() {
        let mut stretch = VecDeque::from([first]);
        while stretch[0].parallel && steps.front().is_some_and(|step| step.parallel) {
            stretch.extend(steps.pop_front());
        }
        let workers = WORKERS.min(stretch.len());
        let queue = Mutex::new(stretch);
        thread::scope(|scope| {
            let work = || {
                let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                std::iter::from_fn(next).map(run_one).fold((0, 0), sum)
            };
            let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            total = threads.into_iter().filter_map(|thread| thread.join().ok()).fold(total, sum);
        });
    }
    total
}

fn sum(a: (u32, u32), b: (u32, u32)) -> (u32, u32) {
    (a.0 + b.0, a.1 + b.1)
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
}

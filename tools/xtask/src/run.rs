// SPDX-License-Identifier: BSD-2-Clause
//! `cargo xtask run`: build, boot, show the log, judge.

use crate::build::{self, BuildArgs, SystemArgs};
use crate::emulator::{Emulator, QemuArgs};
use crate::machine::Machine;
use crate::progress::{bad, domain, good, note, time};
use crate::qemu::{End, Outcome};
use crate::serial::{self, Summary};
use crate::system::System;
use crate::trace::Files;
use crate::{setup, workspace};
use miette::{IntoDiagnostic as _, Result, miette};
use std::fmt::Write as _;
use std::ops::ControlFlow;

/// The option of every command that boots a system.
#[derive(clap::Args, Clone, Debug)]
pub struct Watchdog {
    /// Host seconds before the run is ended, instead of what machine.toml says
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: Option<u64>,
}

/// Options of `cargo xtask run`.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  cargo xtask run\n  cargo xtask run --system tests/system/faults --timeout 20"
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
}

/// Options of `cargo xtask run-vm`.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  cargo xtask run-vm\n  cargo xtask run-vm --timeout 300")]
pub struct VmArgs {
    #[command(flatten)]
    build: BuildArgs,
    #[command(flatten)]
    watchdog: Watchdog,
}

/// Builds and boots a system; an error unless its summary is good.
pub fn main(args: &Args) -> Result<()> {
    setup::ensure(args.qemu.qemu.as_deref())?;
    run(args.system.load()?, &args.build, &args.qemu, &args.watchdog)
}

/// As [`main`], for the system with virtual machines, which runs in Bochs.
pub fn vm(args: &VmArgs) -> Result<()> {
    setup::ensure(None)?;
    let system = System::load(Some(&workspace::root().join("tests/system/vm")))?;
    run(system, &args.build, &QemuArgs::default(), &args.watchdog)
}

fn run(system: System, build: &BuildArgs, qemu: &QemuArgs, watchdog: &Watchdog) -> Result<()> {
    let mut machine = watchdog.machine(&system, qemu)?;
    let emulator = Emulator::find(&machine, qemu)?;
    let built = build::build(system, build)?;
    // Bochs keeps its memory to itself.
    let trace = Files::find(&built.system)?.filter(|_| !machine.bochs);
    if let Some(files) = &trace {
        files.clear();
        machine.memory_file = Some(std::path::absolute(&files.memory).into_diagnostic()?);
    }
    note(&format!("booting {} in {emulator}", built.system.name));
    let outcome = emulator.boot(&machine, &built, "serial.log", &mut |line| {
        println!("{}", coloured(line, &built.system.domains));
        ControlFlow::Continue(())
    })?;
    trace.as_ref().map_or(Ok(()), Files::keep)?;
    let log = workspace::display(&built.log("serial.log"));
    let verdict =
        judge(&built.system, &machine, &outcome).map_err(|error| error.wrap_err(format!("log in {log}")))?;
    note(&format!("ended in {}, log in {log}", time(outcome.elapsed)));
    println!("{}", good(&verdict));
    Ok(())
}

impl Watchdog {
    /// The system's machine with what the command line changes; an error where that says something of QEMU and the
    /// machine is for Bochs.
    pub fn machine(&self, system: &System, qemu: &QemuArgs) -> Result<Machine> {
        let mut machine = Machine::load(&system.folder)?;
        if machine.bochs && *qemu != QemuArgs::default() {
            let help = "leave --qemu, --no-icount and --no-vtd out: it has neither a choice nor a VT-d unit";
            return Err(miette!(help = help, "{} runs in Bochs, as its machine.toml says", system.name));
        }
        machine.vtd &= !qemu.no_vtd;
        machine.timeout_s = self.timeout.unwrap_or(machine.timeout_s);
        Ok(machine)
    }
}

fn coloured(line: &str, domains: &[String]) -> String {
    match serial::speaker(line, domains) {
        Some((index, name)) => match line.split_once(name) {
            Some((before, after)) => format!("{before}{}{after}", domain(index, name)),
            None => line.to_owned(),
        },
        None => match Summary::parse(line) {
            Some(Summary { failed: 0, .. }) => good(line),
            Some(_) => bad(line),
            None => line.to_owned(),
        },
    }
}

/// Whether a run ended as its machine expects: its summary, or an error that says what was last seen.
pub fn judge(system: &System, machine: &Machine, outcome: &Outcome) -> Result<String> {
    let summary = outcome.lines.iter().rev().find(|line| !line.is_empty()).and_then(|l| Summary::parse(l));
    let what = match (outcome.end, summary) {
        (End::Guest(exit), _) if exit != machine.expect.exit => {
            format!("the system ended the run with {exit}, expected was {}", machine.expect.exit)
        }
        (End::Guest(_), None) if machine.expect.summary => {
            "the run ended without its summary line".to_owned()
        }
        (End::Guest(_), Some(Summary { passed: 0, .. })) if machine.expect.summary => {
            "the run checked nothing".to_owned()
        }
        (End::Guest(_), Some(Summary { failed: failed @ 1.., .. })) if machine.expect.summary => {
            format!("{failed} of its checks failed")
        }
        (End::Guest(_), _) => {
            return Ok(summary.map_or_else(|| "ended as expected".to_owned(), |summary| summary.to_string()));
        }
        (End::PoweredOff, _) => {
            "the machine reset or switched itself off (a triple fault ends like this)".into()
        }
        (End::NeverStarted, _) => format!("QEMU did not start: {}", outcome.stderr),
        (End::Signal(signal), _) => format!("QEMU was ended by signal {signal}: {}", outcome.stderr),
        (End::Status(status), _) => format!("QEMU ended with status {status}: {}", outcome.stderr),
        (End::TimedOut, _) => format!("no end after {} s: the watchdog ended the run", machine.timeout_s),
        (End::Stopped, _) => format!("ended at: {}", outcome.lines.last().map_or("", String::as_str)),
        (End::LogTooLong, _) => "the serial log grew without bound: the run was ended".into(),
    };
    Err(miette!(help = last_seen(system, outcome), "{}: {what}", system.name))
}

/// What a run that went wrong showed last.
fn last_seen(system: &System, outcome: &Outcome) -> String {
    let lines = &outcome.lines;
    let mut text = String::new();
    let kernel = if lines.is_empty() {
        "nothing was printed: the kernel did not boot"
    } else if lines.iter().any(|line| line.contains("dropped to user space")) {
        "the kernel booted and started the root task"
    } else {
        "the kernel printed, but did not say that it started the root task"
    };
    let _ = write!(text, "{kernel}");
    let last = lines.iter().rev().find_map(|line| serial::speaker(line, &system.domains));
    match last {
        Some((_, name)) => {
            let _ = write!(text, "; the last to speak was {name}");
        }
        None if !lines.is_empty() => text.push_str("; no protection domain spoke"),
        None => {}
    }
    // What went wrong first is seldom what was printed last.
    let first = lines.iter().find(|line| line.contains("error: ") || line.starts_with("monitor: "));
    if let Some(first) = first {
        let _ = write!(text, "\nthe first error: {first}");
    }
    let shown = lines.len().saturating_sub(12);
    for line in &lines[shown..] {
        let _ = write!(text, "\n  | {line}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Expect;
    use std::time::Duration;

    const SYSTEM: &str = r#"<system><protection_domain name="guest_a" priority="1">
        <program_image path="guest.elf" /></protection_domain></system>"#;

    fn system() -> System {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("system.xml"), SYSTEM).unwrap();
        System { name: "demo".into(), ..System::load(Some(folder.path())).unwrap() }
    }

    fn judged(end: End, log: &str, expect: Expect) -> Result<String> {
        let lines = log.lines().map(str::to_owned).collect();
        let outcome = Outcome { end, lines, stderr: "said".into(), elapsed: Duration::from_secs(1) };
        judge(&system(), &Machine { expect, ..Machine::default() }, &outcome)
    }

    const GOOD: &str = "guest_a: ok\nioasid: 3 checks passed, 0 failed\n";

    #[test]
    fn a_good_run_is_good() {
        let verdict = judged(End::Guest(0), GOOD, Expect::default()).unwrap();
        assert_eq!(verdict, "ioasid: 3 checks passed, 0 failed");
    }

    #[test]
    fn everything_else_is_an_error_that_says_what() {
        for (end, log, said) in [
            (End::Guest(1), GOOD, "ended the run with 1"),
            (End::Guest(0), "guest_a: ok", "without its summary line"),
            (End::Guest(0), "ioasid: 3 checks passed, 0 failed\nmore", "without its summary line"),
            (End::Guest(0), "ioasid: 0 checks passed, 0 failed", "checked nothing"),
            (End::Guest(0), "ioasid: 3 checks passed, 2 failed", "2 of its checks failed"),
            (End::PoweredOff, GOOD, "reset or switched itself off"),
            (End::NeverStarted, "", "QEMU did not start: said"),
            (End::Signal(11), GOOD, "signal 11"),
            (End::Status(2), GOOD, "status 2"),
            (End::TimedOut, GOOD, "no end after 60 s"),
            (End::LogTooLong, GOOD, "without bound"),
            (End::Stopped, "monitor: stopped", "ended at: monitor: stopped"),
        ] {
            let error = judged(end, log, Expect::default()).unwrap_err();
            assert!(error.to_string().contains(said), "{end:?} {log}: {error}");
        }
    }

    #[test]
    fn a_machine_may_expect_another_end() {
        let expect = Expect { summary: false, exit: 2, ..Expect::default() };
        assert!(judged(End::Guest(2), "monitor: fault", expect.clone()).is_ok());
        assert!(judged(End::Guest(0), "monitor: fault", expect).is_err());
    }

    #[test]
    fn what_was_last_seen_is_told() {
        let log = "Booting all finished, dropped to user space\nguest_a: error: no unit\nguest_a: error: lost\nhalf";
        let error = judged(End::TimedOut, log, Expect::default()).unwrap_err();
        let help = error.help().unwrap().to_string();
        assert!(
            help.starts_with("the kernel booted and started the root task; the last to speak was guest_a")
        );
        assert!(help.contains("\nthe first error: guest_a: error: no unit\n"), "{help}");
        assert!(help.ends_with("| half"), "{help}");
        let error = judged(End::TimedOut, "", Expect::default()).unwrap_err();
        assert_eq!(error.help().unwrap().to_string(), "nothing was printed: the kernel did not boot");
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! The steps that boot: the reference system, every folder of `tests/system` with a system.xml, and variants.
//!
//! A system is judged by its summary line and exit value ([`crate::machine`]) and, where there is an `expect.txt`
//! beside its system.xml, by the lines of its log. Where it has a trace, the machine's memory is a file, and what the
//! trace says of each set at the end must be what the log says.

use super::{Step, Tally};
use crate::build::{self, BuildArgs, Built, PdTarget};
use crate::emulator::{Emulator, QemuArgs};
use crate::machine::Machine;
use crate::progress::time;
use crate::qemu::Outcome;
use crate::run::judge;
use crate::serial;
use crate::setup::qemu72;
use crate::system::System;
use crate::trace::Files;
use crate::workspace;
use miette::{IntoDiagnostic as _, Result, WrapErr as _, miette};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use system_trace::History;

/// One boot, or two that must be alike, of one system.
#[derive(Clone)]
struct Case {
    /// What a filter chooses it by.
    name: String,
    folder: PathBuf,
    build: BuildArgs,
    qemu: QemuArgs,
    must: Must,
}

/// What a case must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Must {
    /// End as its machine expects.
    Hold,
    /// Not end as its machine expects.
    Fail,
    /// Not end as its machine expects, and print a line with these words.
    FailWith(&'static str),
    /// Hold, and print the very same in a second run.
    Repeat,
}

/// One step for each case; boots are in `qemu` or the one on PATH, and on the Microkit SDK in `sdk` where one is given.
pub fn steps(qemu: Option<&Path>, sdk: Option<&Path>) -> Result<Vec<Step<'static>>> {
    let step = |case: Case| Step {
        name: case.name.clone(),
        run: Box::new(move || Tally::of(run(&case))),
        parallel: true,
    };
    let mut steps: Vec<_> = cases(&folders()?, qemu, sdk)?.into_iter().map(step).collect();
    if sdk.is_none() {
        let remark = "left out: MICROKIT_SDK names no Microkit SDK";
        let run = || Tally { remark: remark.into(), ..Tally::default() };
        steps.push(Step { name: "system/sdk".into(), run: Box::new(run), parallel: true });
    }
    Ok(steps)
}

/// The folders with systems, the reference system's first.
fn folders() -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    let tests = workspace::root().join("tests/system");
    if tests.is_dir() {
        for entry in std::fs::read_dir(&tests).into_diagnostic()? {
            folders.push(entry.into_diagnostic()?.path());
        }
    }
    folders.sort();
    folders.insert(0, workspace::root().to_owned());
    folders.retain(|folder| folder.join("system.xml").is_file());
    Ok(folders)
}

fn cases(folders: &[PathBuf], qemu: Option<&Path>, sdk: Option<&Path>) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (index, folder) in folders.iter().enumerate() {
        let name = match folder.strip_prefix(workspace::root().join("tests/system")) {
            Ok(inside) => format!("system/{}", inside.display()),
            Err(_) => "system/reference".to_owned(),
        };
        let build = BuildArgs { quiet: true, ..BuildArgs::default() };
        let plain = Case {
            name,
            folder: folder.clone(),
            build,
            qemu: QemuArgs { qemu: qemu.map(Path::to_owned), ..QemuArgs::default() },
            must: Must::Hold,
        };
        let machine = Machine::load(folder)?;
        // Nothing but instructions makes time pass in Bochs, so its runs are alike; and one boot there is a long one.
        let plain = if machine.bochs { Case { must: Must::Repeat, ..plain } } else { plain };
        let variant = |what: &str| Case { name: format!("{}@{what}", plain.name), ..plain.clone() };
        if let Some(sdk) = sdk.filter(|_| machine.sdk) {
            let build = BuildArgs { sdk: Some(sdk.to_owned()), ..plain.build.clone() };
            cases.push(Case { build, ..variant("sdk") });
        }
        for patch in machine.expect.fails_without {
            let without = variant(&format!("without-{patch}"));
            let (patch, pd_target) = match patch.strip_suffix("@host") {
                Some(patch) => (patch.to_owned(), Some(PdTarget::Host)),
                None => (patch, None),
            };
            let build = BuildArgs { without_patch: Some(patch), pd_target, ..without.build.clone() };
            cases.push(Case { build, must: Must::Fail, ..without });
        }
        if index == 0 {
            // One system stands for all where the variant is not about what it does.
            cases.push(Case { must: Must::Repeat, ..variant("same-log") });
            let must = Must::FailWith("the service does not start: no DMAR table");
            let no_vtd = variant("no-vtd");
            let without = QemuArgs { no_vtd: true, ..no_vtd.qemu.clone() };
            cases.push(Case { qemu: without, must, ..no_vtd });
            let host = variant("host-target");
            let build = BuildArgs { pd_target: Some(PdTarget::Host), ..host.build.clone() };
            cases.push(Case { build, ..host });
            if qemu.is_none() && qemu72::offered() {
                let old = QemuArgs { qemu: Some("7.2".into()), ..QemuArgs::default() };
                cases.push(Case { qemu: old, ..variant("qemu-7.2") });
            }
        }
        cases.push(plain);
    }
    Ok(cases)
}

fn run(case: &Case) -> Result<String> {
    let mut machine = Machine::load(&case.folder)?;
    machine.vtd &= !case.qemu.no_vtd;
    if case.build.sdk.is_some() {
        // Its kernel and its initialiser take several times as long to boot as the embedded default's.
        machine.timeout_s *= 3;
    }
    let built = build::build(System::load(Some(&case.folder))?, &case.build)?;
    let emulator = Emulator::find(&machine, &case.qemu)?;
    let log = format!("{}.log", case.name.replace('/', "-"));
    let expected = expected(&case.folder)?;
    let mut watch = |line: &str| match case.must {
        Must::Fail if has_failed(line, &expected) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    // Bochs keeps its memory to itself, and what must fail leaves no trace to the end.
    let traced = (!machine.bochs && matches!(case.must, Must::Hold | Must::Repeat))
        .then(|| Files::find(&built.system))
        .transpose()?
        .flatten()
        .map(|files| files.beside(&built.log(&log)));
    machine.memory_file = traced.as_ref().map(|files| files.memory.clone());
    traced.iter().for_each(Files::clear);
    let outcome = emulator.boot(&machine, &built, &log, &mut watch)?;
    // Whether it is a file must make no difference to a second run.
    machine.memory_file = None;
    let verdict = judged(&built, &machine, &expected, &outcome).map_err(|error| {
        let log = workspace::display(&built.log(&log));
        error.wrap_err(format!("the serial log is in {log}"))
    });
    let told = || traced.as_ref().map_or(Ok(String::new()), |files| traced_well(files, &outcome.lines));
    match case.must {
        Must::Hold => Ok(format!("{}{}", verdict?, told()?)),
        Must::Fail | Must::FailWith(_) => {
            let Err(error) = verdict else {
                return Err(miette!("{}: was expected to go wrong, but: {}", case.name, verdict?));
            };
            match case.must {
                Must::FailWith(words) if !outcome.lines.iter().any(|line| line.contains(words)) => {
                    Err(error.wrap_err(format!("{}: does not say `{words}`", case.name)))
                }
                Must::FailWith(words) => Ok(format!("said: {words}")),
                _ => Ok(format!("went wrong as it must: {}", error.root_cause())),
            }
        }
        Must::Repeat => {
            verdict?;
            let told = told()?;
            let second = emulator.boot(&machine, &built, &format!("{log}.second"), &mut watch)?;
            same(&outcome.lines, &second.lines).map_err(|what| miette!("{}: {what}", case.name))?;
            let took = time(outcome.elapsed + second.elapsed);
            Ok(format!("{} lines twice in {took}{told}", second.lines.len()))
        }
    }
}

/// Whether what must fail has failed with this line, and need not run into the watchdog: a domain that the monitor
/// stopped stays stopped, unless that is what the system is to show, and so does a kernel that halted.
fn has_failed(line: &str, expected: &str) -> bool {
    line.starts_with("monitor: ") && !expected.contains("monitor: ")
        || line.starts_with("halting...")
        || line.contains("FAIL")
}

/// The lines that the log must have, where the system has a list of them.
fn expected(folder: &Path) -> Result<String> {
    let file = folder.join("expect.txt");
    if !file.is_file() {
        return Ok(String::new());
    }
    std::fs::read_to_string(&file).into_diagnostic().wrap_err_with(|| workspace::display(&file))
}

/// Whether the trace of a run says of each set what the log says at its end.
fn traced_well(files: &Files, lines: &[String]) -> Result<String> {
    files.keep()?;
    let snapshot = files.read()?;
    let trace = snapshot.trace().into_diagnostic()?;
    let history = History::of(&trace, snapshot.written_since());
    for set in history.sets.iter().filter(|set| set.steps.iter().any(|step| step.limit > 0)) {
        let share = set.share.ok_or_else(|| miette!("the trace does not say what {} has", set.name))?;
        let numbers = [share.reservation, share.limit, share.used, share.peak].map(u64::from);
        let row: Vec<_> =
            numbers.into_iter().chain([share.faults]).map(|number| number.to_string()).collect();
        let says = |line: &String| {
            let said: Vec<_> = line.split_whitespace().collect();
            said.iter().position(|&word| word == set.name).is_some_and(|at| said[at + 1..] == row)
        };
        if !lines.iter().any(says) {
            return Err(miette!("the log has no line `{} {}`, as in the trace", set.name, row.join(" ")));
        }
    }
    // Each life's count begins a new one, and none is left out.
    if let Some(pair) = history.lives.windows(2).find(|pair| pair[1].epoch != pair[0].epoch + 1) {
        return Err(miette!("in the trace life {} comes behind life {}", pair[1].epoch, pair[0].epoch));
    }
    let faults = history.devices.iter().map(|device| device.faults).sum::<u64>();
    let (events, lives) = (history.entries.len(), history.lives.len());
    Ok(format!(", {events} events, {faults} faults in its trace of lives: {lives}"))
}

fn judged(built: &Built, machine: &Machine, expected: &str, outcome: &Outcome) -> Result<String> {
    let verdict = judge(&built.system, machine, outcome)?;
    match serial::first_missing(expected, &outcome.lines) {
        Some(line) => Err(miette!("expect.txt: the serial log does not show, in its place: {line}")),
        None => Ok(verdict),
    }
}

/// Whether two logs are the same; otherwise the first line that differs.
fn same(first: &[String], second: &[String]) -> Result<(), String> {
    if first == second {
        return Ok(());
    }
    let at = first.iter().zip(second).position(|(a, b)| a != b).unwrap_or(first.len().min(second.len()));
    let line = |log: &[String]| log.get(at).map_or("(the end)", String::as_str).to_owned();
    Err(format!("two runs differ in line {}:\n  {}\n  {}", at + 1, line(first), line(second)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_compared_line_by_line() {
        let log = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>();
        assert_eq!(same(&log(&["a", "b"]), &log(&["a", "b"])), Ok(()));
        let differs = same(&log(&["a", "b"]), &log(&["a", "c"])).unwrap_err();
        assert_eq!(differs, "two runs differ in line 2:\n  b\n  c");
        let shorter = same(&log(&["a", "b"]), &log(&["a"])).unwrap_err();
        assert!(shorter.ends_with("b\n  (the end)"));
    }

    #[test]
    fn what_must_fail_has_failed_with_the_first_sign_that_is_no_part_of_it() {
        let stopped = "monitor: protection domain 'deep' stopped: page fault";
        assert!(has_failed(stopped, ""));
        assert!(!has_failed(stopped, "monitor: protection domain 'deep' stopped"));
        assert!(has_failed("halting...", "monitor: ") && has_failed("FAIL: a check", "monitor: "));
        assert!(!has_failed("ok: a check", ""));
    }

    #[test]
    fn a_system_brings_its_variants() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("machine.toml"),
            "[expect]\nfails_without = ['frame-unmap', 'exit-cr0@host']\n",
        )
        .unwrap();
        let cases =
            cases(&[folder.path().to_owned()], Some("/some/qemu".as_ref()), Some("/sdk".as_ref())).unwrap();
        let named: Vec<_> = cases.iter().map(|case| (case.name.as_str(), case.must)).collect();
        assert_eq!(
            named,
            [
                ("system/reference@sdk", Must::Hold),
                ("system/reference@without-frame-unmap", Must::Fail),
                ("system/reference@without-exit-cr0@host", Must::Fail),
                ("system/reference@same-log", Must::Repeat),
                ("system/reference@no-vtd", Must::FailWith("the service does not start: no DMAR table")),
                ("system/reference@host-target", Must::Hold),
                ("system/reference", Must::Hold),
            ]
        );
        let without = |case: &Case| (case.build.without_patch.clone().unwrap(), case.build.pd_target);
        assert_eq!(without(&cases[1]), ("frame-unmap".into(), None));
        assert_eq!(without(&cases[2]), ("exit-cr0".into(), Some(PdTarget::Host)));
    }
}

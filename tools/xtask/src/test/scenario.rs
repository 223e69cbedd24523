// SPDX-License-Identifier: BSD-2-Clause
//! The steps that boot: the reference system, and every folder of `tests/system` with a system.xml.

use super::{Step, Tally};
use crate::build::{self, BuildArgs, Built};
use crate::machine::Machine;
use crate::qemu::Qemu;
use crate::run::{boot, judge};
use crate::serial;
use crate::system::System;
use crate::workspace;
use miette::{IntoDiagnostic as _, Result, miette};
use std::path::{Path, PathBuf};

/// What all booting steps share.
pub struct Context {
    qemu: Option<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Context {
    /// Finds the systems; boots will be in `qemu` or the one on PATH.
    pub fn new(qemu: Option<&Path>) -> Result<Self> {
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
        Ok(Self { qemu: qemu.map(Path::to_owned), folders })
    }

    fn qemu(&self) -> Result<Qemu> {
        Qemu::find(self.qemu.as_deref())
    }
}

/// One step a system.
pub fn steps(context: &Context) -> Result<Vec<Step<'_>>> {
    let steps = context.folders.iter().map(|folder| {
        let name = match folder.strip_prefix(workspace::root().join("tests/system")) {
            Ok(inside) => format!("system/{}", inside.display()),
            Err(_) => "system/reference".to_owned(),
        };
        Step { name, run: Box::new(move || Tally::of(scenario(context, folder))), parallel: true }
    });
    Ok(steps.collect())
}

/// Builds and boots the system in `folder` and judges its log.
fn scenario(context: &Context, folder: &Path) -> Result<String> {
    let machine = Machine::load(folder)?;
    let built = build::build(System::load(Some(folder))?, &BuildArgs::default())?;
    let outcome = boot(&context.qemu()?, &machine, &built, true, "test.log", &mut |_| {})?;
    let verdict = judge(&built.system, &machine, &outcome)?;
    expected_lines(&built, folder, &outcome.lines)?;
    Ok(verdict)
}

/// Holds the log against `expect.txt`, where there is one.
fn expected_lines(built: &Built, folder: &Path, lines: &[String]) -> Result<()> {
    let file = folder.join("expect.txt");
    if !file.is_file() {
        return Ok(());
    }
    let expected = std::fs::read_to_string(&file).into_diagnostic()?;
    match serial::first_missing(&expected, lines) {
        None => Ok(()),
        Some(line) => Err(miette!(
            help = format!("the log is in {}", workspace::display(&built.log("test.log"))),
            "{}: the serial log does not show, in its place: {line}",
            built.system.name
        )),
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! A run in Bochs, with the outcome that a run in QEMU has.

use crate::build::Built;
use crate::machine::Machine;
use crate::qemu::{End, Outcome};
use crate::serial::{Lines, Summary};
use microkit_bochs::Bochs;
use miette::{IntoDiagnostic as _, Report, Result};
use std::ops::ControlFlow;

/// Boots a built system once. The serial log is copied to `log`; the rest of the run lies in a folder of its own beside
/// it.
///
/// A run ends with its summary line: there is no debug exit port.
pub fn boot(
    bochs: &Bochs,
    machine: &Machine,
    built: &Built,
    log: &str,
    on_line: &mut dyn FnMut(&str) -> ControlFlow<()>,
) -> Result<Outcome> {
    let image = &built.image;
    let (kernel, root) = (image.folder.join(&image.kernel), image.folder.join(&image.module));
    let folder = built.log(log).with_extension("bochs");
    let (mut lines, mut seen) = (Lines::default(), Vec::new());
    let mut watch = |bytes: &[u8]| {
        let mut flow = ControlFlow::Continue(());
        lines.push(bytes, |line| {
            if on_line(&line).is_break() || Summary::parse(&line).is_some() {
                flow = ControlFlow::Break(());
            }
            seen.push(line);
        });
        flow
    };
    let run = bochs
        .boot(
            &microkit_bochs::Machine::default(),
            &kernel,
            &root,
            &folder,
            microkit_bochs::Limits::seconds(machine.timeout_s),
            &mut watch,
        )
        .map_err(Report::from_err)?;
    seen.extend(lines.finish());
    std::fs::copy(&run.serial_log, built.log(log)).into_diagnostic()?;
    let summary = seen.iter().any(|line| Summary::parse(line).is_some());
    let mut said = String::new();
    let end = match run.end {
        microkit_bochs::End::Stopped if !summary => End::Stopped,
        microkit_bochs::End::Stopped | microkit_bochs::End::Shutdown | microkit_bochs::End::Break => {
            End::Guest(machine.expect.exit)
        }
        microkit_bochs::End::TripleFault => End::PoweredOff,
        microkit_bochs::End::TimedOut => End::TimedOut,
        microkit_bochs::End::LogTooLong => End::LogTooLong,
        microkit_bochs::End::Failed(what) => {
            said = what;
            End::Status(1)
        }
    };
    Ok(Outcome { end, lines: seen, stderr: said, elapsed: run.elapsed })
}

// SPDX-License-Identifier: BSD-2-Clause
//! The steps that build as somebody else's project does: an example's own Makefile, with the fragment `ioasid.mk`, on
//! the embedded default laid out as an SDK, and on the Microkit SDK where one is given.

use super::{Step, Tally};
use crate::serial::Summary;
use crate::{export, workspace};
use miette::{IntoDiagnostic as _, Result, miette};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Host seconds for an example's build and run.
const TIMEOUT_S: &str = "300";

/// A step for each platform.
pub fn steps(sdk: Option<&Path>) -> Vec<Step<'static>> {
    let step = |name: &str, sdk: Option<PathBuf>| Step {
        name: format!("example/{name}"),
        run: Box::new(move || Tally::of(copier(sdk.as_deref()))),
        parallel: false,
    };
    let mut steps = vec![step("copier", None)];
    steps.extend(sdk.map(|sdk| step("copier@sdk", Some(sdk.to_owned()))));
    steps
}

fn copier(sdk: Option<&Path>) -> Result<String> {
    let output = workspace::output().join("copier");
    let (sdk, variant) = match sdk {
        Some(sdk) => (std::path::absolute(sdk).into_diagnostic()?, "sdk"),
        None => {
            let folder = workspace::output().join("stand-in");
            export::layout(&folder)?;
            (folder, "embedded")
        }
    };
    run("copier", &output.join(variant), &sdk, &[])
}

/// Runs `make run` in the folder of `example`.
fn run(example: &str, build: &Path, sdk: &Path, variables: &[String]) -> Result<String> {
    let assign = |name: &str, path: &Path| format!("{name}={}", path.display());
    let mut make = Command::new("timeout");
    make.args([TIMEOUT_S, "make", "run"]).current_dir(workspace::root().join("examples").join(example));
    make.args([assign("BUILD_DIR", build), assign("MICROKIT_SDK", sdk)]).args(variables);
    let output = make.output().into_diagnostic()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let last = said.lines().last().unwrap_or_default();
    match Summary::parse(last) {
        Some(summary) if output.status.success() && summary.failed == 0 && summary.passed > 0 => {
            Ok(summary.to_string())
        }
        _ => Err(miette!("{make:?}: {}\n{said}\n{}", output.status, String::from_utf8_lossy(&output.stderr))),
    }
}

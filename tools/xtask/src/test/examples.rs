// SPDX-License-Identifier: BSD-2-Clause
//! The steps that build as somebody else's project does: an example's own Makefile, with the fragment `ioasid.mk`, on
//! the embedded default laid out as an SDK, and on the Microkit SDK where one is given.

use super::{Step, Tally};
use crate::serial::Summary;
use crate::{export, workspace};
use microkit_sdk::Sdk;
use miette::{IntoDiagnostic as _, Report, Result, miette};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Host seconds for an example's build and run.
const TIMEOUT_S: &str = "300";

/// The release of sdfgen that the adaptor is tested with.
const SDFGEN: &str = "sdfgen==0.35.1";

/// A step for each platform, and one for the system as sdfgen makes it.
pub fn steps(sdk: Option<&Path>) -> Vec<Step<'static>> {
    let step = |name: &str, run: Box<dyn FnOnce() -> Tally + Send>| Step {
        name: format!("example/{name}"),
        run,
        parallel: false,
    };
    let mut steps = vec![
        step("copier", Box::new(|| Tally::of(copier(None)))),
        step("copier@rust", Box::new(|| Tally::of(in_rust(None)))),
        step("copier@sdfgen", Box::new(sdfgen)),
    ];
    if let Some(sdk) = sdk.map(Path::to_owned) {
        let other = sdk.clone();
        steps.push(step("copier@sdk", Box::new(move || Tally::of(copier(Some(&sdk))))));
        steps.push(step("copier@rust-sdk", Box::new(move || Tally::of(in_rust(Some(&other))))));
    }
    steps
}

fn copier(sdk: Option<&Path>) -> Result<String> {
    let (sdk, variant) = platform(sdk)?;
    run("copier", &workspace::output().join("copier").join(variant), &sdk, &[])
}

/// With its client in Rust, out of a folder that has nothing to do with this workspace.
fn in_rust(sdk: Option<&Path>) -> Result<String> {
    let (sdk, variant) = platform(sdk)?;
    let outside = std::env::temp_dir().join(format!("copier-{}", std::process::id()));
    let manifest = outside.join("Cargo.toml");
    let example = workspace::root().join("examples/copier/rust");
    let said = std::fs::read_to_string(example.join("Cargo.toml")).into_diagnostic()?;
    let ours = format!("{}/", workspace::root().display());
    workspace::copy(&example.join("main.rs"), &outside.join("main.rs"))?;
    workspace::write(&manifest, said.replace("../../../", &ours).as_bytes())?;
    let build = workspace::output().join("copier").join(format!("{variant}-rust"));
    let ran = run("copier", &build, &sdk, &[format!("COPIER={}", manifest.display())]);
    let files: Vec<_> = std::fs::read_dir(&outside).into_diagnostic()?.collect();
    std::fs::remove_dir_all(&outside).into_diagnostic()?;
    match files.len() {
        2 => ran,
        _ => Err(miette!("the build writes in a folder that is not its own: {files:?}")),
    }
}

/// The SDK to build with, and the folder's name of what it makes.
fn platform(sdk: Option<&Path>) -> Result<(PathBuf, String)> {
    match sdk {
        Some(sdk) => {
            let version = Sdk::open(sdk).map_err(Report::new)?.release().version;
            Ok((std::path::absolute(sdk).into_diagnostic()?, format!("sdk-{version}")))
        }
        None => Ok((stand_in()?, "embedded".to_owned())),
    }
}

/// The embedded default, laid out as an SDK.
fn stand_in() -> Result<PathBuf> {
    let folder = workspace::output().join("stand-in");
    export::layout(&folder)?;
    Ok(folder)
}

/// The example's system as sdfgen makes it with this project's adaptor, and the adaptor's own tests.
fn sdfgen() -> Tally {
    let venv = workspace::output().join("sdfgen");
    let python = venv.join("bin/python");
    let there = "import importlib.metadata as m; assert 'sdfgen==' + m.version('sdfgen') == '{}'";
    let install = || -> Result<(), String> {
        if quietly(Command::new(&python).args(["-c", &there.replace("{}", SDFGEN)])).is_ok() {
            return Ok(());
        }
        quietly(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        quietly(Command::new(&python).args(["-m", "pip", "install", "--quiet", SDFGEN]))
    };
    if let Err(why) = install() {
        let why = why.lines().last().unwrap_or_default().to_owned();
        return Tally { remark: format!("left out: {SDFGEN} cannot be had: {why}"), ..Tally::default() };
    }
    Tally::of(with_sdfgen(&python))
}

fn with_sdfgen(python: &Path) -> Result<String> {
    let build = workspace::output().join("copier/sdfgen");
    std::fs::create_dir_all(&build).into_diagnostic()?;
    let python = || {
        let mut command = Command::new(python);
        command.arg("-B");
        command
    };
    let tests = workspace::root().join("tools/sdfgen");
    quietly(python().args(["-m", "unittest"]).current_dir(tests)).map_err(|why| miette!("{why}"))?;
    let system = workspace::root().join("examples/copier/system.py");
    quietly(python().arg(system).arg(&build)).map_err(|why| miette!("{why}"))?;
    let variable = |name: &str, file: &str| format!("{name}={}", build.join(file).display());
    let variables = [variable("SYSTEM", "system.xml"), variable("IOASID_TOML", "ioasid.toml")];
    run("copier", &build, &stand_in()?, &variables)
}

/// Runs a command that has nothing to say; what it says where it fails.
fn quietly(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    output.status.success().then_some(()).ok_or_else(|| said.trim().to_owned())
}

/// Runs `make run` in the folder of `example`.
fn run(example: &str, build: &Path, sdk: &Path, variables: &[String]) -> Result<String> {
    let assign = |name: &str, path: &Path| format!("{name}={}", path.display());
    let mut make = Command::new("timeout");
    make.args([TIMEOUT_S, "make", "run", "MICROKIT_CONFIG=debug"])
        .current_dir(workspace::root().join("examples").join(example));
    // Under another make it would say that it is one of several.
    for variable in ["MAKEFLAGS", "MAKELEVEL", "MFLAGS"] {
        make.env_remove(variable);
    }
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

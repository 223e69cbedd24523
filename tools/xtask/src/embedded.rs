// SPDX-License-Identifier: BSD-2-Clause
//! The embedded default: kernel, programs and initialiser built here, packed into one root task.

use crate::build::{BuildArgs, Program};
use crate::progress::{note, time};
use crate::qemu::Image;
use crate::setup::HOST_TARGET;
use crate::system::System;
use crate::workspace::{self, Packages};
use microkit_kernel::{Config, Error, Kernel, Source};
use microkit_packer::{PackError, Packed};
use microkit_sdk::{Configuration, Outside};
use miette::{IntoDiagnostic as _, Report, Result, WrapErr as _, miette};
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The program that builds every object of the packed system.
pub const INITIALISER: &str = "initialiser.elf";
/// The profile of programs for a debug kernel.
pub const DEBUG_PROFILE: &str = "checked";
/// QEMU's processor: what the kernel is configured for.
const CPU: &str = "qemu64,+fsgsbase,+pdpe1gb";

/// The folder's name of what `args` make.
pub fn variant(args: &BuildArgs) -> String {
    let host = if args.target() == HOST_TARGET { "-host" } else { "" };
    let without = args.without_patch.as_ref().map(|patch| format!("-without-{patch}")).unwrap_or_default();
    format!("{}{host}{without}", args.config)
}

/// Builds `system` into `folder`. Also gives what there is to say: where the meaning of system.xml is weaker on this
/// kernel.
pub fn build(
    system: &System,
    mut programs: Vec<Program>,
    args: &BuildArgs,
    folder: PathBuf,
) -> Result<(Image, Vec<String>)> {
    programs.push(Program::find(INITIALISER, &Packages::load()?)?);
    let kernel = kernel(args)?;
    compile(&programs, args)?;
    for program in &programs {
        workspace::copy(&self::programs(args).join(&program.name), &folder.join(&program.image))?;
    }
    let packed = pack(system, &folder)?;
    workspace::replace(&folder.join("root.elf"), &packed.root)?;
    workspace::replace(&folder.join("report.txt"), packed.report.as_bytes())?;
    workspace::copy(&kernel.elf32, &folder.join("kernel32.elf"))?;
    // The kernel prints its command line, which holds its path as QEMU was given it: bare names in the image's folder
    // make logs the same wherever the workspace lies.
    let (kernel, module) = ("kernel32.elf", "root.elf");
    let arguments = ["-accel", "tcg", "-cpu", CPU, "-kernel", kernel, "-initrd", module];
    let arguments = arguments.map(Into::into).into();
    Ok((Image { folder, kernel: kernel.into(), module: module.into(), arguments }, packed.notes))
}

/// The profile that programs are built with: for a debug kernel one with the checks that a release leaves out
/// (embedded.toml).
fn profile(args: &BuildArgs) -> &'static str {
    match args.config {
        Configuration::Debug => DEBUG_PROFILE,
        Configuration::Release | Configuration::Benchmark => "release",
    }
}

/// The folder where Cargo leaves programs for seL4.
pub fn programs(args: &BuildArgs) -> PathBuf {
    workspace::target().join(args.target()).join(profile(args))
}

/// Builds the kernel, or finds it built.
pub fn kernel(args: &BuildArgs) -> Result<Kernel> {
    let config = match args.config {
        Configuration::Debug => Config::debug(),
        Configuration::Release => Config::release(),
        Configuration::Benchmark => {
            let help = "MICROKIT_SDK=DIR names an SDK that has it; release is the nearest to it here";
            return Err(miette!(help = help, "the embedded default has no benchmark configuration"));
        }
    };
    let config = args.without_patch.iter().fold(config, |config, patch| config.without(patch));
    // Systems that are built side by side want the same kernel, and its source need be checked only once.
    static CHECKED: Mutex<Option<Source>> = Mutex::new(None);
    let mut checked = CHECKED.lock().unwrap_or_else(PoisonError::into_inner);
    let source = match checked.take() {
        Some(source) => source,
        None => Source::locate(workspace::root()).map_err(plain)?,
    };
    // The first line says what is built; the rest would be of interest only if it took longer than it does.
    let mut first = true;
    let progress = |line: &str| {
        if std::mem::take(&mut first) {
            note(line);
        }
    };
    let folder = workspace::output().join("kernel");
    microkit_kernel::build(checked.insert(source), &config, &folder, progress).map_err(plain)
}

fn plain(error: Error) -> miette::Report {
    match error {
        Error::MissingTool { .. } => miette!(help = "`cargo xtask setup` installs it", "{error}"),
        _ => miette!("{error}"),
    }
}

/// A `cargo build` for seL4.
fn cargo(args: &BuildArgs) -> Command {
    let mut cargo = workspace::cargo("build");
    cargo.arg("--config").arg(workspace::root().join("tools/microkit/embedded.toml"));
    cargo.args(["--profile", profile(args), "--target", args.target()]);
    if args.quiet || !io::stderr().is_terminal() {
        cargo.arg("--quiet");
    }
    cargo
}

/// Compiles `package`, a library for C, and says where it is.
pub fn library(package: &str, args: &BuildArgs) -> Result<PathBuf> {
    workspace::run(cargo(args).args(["--package", package]))?;
    Ok(programs(args).join("libmicrokit.a"))
}

/// Compiles all programs in one go.
pub fn compile(programs: &[Program], args: &BuildArgs) -> Result<()> {
    let target = args.target();
    let mut cargo = cargo(args);
    for program in programs {
        cargo.args(["--package", &program.package, "--bin", &program.name]);
    }
    // Systems that are built side by side would wait for Cargo's lock.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    let start = Instant::now();
    workspace::run(&mut cargo)?;
    if !args.quiet && start.elapsed() > Duration::from_secs(1) {
        note(&format!("compiled {} programs for {target} in {}", programs.len(), time(start.elapsed())));
    }
    Ok(())
}

/// Compiles programs of a package outside of this workspace, as [`compile`] does this one's, and says in which folder
/// they are.
pub fn compile_outside(outside: &Outside, programs: &[Program], args: &BuildArgs) -> Result<PathBuf> {
    let target = workspace::target().join("outside");
    let lock = microkit_sdk::prepare_lock(workspace::root(), None, Some(outside), &target);
    let lock = lock.map_err(Report::new)?;
    let mut cargo = cargo(args);
    cargo.arg("--manifest-path").arg(&outside.manifest).arg("--target-dir").arg(&target);
    // TOML literal strings take paths as they are.
    let patched = workspace::patches()?;
    let patched = patched.iter().map(|(name, folder)| (format!("patch.crates-io.{name}.path"), folder));
    for (key, path) in patched.chain([("resolver.lockfile-path".to_owned(), &lock)]) {
        cargo.arg("--config").arg(format!("{key}='{}'", path.display()));
    }
    // A lock file elsewhere is not stable in Cargo yet. And the host's target would unwind where nothing is said.
    cargo.args(["--config", "unstable.lockfile-path=true", "--config", "profile.release.panic='abort'"]);
    cargo.env("RUSTC_BOOTSTRAP", "1");
    for program in programs {
        cargo.args(["--package", &program.package, "--bin", &program.name]);
    }
    workspace::run(&mut cargo)?;
    Ok(target.join(args.target()).join(profile(args)))
}

/// Packs `system`, whose programs are in `folder`.
fn pack(system: &System, folder: &Path) -> Result<Packed> {
    // What was made for this image comes before what lies beside system.xml.
    let find = |name: &str| {
        let places = [folder, &system.folder].map(|place| place.join(name));
        places.into_iter().find(|path| path.is_file()).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    };
    let length = |name: &str| Ok(find(name)?.metadata()?.len());
    let sdf = system.description(&length)?;
    let initialiser = std::fs::read(folder.join(INITIALISER)).into_diagnostic();
    let initialiser = initialiser.wrap_err("cannot read the initialiser")?;
    microkit_packer::pack(&sdf, &|name| std::fs::read(find(name)?), &initialiser).map_err(|error| match error
    {
        PackError::System(errors) => errors.report(),
        PackError::Initialiser(_) => miette!("{error}"),
    })
}

// SPDX-License-Identifier: BSD-2-Clause
//! `cargo xtask build`: kernel, protection domains, initialiser, image.
//!
//! The program images that system.xml names are programs of this workspace: `guest.elf` is what the package with the
//! program `guest` builds. Everything ends in `target/ioasid/<system>/<configuration>/`.

use crate::blobs;
use crate::image::{self, Image};
use crate::kernel;
use crate::progress::{note, time};
use crate::setup::{self, HOST_TARGET, PD_TARGET};
use crate::system::System;
use crate::workspace::{self, Packages};
use microkit_kernel::Config;
use miette::{IntoDiagnostic as _, Result, WrapErr as _, miette};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The program that builds every object of the packed system.
const INITIALISER: &str = "initialiser";

/// Options of `cargo xtask build`.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(
    after_help = "Example:\n  cargo xtask build\n  cargo xtask build --system tests/system/hello --pd-target host"
)]
pub struct Args {
    #[command(flatten)]
    build: BuildArgs,
}

/// Options of every command that builds a system.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct BuildArgs {
    /// Folder with the system.xml to build, instead of the reference system's
    #[arg(long, value_name = "DIR")]
    pub system: Option<PathBuf>,
    /// Kernel configuration
    #[arg(long, value_enum, default_value_t)]
    pub config: Configuration,
    /// Target of the protection domains; default: none where rustup has it
    #[arg(long, value_enum)]
    pub pd_target: Option<PdTarget>,
    /// Leave a named patch out of the kernel, to see what it is for
    #[arg(long, value_name = "PATCH")]
    pub without_patch: Option<String>,
    /// Nothing is said unless something is wrong.
    #[arg(skip)]
    pub quiet: bool,
}

impl BuildArgs {
    /// The folder's name of what these options make.
    fn variant(&self) -> String {
        let host = if self.target() == HOST_TARGET { "-host" } else { "" };
        let without =
            self.without_patch.as_ref().map(|patch| format!("-without-{patch}")).unwrap_or_default();
        format!("{}{host}{without}", self.config.name())
    }

    fn target(&self) -> &'static str {
        self.pd_target.map_or_else(setup::pd_target, PdTarget::triple)
    }

    fn kernel(&self) -> Config {
        let config = match self.config {
            Configuration::Debug => Config::debug(),
            Configuration::Release => Config::release(),
        };
        self.without_patch.iter().fold(config, |config, patch| config.without(patch))
    }
}

/// Kernel configuration, with Microkit's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Configuration {
    /// The kernel checks itself and prints
    #[default]
    Debug,
    /// The kernel as it would ship
    Release,
}

impl Configuration {
    fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

/// Target that protection domains are built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum PdTarget {
    /// x86_64-unknown-none
    None,
    /// x86_64-unknown-linux-gnu's core, without an operating system
    Host,
}

impl PdTarget {
    fn triple(self) -> &'static str {
        match self {
            Self::None => PD_TARGET,
            Self::Host => HOST_TARGET,
        }
    }
}

/// A system that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// What it was built from.
    pub system: System,
    /// What QEMU boots.
    pub image: Image,
}

impl Built {
    /// Where the serial log called `name` of this system is kept.
    pub fn log(&self, name: &str) -> PathBuf {
        self.system.output().join(name)
    }
}

/// Builds a system and says where its image is.
pub fn main(args: &Args) -> Result<()> {
    setup::ensure(None)?;
    let built = build(System::load(args.build.system.as_deref())?, &args.build)?;
    note(&format!("image: {}", workspace::display(&built.image.folder.join(built.image.root))));
    Ok(())
}

/// Builds `system` as `args` say.
pub fn build(system: System, args: &BuildArgs) -> Result<Built> {
    let programs = programs(&system, &Packages::load()?)?;
    let target = args.target();
    let folder = system.output().join(args.variant());
    std::fs::create_dir_all(&folder)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot write in {}", folder.display()))?;
    let kernel = kernel::build(&args.kernel())?;
    compile(&programs, target, args.quiet)?;
    for program in &programs {
        let from = workspace::target().join(target).join("release").join(&program.name);
        copy(&from, &folder.join(&program.image))?;
    }
    blobs::make(&system, &folder)?;
    let (image, notes) = image::make(&system, &kernel, &folder)?;
    if !args.quiet {
        notes.iter().for_each(|line| note(line));
    }
    Ok(Built { system, image })
}

/// A program of this workspace and the file that system.xml calls it by.
#[derive(Debug, PartialEq, Eq)]
struct Program {
    image: String,
    name: String,
    package: String,
}

/// Every program image of the system, and the initialiser.
fn programs(system: &System, packages: &Packages) -> Result<Vec<Program>> {
    let initialiser = format!("{INITIALISER}.elf");
    let images = system.images.iter().chain(std::iter::once(&initialiser));
    images
        .map(|image| program(image, packages).map_err(|error| error.wrap_err(system.name.clone())))
        .collect()
}

fn program(image: &str, packages: &Packages) -> Result<Program> {
    let name = Path::new(image).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let package = packages.of_program(&name).ok_or_else(|| {
        miette!(
            help = format!("programs there are: {}", packages.programs().collect::<Vec<_>>().join(", ")),
            "system.xml names the program image {image}, but no package of this workspace makes a program `{name}`"
        )
    })?;
    Ok(Program { image: image.to_owned(), package: package.to_owned(), name })
}

/// Compiles all programs in one go.
fn compile(programs: &[Program], target: &str, quiet: bool) -> Result<()> {
    let mut cargo = workspace::cargo("build");
    cargo.arg("--config").arg(workspace::root().join("tools/microkit/embedded.toml"));
    cargo.args(["--release", "--target", target]).args(quiet.then_some("--quiet"));
    for program in programs {
        cargo.args(["--package", &program.package, "--bin", &program.name]);
    }
    // Systems that are built side by side would wait for Cargo's lock.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    let start = Instant::now();
    workspace::run(&mut cargo)?;
    if !quiet && start.elapsed() > Duration::from_secs(1) {
        note(&format!("compiled {} programs for {target} in {}", programs.len(), time(start.elapsed())));
    }
    Ok(())
}

/// Copies a file to where it is needed.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).into_diagnostic()?;
    }
    std::fs::copy(from, to)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

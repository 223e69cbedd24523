// SPDX-License-Identifier: BSD-2-Clause
//! `cargo xtask build`: a system's programs and image, for one of the two platforms.
//!
//! The program images that system.xml names are programs of this workspace: `guest.elf` is what the package with the
//! program `guest` builds. Everything ends in `target/ioasid/<system>/<variant>/`.

use crate::progress::note;
use crate::qemu::Image;
use crate::setup::{self, HOST_TARGET, PD_TARGET};
use crate::system::System;
use crate::workspace::{self, Packages};
use crate::{blobs, embedded, sdk};
use microkit_sdk::{Configuration, Sdk};
use miette::{IntoDiagnostic as _, Report, Result, WrapErr as _, miette};
use std::path::{Path, PathBuf};

/// Options of `cargo xtask build`.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  cargo xtask build\n  cargo xtask build --system tests/system/ping --pd-target host"
)]
pub struct Args {
    #[command(flatten)]
    system: SystemArgs,
    #[command(flatten)]
    build: BuildArgs,
}

/// The option of every command that takes any system.
#[derive(clap::Args, Clone, Debug)]
pub struct SystemArgs {
    /// Folder with the system.xml to build, instead of the reference system's
    #[arg(long, value_name = "DIR")]
    system: Option<PathBuf>,
}

impl SystemArgs {
    /// Reads the system.
    pub fn load(&self) -> Result<System> {
        System::load(self.system.as_deref())
    }
}

/// Options of every command that builds a system.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct BuildArgs {
    /// Kernel configuration
    #[arg(long, value_enum, default_value_t, env = "MICROKIT_CONFIG")]
    pub config: Configuration,
    /// Folder of a Microkit SDK to build for, instead of the embedded default
    #[arg(long, value_name = "DIR", env = "MICROKIT_SDK", conflicts_with_all = ["pd_target", "without_patch"])]
    pub sdk: Option<PathBuf>,
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
    /// The target to build protection domains for.
    pub fn target(&self) -> &'static str {
        match self.pd_target {
            Some(PdTarget::None) => PD_TARGET,
            Some(PdTarget::Host) => HOST_TARGET,
            None => setup::pd_target(),
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
    let built = build(args.system.load()?, &args.build)?;
    note(&format!("the image is in {}", workspace::display(&built.image.folder)));
    Ok(())
}

/// Builds `system` as `args` say.
pub fn build(system: System, args: &BuildArgs) -> Result<Built> {
    let packages = Packages::load()?;
    let programs = system.images.iter().map(|image| Program::find(image, &packages));
    let programs =
        programs.collect::<Result<Vec<_>>>().map_err(|error| error.wrap_err(system.name.clone()))?;
    let sdk = args.sdk.as_deref().map(Sdk::open).transpose().map_err(Report::new)?;
    let variant = match &sdk {
        Some(sdk) => sdk::variant(sdk, args),
        None => embedded::variant(args),
    };
    let folder = system.output().join(variant);
    std::fs::create_dir_all(&folder)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot write in {}", folder.display()))?;
    blobs::make(&system, &folder)?;
    let (image, notes) = match &sdk {
        Some(sdk) => sdk::build(&system, programs, args, sdk, folder)?,
        None => embedded::build(&system, programs, args, folder)?,
    };
    if !args.quiet {
        notes.iter().for_each(|line| note(line));
    }
    Ok(Built { system, image })
}

/// A program of this workspace and the file that system.xml calls it by.
#[derive(Debug, PartialEq, Eq)]
pub struct Program {
    /// The file.
    pub image: String,
    /// The program.
    pub name: String,
    /// The package that makes it.
    pub package: String,
}

impl Program {
    /// The program whose file is called `image`.
    pub fn find(image: &str, packages: &Packages) -> Result<Self> {
        let name = Path::new(image).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let package = packages.of_program(&name).ok_or_else(|| {
            let place = match &packages.root {
                root if root == workspace::root() => "of this workspace".to_owned(),
                elsewhere => format!("in {}", elsewhere.display()),
            };
            miette!(
                help = format!("programs there are: {}", packages.programs().collect::<Vec<_>>().join(", ")),
                "{image} is asked for, but no package {place} makes a program `{name}`"
            )
        })?;
        Ok(Self { image: image.to_owned(), package: package.to_owned(), name })
    }
}

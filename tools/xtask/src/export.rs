// SPDX-License-Identifier: BSD-2-Clause
//! `cargo xtask export`: the embedded default, laid out as a Microkit SDK, for Makefiles that are made for one.
//!
//! ```text
//! VERSION                          says that it is no SDK but stands in its place
//! bin/microkit                     this workspace's packer, called as the SDK's tool
//! board/x86_64_generic/<debug|release>/
//!     include/microkit.h  lib/libmicrokit.a  lib/microkit.ld
//!     elf/sel4_32.elf     elf/initialiser.elf
//! ```

use crate::build::{BuildArgs, Program};
use crate::embedded;
use crate::progress::note;
use crate::setup;
use crate::workspace::{self, Packages};
use microkit_sdk::{BuildRequest, Configuration, Outside, Sdk};
use miette::{IntoDiagnostic as _, Report, Result, WrapErr as _};
use std::path::{Path, PathBuf};

/// What the file `VERSION` says in the place of a number.
const VERSION: &str = "embedded default";
/// The one board.
const BOARD: &str = "x86_64_generic";
/// The configurations that the embedded default has.
const CONFIGURATIONS: [Configuration; 2] = [Configuration::Debug, Configuration::Release];

/// Options of `cargo xtask export`.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  cargo xtask export target/sdk")]
pub struct Args {
    /// The folder to lay it out in
    folder: PathBuf,
}

/// Options of `cargo xtask compile`.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  cargo xtask compile --sdk ../microkit-sdk-2.3.0 --output build ioasid console\n  cargo xtask compile --sdk ../microkit-sdk-2.3.0 --output build --manifest-path ../driver/Cargo.toml driver"
)]
pub struct CompileArgs {
    /// Folder of a Microkit SDK, or of what `cargo xtask export` has laid out
    #[arg(long, value_name = "DIR", env = "MICROKIT_SDK")]
    sdk: PathBuf,
    /// Kernel configuration
    #[arg(long, value_enum, default_value_t, env = "MICROKIT_CONFIG")]
    config: Configuration,
    /// Folder for the programs
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Cargo.toml of the package outside of this workspace that makes the programs
    #[arg(long, value_name = "FILE")]
    manifest_path: Option<PathBuf>,
    /// Programs; each becomes OUTPUT/PROGRAM.elf
    #[arg(required = true)]
    programs: Vec<String>,
}

/// Lays the embedded default out in a folder.
pub fn main(args: &Args) -> Result<()> {
    setup::ensure(None)?;
    layout(&args.folder)?;
    note(&format!("MICROKIT_SDK={} names it", args.folder.display()));
    Ok(())
}

/// As [`main`], without a word.
pub fn layout(folder: &Path) -> Result<()> {
    let mut packer = workspace::cargo("build");
    workspace::run(packer.args(["--quiet", "--package", "microkit-packer"]))?;
    workspace::copy(&workspace::target().join("debug/microkit-packer"), &folder.join("bin/microkit"))?;
    let initialiser = [Program::find(embedded::INITIALISER, &Packages::load()?)?];
    let ours = workspace::root().join("tools/microkit/c");
    for config in CONFIGURATIONS {
        let args = BuildArgs { config, quiet: true, ..BuildArgs::default() };
        let board = folder.join("board").join(BOARD).join(config.name());
        let kernel = embedded::kernel(&args)?;
        embedded::compile(&initialiser, &args)?;
        let library = embedded::library("microkit-c-archive", &args)?;
        let programs = embedded::programs(&args);
        for (from, to) in [
            (&ours.join("include/microkit.h"), "include/microkit.h"),
            (&ours.join("microkit.ld"), "lib/microkit.ld"),
            (&library, "lib/libmicrokit.a"),
            (&programs.join("initialiser"), "elf/initialiser.elf"),
            (&kernel.elf32, "elf/sel4_32.elf"),
        ] {
            workspace::copy(from, &board.join(to))?;
        }
    }
    workspace::replace(&folder.join("VERSION"), format!("{VERSION}\n").as_bytes())
}

/// Compiles programs, of this workspace or of a package outside, for an image that others compose.
pub fn compile(args: &CompileArgs) -> Result<()> {
    let CompileArgs { sdk, config, output, manifest_path, programs } = args;
    let absolute = |path: &Path| std::path::absolute(path).into_diagnostic().wrap_err("the current folder");
    let manifest = manifest_path.as_deref().map(absolute).transpose()?;
    let packages = manifest.as_deref().map_or_else(Packages::load, Packages::of)?;
    let outside = manifest.map(|manifest| Outside { manifest, lock: packages.root.join("Cargo.lock") });
    let programs = programs.iter().map(|name| Program::find(&format!("{name}.elf"), &packages));
    let programs = programs.collect::<Result<Vec<_>>>()?;
    if std::fs::read_to_string(sdk.join("VERSION")).is_ok_and(|version| version.trim() == VERSION) {
        let args = BuildArgs { config: *config, quiet: true, ..BuildArgs::default() };
        let folder = match &outside {
            Some(outside) => embedded::compile_outside(outside, &programs, &args)?,
            None => {
                embedded::compile(&programs, &args)?;
                embedded::programs(&args)
            }
        };
        return programs.iter().try_for_each(|program| {
            workspace::copy(&folder.join(&program.name), &output.join(&program.image))
        });
    }
    // The build runs in the workspace's folder.
    let request = crate::sdk::request(programs, *config, absolute(output)?);
    let sdk = Sdk::open(sdk).map_err(Report::new)?;
    sdk.compile(&BuildRequest { outside, ..request }).map_err(Report::new)
}

// SPDX-License-Identifier: BSD-2-Clause
//! `cargo xtask bench`: starts the benchmark programs of this workspace, each of which prints its figures beside a
//! peer's or a null operation's of the same run.

use crate::progress::note;
use crate::workspace::{self, Packages};
use miette::{Result, miette};

/// A family of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Family {
    /// The registry: instructions and nanoseconds for each operation
    Core,
    /// The VT-d driver: submissions, descriptors and register accesses for each teardown
    Vtd,
}

impl Family {
    const ALL: [Self; 2] = [Self::Core, Self::Vtd];

    /// The program that prints the family.
    fn program(self) -> &'static str {
        match self {
            Self::Core => "bench-core",
            Self::Vtd => "bench-vtd",
        }
    }
}

/// Options of `cargo xtask bench`.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  cargo xtask bench\n  cargo xtask bench core")]
pub struct Args {
    /// Which figures; all that this tree has where none is named
    #[arg(value_enum)]
    family: Option<Family>,
}

/// Runs what was asked for.
pub fn main(args: &Args) -> Result<()> {
    let packages = Packages::load()?;
    let asked = args.family.map_or(Family::ALL.to_vec(), |family| vec![family]);
    let there: Vec<_> = asked
        .into_iter()
        .filter_map(|family| Some((family, packages.of_program(family.program())?)))
        .collect();
    if there.is_empty() {
        return Err(miette!("this tree has no such benchmark program"));
    }
    for (family, package) in there {
        note(&format!("{} figures", family.program()));
        let mut cargo = workspace::cargo("run");
        cargo.args(["--release", "--quiet", "--package", package, "--bin", family.program()]);
        workspace::run(&mut cargo)?;
    }
    Ok(())
}

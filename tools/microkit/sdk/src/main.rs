// SPDX-License-Identifier: BSD-2-Clause
//! `microkit-sdk`: the SDK leg for other build systems than this workspace's own, such as the Make fragment
//! `ioasid.mk` beside this program.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use microkit_sdk::{BuildRequest, Configuration, Program, Sdk};

#[derive(Parser)]
#[command(about = "Build protection domains and systems with a Microkit SDK")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Compile programs of this workspace, each to OUTPUT/<program>.elf
    #[command(after_help = "Example:\n  microkit-sdk compile --output build ioasid console")]
    Compile {
        #[command(flatten)]
        sdk: Choice,
        /// Folder for the programs
        #[arg(long, value_name = "DIR")]
        output: PathBuf,
        /// Programs: `package/program`, or one word where both are called alike
        #[arg(required = true)]
        programs: Vec<String>,
    },
    /// Compile programs and compose a system of them
    #[command(
        after_help = "Example:\n  microkit-sdk build --output build --system system.xml ioasid console"
    )]
    Build {
        #[command(flatten)]
        sdk: Choice,
        /// Folder for programs, image and report
        #[arg(long, value_name = "DIR")]
        output: PathBuf,
        /// The system description
        #[arg(long, value_name = "FILE")]
        system: PathBuf,
        /// Folders with what else the system description names
        #[arg(long, value_name = "DIR")]
        search_path: Vec<PathBuf>,
        /// Programs: `package/program`, or one word where both are called alike
        programs: Vec<String>,
    },
    /// Pin the packages that rust-sel4 needs, as a build with the SDK finds them
    Lock {
        #[command(flatten)]
        sdk: Choice,
    },
}

#[derive(Args)]
struct Choice {
    /// The SDK's folder
    #[arg(long, value_name = "DIR", env = "MICROKIT_SDK")]
    sdk: PathBuf,
    /// The kernel's configuration
    #[arg(long, env = "MICROKIT_CONFIG", default_value = "debug")]
    config: Configuration,
}

fn main() -> miette::Result<()> {
    match Cli::parse().verb {
        Verb::Compile { sdk, output, programs } => {
            let request = request(&sdk, output, PathBuf::new(), vec![], &programs);
            Sdk::open(&sdk.sdk)?.compile(&request)?;
        }
        Verb::Build { sdk, output, system, search_path, programs } => {
            let request = request(&sdk, output, system, search_path, &programs);
            let image = Sdk::open(&sdk.sdk)?.build(&request)?;
            image.account.iter().for_each(|line| println!("{line}"));
            let line = image.qemu_args(0).join(" ".as_ref());
            println!("qemu-system-x86_64 -machine q35,kernel-irqchip=split {}", line.display());
        }
        Verb::Lock { sdk } => {
            let kept = Sdk::open(&sdk.sdk)?.lock(&workspace())?;
            println!("{}", kept.display());
        }
    }
    Ok(())
}

fn request(
    choice: &Choice,
    output: PathBuf,
    system: PathBuf,
    search_paths: Vec<PathBuf>,
    programs: &[String],
) -> BuildRequest {
    let programs = programs.iter().map(|name| Program::named(name)).collect();
    BuildRequest {
        workspace: workspace(),
        system,
        programs,
        search_paths,
        configuration: choice.config,
        quiet: false,
        output,
    }
}

/// The workspace that this program was built in: the programs' sources are there.
fn workspace() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3);
    folder.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

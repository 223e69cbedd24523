// SPDX-License-Identifier: BSD-2-Clause
//! `config-compiler`: makes the files that the ioasid and console domains are prefilled with.
#![forbid(unsafe_code)]

use std::fs;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use miette::{Context, IntoDiagnostic, Report, Result, miette};
use sdf::System;

/// Makes the files that the ioasid and console protection domains are prefilled with.
#[derive(Parser)]
#[command(after_help = "Example: config-compiler system.xml ioasid ioasid.toml --output build/ioasid.bin")]
struct Arguments {
    /// The system description.
    system: PathBuf,
    #[command(subcommand)]
    file: File,
}

#[derive(Subcommand)]
enum File {
    /// The ioasid PD's configuration, from ioasid.toml
    Ioasid {
        /// Who gets what.
        toml: PathBuf,
        /// The file to write.
        #[arg(short, long)]
        output: PathBuf,
    },
    /// The console's directory of log rings
    Console {
        /// The console's name in the system description.
        #[arg(long, default_value = "console")]
        pd: String,
        /// The file to write.
        #[arg(short, long)]
        output: PathBuf,
    },
}

fn read(path: &PathBuf) -> Result<String> {
    fs::read_to_string(path).into_diagnostic().wrap_err_with(|| format!("cannot read {}", path.display()))
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let name = arguments.system.display().to_string();
    // What a prefill file is made of here need not be there yet, so that its length counts as one byte.
    let system =
        System::parse_with(&name, &read(&arguments.system)?, &|_| Ok(1)).map_err(sdf::Errors::report)?;
    let (output, bytes) = match arguments.file {
        File::Ioasid { toml, output } => {
            let config = config_compiler::compile(&system, &toml.display().to_string(), &read(&toml)?);
            (output, config.map_err(Report::new)?.to_bytes().to_vec())
        }
        File::Console { pd, output } => {
            let (console, _) = system
                .protection_domain(&pd)
                .ok_or_else(|| miette!("{name} has no protection domain \"{pd}\""))?;
            (output, config_compiler::console_directory(&system, console).to_bytes().to_vec())
        }
    };
    fs::write(&output, bytes).into_diagnostic().wrap_err_with(|| format!("cannot write {}", output.display()))
}

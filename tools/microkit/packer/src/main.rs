// SPDX-License-Identifier: BSD-2-Clause
//! `microkit-packer`: packs a system from the command line.
#![forbid(unsafe_code)]

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, anyhow};
use clap::Parser;
use sdf::System;

/// Packs a Microkit system description and its ELF files into a root task for seL4.
#[derive(Parser)]
#[command(after_help = "Example: microkit-packer system.xml --search-path build \
                        --initialiser build/initialiser.elf -o root.elf -r report.txt")]
struct Arguments {
    /// The system description.
    system: PathBuf,
    /// Folders in which the files that it names are looked for, in order.
    #[arg(long)]
    search_path: Vec<PathBuf>,
    /// The initialiser's ELF file.
    #[arg(long)]
    initialiser: PathBuf,
    /// The image to write.
    #[arg(short, long)]
    output: PathBuf,
    /// The report to write.
    #[arg(short, long)]
    report: Option<PathBuf>,
}

fn find(folders: &[PathBuf], name: &str) -> io::Result<PathBuf> {
    let candidates = folders.iter().map(|folder| folder.join(name));
    candidates
        .into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| io::Error::other("not in the search path"))
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let path = &arguments.system;
    let text = read_to_string(path)?;
    let read = |name: &str| fs::read(find(&arguments.search_path, name)?);
    let length = |name: &str| Ok(fs::metadata(find(&arguments.search_path, name)?)?.len());
    let system = System::parse_with(&path.display().to_string(), &text, &length)
        .map_err(|errors| anyhow!("{errors}"))?;
    let initialiser = fs::read(&arguments.initialiser).with_context(|| {
        format!("{}: build the package 'initialiser' first", arguments.initialiser.display())
    })?;
    let packed = microkit_packer::pack(&system, &read, &initialiser).map_err(|error| anyhow!("{error}"))?;
    packed.notes.iter().for_each(|note| eprintln!("{note}"));
    write(&arguments.output, &packed.root)?;
    if let Some(report) = &arguments.report {
        write(report, packed.report.as_bytes())?;
    }
    Ok(())
}

fn read_to_string(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| path.display().to_string())
}

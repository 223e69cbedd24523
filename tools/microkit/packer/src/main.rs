// SPDX-License-Identifier: BSD-2-Clause
//! `microkit`: packs a system from the command line, called as the Microkit SDK's tool is.
//!
//! It stands where that tool stands: in `bin/` of a folder that is laid out as an SDK (`cargo xtask export`), beside
//! `board/<board>/<configuration>/elf/initialiser.elf`.
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
#[command(
    name = "microkit",
    after_help = "Example: microkit system.xml --search-path build --board x86_64_generic --config debug \
                  -o loader.img -r report.txt"
)]
struct Arguments {
    /// The system description.
    system: PathBuf,
    /// Folders in which the files that it names are looked for, in order; after them the current one.
    #[arg(long, num_args = 1..)]
    search_path: Vec<PathBuf>,
    /// The board.
    #[arg(long)]
    board: String,
    /// The kernel's configuration.
    #[arg(long)]
    config: String,
    /// The image to write: the kernel's one boot module.
    #[arg(short, long, default_value = "loader.img")]
    output: PathBuf,
    /// The report to write.
    #[arg(short, long, default_value = "report.txt")]
    report: PathBuf,
}

fn find(folders: &[PathBuf], name: &str) -> io::Result<PathBuf> {
    let mut candidates = folders.iter().map(|folder| folder.join(name)).chain([PathBuf::from(name)]);
    candidates.find(|path| path.is_file()).ok_or_else(|| io::Error::other("not in the search path"))
}

/// The initialiser of the SDK that this program is in.
fn initialiser(board: &str, config: &str) -> Result<PathBuf> {
    let program = std::env::current_exe().context("this program's own path")?;
    let sdk = program.ancestors().nth(2).unwrap_or(Path::new("."));
    let folder = sdk.join("board").join(board).join(config);
    if folder.is_dir() {
        Ok(folder.join("elf/initialiser.elf"))
    } else {
        Err(anyhow!("{} is not there: the board is x86_64_generic, in debug or release", folder.display()))
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let path = &arguments.system;
    let text = read_to_string(path)?;
    let read = |name: &str| fs::read(find(&arguments.search_path, name)?);
    let length = |name: &str| Ok(fs::metadata(find(&arguments.search_path, name)?)?.len());
    let system = System::parse_with(&path.display().to_string(), &text, &length)
        .map_err(|errors| anyhow!("{errors}"))?;
    let initialiser = initialiser(&arguments.board, &arguments.config)?;
    let initialiser = fs::read(&initialiser).with_context(|| initialiser.display().to_string())?;
    let packed = microkit_packer::pack(&system, &read, &initialiser).map_err(|error| anyhow!("{error}"))?;
    packed.notes.iter().for_each(|note| eprintln!("{note}"));
    write(&arguments.output, &packed.root)?;
    write(&arguments.report, packed.report.as_bytes())
}

fn read_to_string(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| path.display().to_string())
}

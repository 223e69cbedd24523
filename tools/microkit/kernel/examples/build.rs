// SPDX-License-Identifier: BSD-2-Clause
//! Builds the kernel into the folder given as argument: `cargo run -p microkit-kernel --example build -- DIR
//! [--debug] [--without PATCH]`.

use std::path::Path;
use std::process::ExitCode;

use microkit_kernel::{Config, Error, Source, build};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let out_dir = arguments.next().unwrap_or_else(|| "target/kernel".to_owned());
    let mut config = Config::release();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--without" => config = config.without(&arguments.next().unwrap_or_default()),
            _ => config.debug |= argument == "--debug",
        }
    }
    let source = Source::locate(Path::new(env!("CARGO_MANIFEST_DIR")))?;
    let kernel = build(&source, &config, Path::new(&out_dir), |step| println!("{step}"))?;
    println!("{}", kernel.elf32.display());
    Ok(())
}

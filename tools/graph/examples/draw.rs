// SPDX-License-Identifier: BSD-2-Clause
//! Draws a system to standard output: `cargo run -p system-graph --example draw -- system.xml ioasid.toml >
//! system.svg`; `ioasid.toml` may be left out.

use std::process::ExitCode;

use config_compiler::Schema;
use sdf::System;
use system_graph::Picture;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("usage: draw system.xml [ioasid.toml]")?;
    let (system, errors) = System::survey(&name, &std::fs::read_to_string(&name)?)?;
    let policy = arguments.next();
    let policy = policy.map(|name| -> Result<_, Box<dyn std::error::Error>> {
        Ok(Schema::parse(&name, &std::fs::read_to_string(&name)?)?)
    });
    let picture = Picture::of(&system, policy.transpose()?.as_ref()).with_unknown(errors.as_ref());
    print!("{}", picture.to_svg());
    Ok(())
}

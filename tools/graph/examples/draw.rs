// SPDX-License-Identifier: BSD-2-Clause
//! Draws a system description to standard output: `cargo run -p system-graph --example draw -- system.xml >
//! system.svg`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        eprintln!("usage: draw system.xml");
        return ExitCode::FAILURE;
    };
    let text = match std::fs::read_to_string(&name) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("{name}: {error}");
            return ExitCode::FAILURE;
        }
    };
    match sdf::System::survey(&name, &text) {
        Ok((system, errors)) => {
            print!("{}", system_graph::Picture::of(&system).with_unknown(errors.as_ref()).to_svg());
            ExitCode::SUCCESS
        }
        Err(errors) => {
            eprintln!("{errors}");
            ExitCode::FAILURE
        }
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! Checks system descriptions: `cargo run -p sdf --example check -- system.xml …`. Prefill files are sought beside
//! each description.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut failed = false;
    for name in std::env::args().skip(1) {
        let folder = Path::new(&name).parent().unwrap_or(Path::new(""));
        let length = |path: &str| Ok(std::fs::metadata(folder.join(path))?.len());
        match std::fs::read_to_string(&name) {
            Err(error) => {
                eprintln!("{name}: {error}");
                failed = true;
            }
            Ok(text) => match sdf::System::parse_with(&name, &text, &length) {
                Ok(system) => println!("{name}: {} protection domains", system.protection_domains.len()),
                Err(errors) => {
                    eprintln!("{errors}");
                    failed = true;
                }
            },
        }
    }
    ExitCode::from(u8::from(failed))
}

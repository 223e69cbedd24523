// SPDX-License-Identifier: BSD-2-Clause
//! Audits a system: `cargo run -p system-audit --example audit -- system.xml ioasid.toml`.

use std::process::ExitCode;

use sdf::System;
use system_audit::{Audit, Policy};

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("usage: audit system.xml [ioasid.toml]")?;
    let (system, _) = System::survey(&name, &std::fs::read_to_string(&name)?)?;
    let policy_name = arguments.next();
    let text = policy_name.as_ref().map(std::fs::read_to_string).transpose()?;
    let policy = match (&policy_name, &text) {
        (Some(name), Some(text)) => Some(Policy::parse(name, text)?),
        _ => None,
    };
    let audit = Audit::of(&system, policy.as_ref());
    print!("{}", audit.to_text());
    Ok(audit.passes())
}

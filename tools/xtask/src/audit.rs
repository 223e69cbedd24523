// SPDX-License-Identifier: BSD-2-Clause
//! `cargo xtask audit`: who can reach what in a system, and what is wrong with that.

use crate::description::Description;
use miette::{Report, Result, miette};
use std::path::PathBuf;
use system_audit::{Audit, Policy};

/// Options of `cargo xtask audit`.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  cargo xtask audit\n  cargo xtask audit tests/system/*/system.xml --strict\n  cargo xtask audit --json"
)]
pub struct Args {
    /// System descriptions, or folders of a system.xml [default: the workspace's own]
    #[arg(value_name = "SYSTEM")]
    systems: Vec<PathBuf>,
    /// Write JSON, one object for each system
    #[arg(long)]
    json: bool,
    /// Fail on warnings too
    #[arg(long)]
    strict: bool,
}

/// Audits the systems; an error when one of them does not pass.
pub fn main(args: &Args) -> Result<()> {
    let own = [None];
    let given: Vec<_> = args.systems.iter().map(|system| Some(system.as_path())).collect();
    let mut failed = Vec::new();
    for system in if given.is_empty() { &own[..] } else { &given } {
        let description = Description::load(*system)?;
        let audit = audit(&description)?;
        print!("{}", if args.json { audit.to_json() } else { audit.to_text() });
        if !audit.passes() || (args.strict && !audit.findings.is_empty()) {
            failed.push(description.name);
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    let help = "each finding names its file, line and remedy";
    Err(miette!(help = help, "the audit does not pass: {}", failed.join(", ")))
}

/// The audit of what is described. Broken rules of the description itself are errors; what is merely not known here
/// is looked past.
pub fn audit(description: &Description) -> Result<Audit> {
    let (system, _foreign) = description.survey()?;
    let policy = description.policy().map(|(name, text)| Policy::parse(name, text).map_err(Report::new));
    Ok(Audit::of(&system, policy.transpose()?.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(system: PathBuf, strict: bool) -> Args {
        Args { systems: vec![system], json: false, strict }
    }

    #[test]
    fn the_exit_status_follows_the_findings() {
        let folder = tempfile::tempdir().unwrap();
        let system = folder.path().join("system.xml");
        let with = |ports: &str| {
            let text = format!(
                "<system><protection_domain name=\"a\"><program_image path=\"a\" />{ports}</protection_domain></system>"
            );
            std::fs::write(&system, text).unwrap();
        };
        with("");
        main(&args(folder.path().to_owned(), true)).unwrap();
        with(r#"<ioport id="0" addr="0xcf8" size="8" />"#);
        let error = main(&args(folder.path().to_owned(), false)).unwrap_err();
        assert!(error.to_string().starts_with("the audit does not pass: "), "{error}");
        // A broken description is no system to audit.
        with(r#"<ioport id="99" addr="0x3f8" size="8" />"#);
        let error = main(&args(system.clone(), false)).unwrap_err();
        assert!(error.to_string().contains("1 error in the system description"), "{error}");
    }
}

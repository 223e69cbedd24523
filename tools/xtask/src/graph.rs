// SPDX-License-Identifier: BSD-2-Clause
//! `cargo xtask graph`: a picture of a system.

use crate::description::{Description, Which};
use crate::progress::note;
use crate::workspace;
use config_compiler::Schema;
use miette::{IntoDiagnostic as _, Report, Result, WrapErr as _, miette};
use std::path::{Path, PathBuf};
use system_graph::Picture;

/// Options of `cargo xtask graph`.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  cargo xtask graph --output system.svg\n  cargo xtask graph some.system --format mermaid"
)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// What to write
    #[arg(long, value_enum, default_value_t = Format::Svg)]
    format: Format,
    /// The file to write, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write nothing; fail unless the output file is the picture of the system
    #[arg(long, requires = "output")]
    check: bool,
}

/// What a picture is written as.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// A self-contained picture
    Svg,
    /// A Mermaid flowchart
    Mermaid,
}

/// Draws the system, or holds a picture against it.
pub fn main(args: &Args) -> Result<()> {
    let description = Description::load(args.which.system.as_deref())?;
    let picture = draw(&description)?;
    let picture = match args.format {
        Format::Svg => picture.to_svg(),
        Format::Mermaid => picture.to_mermaid(),
    };
    match &args.output {
        None => {
            print!("{picture}");
            Ok(())
        }
        Some(file) if args.check => check(&description, file, &picture),
        Some(file) => {
            let name = workspace::display(file);
            std::fs::write(file, picture)
                .into_diagnostic()
                .wrap_err_with(|| format!("cannot write {name}"))?;
            note(&format!("{} is drawn in {name}", description.name));
            Ok(())
        }
    }
}

/// The picture of what is described.
pub fn draw(description: &Description) -> Result<Picture> {
    let (system, errors) = description.survey()?;
    let policy = description.policy().map(|(name, text)| Schema::parse(name, text).map_err(Report::new));
    Ok(Picture::of(&system, policy.transpose()?.as_ref()).with_unknown(errors.as_ref()))
}

/// That `file` holds `picture`.
pub fn check(description: &Description, file: &Path, picture: &str) -> Result<()> {
    let (name, system) = (workspace::display(file), &description.name);
    let found =
        std::fs::read_to_string(file).into_diagnostic().wrap_err_with(|| format!("cannot read {name}"))?;
    if found == picture {
        return Ok(());
    }
    Err(miette!(
        help = format!("draw it anew: cargo xtask graph {system} --output {name}"),
        "{name} is not the picture of {system} any more"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_picture_is_told_from_a_fresh_one() {
        let folder = tempfile::tempdir().unwrap();
        let (system, file) = (folder.path().join("foreign.system"), folder.path().join("foreign.svg"));
        let text = r#"<system><protection_domain name="a" smc="true"><program_image path="a" /></protection_domain></system>"#;
        std::fs::write(&system, text).unwrap();
        let args = |check, system: &Path| Args {
            which: Which { system: Some(system.to_owned()) },
            format: Format::Svg,
            output: Some(file.clone()),
            check,
        };
        assert!(main(&args(true, &system)).unwrap_err().to_string().starts_with("cannot read"));
        main(&args(false, &system)).unwrap();
        main(&args(true, &system)).unwrap();
        std::fs::write(&system, text.replace("\"a\"", "\"b\"")).unwrap();
        let stale = main(&args(true, &system)).unwrap_err();
        assert!(stale.to_string().contains("is not the picture of"), "{stale}");
        assert!(stale.help().unwrap().to_string().contains("cargo xtask graph"));
        let missing = main(&args(false, folder.path())).unwrap_err();
        assert!(missing.to_string().contains("there is no system description"), "{missing}");
    }
}

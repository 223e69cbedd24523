// SPDX-License-Identifier: BSD-2-Clause
//! A system to look at: its description, whatever tool it is for, and the `ioasid.toml` beside it, if there is one.

use crate::workspace;
use config_compiler::FILE_NAME;
use miette::{IntoDiagnostic as _, Report, Result, WrapErr as _, miette};
use std::path::{Path, PathBuf};

/// Which system, on the command line.
#[derive(clap::Args)]
pub struct Which {
    /// A system description, or the folder of a system.xml [default: the workspace's own]
    #[arg(value_name = "SYSTEM")]
    pub system: Option<PathBuf>,
}

/// That a system description cannot be read.
pub fn no_description(name: &str, error: &std::io::Error) -> Report {
    let help = "name the file of a system description, or a folder with a system.xml";
    miette!(help = help, "{name}: there is no system description that can be read: {error}")
}

/// The text of a system description and of what belongs to it.
pub struct Description {
    /// What the description is called in messages.
    pub name: String,
    text: String,
    /// Name and text of the `ioasid.toml`.
    policy: Option<(String, String)>,
}

impl Description {
    /// Reads the description at `path`, a file or the folder of a `system.xml`; the workspace's own where none is
    /// given.
    pub fn load(path: Option<&Path>) -> Result<Self> {
        let path = path.unwrap_or(workspace::root());
        let file = if path.is_dir() { path.join("system.xml") } else { path.to_owned() };
        let name = workspace::display(&file);
        let text = std::fs::read_to_string(&file).map_err(|error| no_description(&name, &error))?;
        let policy_file = file.with_file_name(FILE_NAME);
        let policy = if policy_file.is_file() {
            let name = workspace::display(&policy_file);
            let text = std::fs::read_to_string(&policy_file)
                .into_diagnostic()
                .wrap_err_with(|| format!("{name} cannot be read"))?;
            Some((name, text))
        } else {
            None
        };
        Ok(Self { name, text, policy })
    }

    /// What is described, and what of it is not known here. Broken rules are an error.
    pub fn survey(&self) -> Result<(sdf::System, Option<sdf::Errors>)> {
        let (system, errors) = sdf::System::survey(&self.name, &self.text).map_err(sdf::Errors::report)?;
        match errors {
            Some(errors) if errors.iter().any(|error| !error.is_foreign()) => Err(errors.report()),
            errors => Ok((system, errors)),
        }
    }

    /// The `ioasid.toml`: its name and its text.
    pub fn policy(&self) -> Option<(&str, &str)> {
        self.policy.as_ref().map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

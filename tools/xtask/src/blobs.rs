// SPDX-License-Identifier: BSD-2-Clause
//! The files that memory regions are filled with and that are made from the system's own description: the
//! ioasid PD's configuration (`ioasid.bin`, from ioasid.toml) and the console's directory (`console.bin`).

use crate::system::System;
use crate::workspace;
use config_compiler::FILE_NAME;
use miette::{IntoDiagnostic as _, Report, Result, WrapErr as _};
use std::path::Path;

/// The domain whose directory of log rings is made.
const CONSOLE: &str = "console";

/// Makes into `folder` what `system` can have.
pub fn make(system: &System, folder: &Path) -> Result<()> {
    let toml = system.folder.join(FILE_NAME);
    if toml.is_file() {
        let name = workspace::display(&toml);
        let text = std::fs::read_to_string(&toml)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot read {name}"))?;
        let config = config_compiler::compile(&system.sdf, &name, &text).map_err(Report::new)?;
        workspace::replace(&folder.join("ioasid.bin"), config.to_bytes())?;
    }
    if let Some((console, _)) = system.sdf.protection_domain(CONSOLE) {
        let directory = config_compiler::console_directory(&system.sdf, console);
        workspace::replace(&folder.join("console.bin"), directory.to_bytes())?;
    }
    Ok(())
}

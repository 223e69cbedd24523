// SPDX-License-Identifier: BSD-2-Clause
//! The seL4 kernel of the embedded default, built once for each variant.

use crate::progress::note;
use crate::workspace;
use microkit_kernel::{Config, Error, Kernel, Source};
use miette::{Result, miette};
use std::sync::{Mutex, PoisonError};

/// Builds the kernel of `config`, or finds it built.
pub fn build(config: &Config) -> Result<Kernel> {
    // Systems that are built side by side want the same kernel, and its source need be checked only once.
    static CHECKED: Mutex<Option<Source>> = Mutex::new(None);
    let mut checked = CHECKED.lock().unwrap_or_else(PoisonError::into_inner);
    let source = match checked.take() {
        Some(source) => source,
        None => Source::locate(workspace::root()).map_err(plain)?,
    };
    let source = checked.insert(source);
    // The first line says what is built; the rest would be of interest only if it took longer than it does.
    let mut first = true;
    let progress = |line: &str| {
        if std::mem::take(&mut first) {
            note(line);
        }
    };
    microkit_kernel::build(source, config, &workspace::output().join("kernel"), progress).map_err(plain)
}

fn plain(error: Error) -> miette::Report {
    match error {
        Error::MissingTool { .. } => miette!(help = "`cargo xtask setup` installs it", "{error}"),
        _ => miette!("{error}"),
    }
}

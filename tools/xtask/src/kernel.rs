// SPDX-License-Identifier: BSD-2-Clause
//! The seL4 kernel of the embedded default, built once for each variant.

use crate::progress::{note, step};
use crate::workspace;
use microkit_kernel::{Config, Error, Kernel, Source};
use miette::{Result, miette};
use std::sync::Mutex;

/// Builds the kernel of `config`, or finds it built.
pub fn build(config: &Config) -> Result<Kernel> {
    // One at a time: systems that are built side by side want the same one.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    let source = Source::locate(workspace::root()).map_err(plain)?;
    // The first line says what is built; the rest would be of interest only if it took longer than it does.
    let mut first = true;
    let progress = |line: &str| {
        if std::mem::take(&mut first) {
            note(line);
        }
    };
    step("built the kernel", || {
        microkit_kernel::build(&source, config, &workspace::output().join("kernel"), progress)
    })
    .map_err(plain)
}

fn plain(error: Error) -> miette::Report {
    match error {
        Error::MissingTool { .. } => miette!(help = "`cargo xtask setup` installs it", "{error}"),
        _ => miette!("{error}"),
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! What can go wrong before a machine runs. How a run ended is no error: see [`End`](crate::End).

use std::path::{Path, PathBuf};

/// Why nothing was run. `Display` gives one plain message: what, where, remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program or a file of a package is not installed.
    #[error("booting in Bochs needs {what}, which is not there; on Debian: apt-get install {package}")]
    Missing {
        /// The program or file.
        what: String,
        /// The Debian package that brings it.
        package: &'static str,
    },
    /// A program that makes the CD failed.
    #[error("making the boot CD failed: {program} ended with {status}: {output}")]
    Cd {
        /// The program.
        program: String,
        /// How it ended.
        status: String,
        /// What it said.
        output: String,
    },
    /// A file could not be read, written or run.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// Adds what was done, and to which file, to an I/O error.
pub(crate) trait IoContext<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, Error>;
}

impl<T> IoContext<T> for std::io::Result<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Io { action, path: path.to_owned(), source })
    }
}

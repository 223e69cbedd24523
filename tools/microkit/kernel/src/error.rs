// SPDX-License-Identifier: BSD-2-Clause
//! What can go wrong, each with what to do about it.

use std::path::{Path, PathBuf};

/// Why there is no kernel. `Display` gives one plain message: what, where, remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Cargo could not say where the source package is.
    #[error("cannot find the kernel's source, package sel4-sys 0.0.28: {reason}; try `cargo fetch --locked`")]
    SourceNotFound {
        /// What Cargo said, or what was missing in its answer.
        reason: String,
    },
    /// The unpacked source differs from the one that the patches and the tests were made for.
    #[error(
        "the kernel's source in {} is not the pinned one (SHA-256 {found}, expected {expected}); \
         delete that package's folder and run `cargo fetch --locked`", tree.display()
    )]
    SourceChanged {
        /// The tree that was hashed.
        tree: PathBuf,
        /// Its hash.
        found: String,
        /// The pinned hash.
        expected: &'static str,
    },
    /// A patch's text does not occur exactly once.
    #[error("kernel patch `{patch}`: its text occurs {hits} times in {file}, expected exactly once")]
    PatchMissed {
        /// The patch's name.
        patch: String,
        /// The file, relative to the source tree.
        file: String,
        /// How often the text was found.
        hits: usize,
    },
    /// [`Config::without`](crate::Config::without) names a patch that does not exist.
    #[error("there is no kernel patch `{name}`; the patches are: {known}")]
    UnknownPatch {
        /// The name asked for.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// A program is not installed.
    #[error("building the kernel needs {tool}, which is not there; on Debian: apt-get install {packages}")]
    MissingTool {
        /// The program, or what of it is missing.
        tool: String,
        /// Debian packages that bring it.
        packages: &'static str,
    },
    /// The compiler does not make code for the kernel's machine.
    #[error("building the kernel needs a gcc for x86_64; the one installed is for {machine}")]
    WrongCompiler {
        /// What `gcc -dumpmachine` says.
        machine: String,
    },
    /// A command of the build failed.
    #[error("building the kernel failed at \"{step}\" ({status}): {command}\n{output}")]
    Step {
        /// What was being done.
        step: &'static str,
        /// How the command ended.
        status: String,
        /// The command.
        command: String,
        /// The last lines of what it said.
        output: String,
    },
    /// A file could not be read or written.
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

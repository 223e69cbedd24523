// SPDX-License-Identifier: BSD-2-Clause
//! An SDK's folder: what is in it, and whether that is what a system needs.
//!
//! ```text
//! VERSION              2.3.0, perhaps with a suffix
//! bin/microkit         the tool
//! board/<board>/<configuration>/
//!     include/         libsel4's headers
//!     elf/sel4_32.elf  the kernel, as multiboot loaders take it
//! ```

use std::path::{Path, PathBuf};

use crate::{Configuration, Environment, Error, Image, Program, Release, Result};

/// The board that this project runs on.
pub const BOARD: &str = "x86_64_generic";
/// The same, with a kernel that has virtual machines.
pub const BOARD_VTX: &str = "x86_64_generic_vtx";

/// A Microkit SDK whose version is known to work.
#[derive(Clone, Debug)]
pub struct Sdk {
    folder: PathBuf,
    release: &'static Release,
    environment: Environment,
}

/// What is to be built.
#[derive(Clone, Debug)]
pub struct BuildRequest {
    /// Root of this Cargo workspace, which the programs belong to where nothing else is said.
    pub workspace: PathBuf,
    /// The package outside of the workspace that makes the programs.
    pub outside: Option<Outside>,
    /// The system description.
    pub system: PathBuf,
    /// Every program image that it names.
    pub programs: Vec<Program>,
    /// Folders with what else it names, such as prefilled regions. `output` is always searched first.
    pub search_paths: Vec<PathBuf>,
    /// Which kernel: [`BOARD`] or [`BOARD_VTX`],
    pub board: &'static str,
    /// and its configuration.
    pub configuration: Configuration,
    /// Whether Cargo says nothing unless something is wrong.
    pub quiet: bool,
    /// Folder for programs, image and report; made where it is not there.
    pub output: PathBuf,
}

/// A package outside of the workspace. It is built as the workspace's are: its dependencies on what differs between
/// platforms are patched, and what both depend on has the workspace's versions.
#[derive(Clone, Debug)]
pub struct Outside {
    /// Its `Cargo.toml`, as an absolute path.
    pub manifest: PathBuf,
    /// The `Cargo.lock` of its own workspace, which need not be there and is not written.
    pub lock: PathBuf,
}

/// A board in one configuration.
#[derive(Clone, Debug)]
pub(crate) struct Board {
    /// libsel4's headers.
    pub include: PathBuf,
    /// The kernel as a 32-bit ELF file.
    pub kernel: PathBuf,
}

impl Sdk {
    /// Looks at the SDK in `folder`.
    ///
    /// # Errors
    /// When it is no SDK, or of another version than those that are known to work.
    pub fn open(folder: &Path) -> Result<Self> {
        Self::open_in(folder, Environment::of_process())
    }

    /// As [`open`](Self::open), on a machine of the caller's making.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_in(folder: &Path, environment: Environment) -> Result<Self> {
        // Cargo and the tool run in folders of their own.
        let folder = folder.canonicalize().map_err(|_| Error::NoFolder(folder.to_owned()))?;
        if !folder.is_dir() {
            return Err(Error::NoFolder(folder));
        }
        for missing in ["VERSION", "bin/microkit", "board"] {
            if !folder.join(missing).exists() {
                return Err(Error::NotAnSdk { folder, missing });
            }
        }
        let version = folder.join("VERSION");
        let stated = std::fs::read_to_string(&version).map_err(|why| Error::File {
            verb: "read",
            path: version,
            why,
        })?;
        match Release::of(&stated) {
            Some(release) => Ok(Self { folder, release, environment }),
            None => Err(Error::UnknownVersion { folder, stated: stated.trim().to_owned() }),
        }
    }

    /// Which release it is.
    #[must_use]
    pub fn release(&self) -> &'static Release {
        self.release
    }

    /// Compiles the programs and composes the image.
    ///
    /// # Errors
    /// Whatever is wrong, as one [`Error`].
    pub fn build(&self, request: &BuildRequest) -> Result<Image> {
        self.compile(request)?;
        self.compose(request)
    }

    /// The tool.
    pub(crate) fn tool(&self) -> PathBuf {
        self.folder.join("bin/microkit")
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// A board's files in `configuration`.
    pub(crate) fn board(&self, name: &'static str, configuration: Configuration) -> Result<Board> {
        let board = self.folder.join("board").join(name);
        if !board.is_dir() {
            let there = folders(&self.folder.join("board"));
            return Err(Error::NoBoard { folder: self.folder.clone(), board: name, there });
        }
        let files = board.join(configuration.name());
        if !files.is_dir() {
            let (folder, there) = (self.folder.clone(), folders(&board));
            return Err(Error::NoConfiguration { folder, board: name, wanted: configuration, there });
        }
        let board = Board { include: files.join("include"), kernel: files.join("elf/sel4_32.elf") };
        for path in [&board.include, &board.kernel] {
            if !path.exists() {
                return Err(Error::Incomplete(path.clone()));
            }
        }
        Ok(board)
    }
}

/// The folders in `folder`, for people.
fn folders(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

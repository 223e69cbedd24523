// SPDX-License-Identifier: BSD-2-Clause
//! What can be wrong: one message each, and what to do about it.

use std::path::PathBuf;

use crate::{Configuration, PD_TARGET, Release};

/// Why a system was not built with an SDK. The message says what was found; the diagnostic's help is the remedy.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum Error {
    /// There is no such folder.
    #[error("there is no folder {}", .0.display())]
    #[diagnostic(help(
        "MICROKIT_SDK names the folder of an unpacked Microkit SDK: the one with bin/ and board/ in it"
    ))]
    NoFolder(PathBuf),

    /// The folder has no such part of an SDK.
    #[error("{} is not a Microkit SDK: it has no {missing}", .folder.display())]
    #[diagnostic(help(
        "MICROKIT_SDK names the folder of an unpacked Microkit SDK: the one with bin/ and board/ in it"
    ))]
    NotAnSdk {
        /// What was given.
        folder: PathBuf,
        /// The file that every SDK has.
        missing: &'static str,
    },

    /// Another version of the SDK than those that are known to work.
    #[error("{} is version {stated} of the Microkit SDK", .folder.display())]
    #[diagnostic(help("this project is built with {}: take one of them", Release::known()))]
    UnknownVersion {
        /// The SDK.
        folder: PathBuf,
        /// What its file `VERSION` states.
        stated: String,
    },

    /// The SDK was made without the board.
    #[error("{} has no board {board}; it has: {there}", .folder.display())]
    #[diagnostic(help("take an SDK with the board {board}: those released by the seL4 project have it"))]
    NoBoard {
        /// The SDK.
        folder: PathBuf,
        /// The board.
        board: &'static str,
        /// Its boards.
        there: String,
    },

    /// The board was made without the configuration.
    #[error("{} has no configuration {wanted} for {board}; it has: {there}", .folder.display())]
    #[diagnostic(help("set MICROKIT_CONFIG to one of those, or take an SDK that has it"))]
    NoConfiguration {
        /// The SDK.
        folder: PathBuf,
        /// The board.
        board: &'static str,
        /// The configuration asked for.
        wanted: Configuration,
        /// Those that the board has.
        there: String,
    },

    /// A file of the board is missing.
    #[error("the Microkit SDK is incomplete: {} is missing", .0.display())]
    #[diagnostic(help("unpack the SDK again"))]
    Incomplete(PathBuf),

    /// No libclang anywhere.
    #[error("libclang is not there; rust-sel4 reads the kernel's headers with it")]
    #[diagnostic(help(
        "install it (Debian and Ubuntu: apt-get install libclang-dev) or set LIBCLANG_PATH to its folder"
    ))]
    NoLibclang,

    /// `LIBCLANG_PATH` leads nowhere.
    #[error("LIBCLANG_PATH is {}, where there is no libclang", .0.display())]
    #[diagnostic(help(
        "set it to the folder with libclang.so in it, or unset it to have the system's taken"
    ))]
    LibclangPath(PathBuf),

    /// rustc has no core library for the target of the protection domains.
    #[error("Rust's core library for {PD_TARGET} is not installed")]
    #[diagnostic(help("rustup target add {PD_TARGET}"))]
    NoTarget,

    /// rust-sel4's repository cannot be read.
    #[error("rust-sel4 {} is out of reach: {said}", .release.rust_sel4)]
    #[diagnostic(help(
        "the protection domains need its source, the git tag {} of {}; where that is reached another way, tell git \
         (git config --global url.<mirror>.insteadOf {1}) and Cargo (CARGO_NET_GIT_FETCH_WITH_CLI=true)",
        .release.rust_sel4, crate::compile::RUST_SEL4
    ))]
    SourceOutOfReach {
        /// The release whose rust-sel4 it is.
        release: &'static Release,
        /// The last thing that git said.
        said: String,
    },

    /// A step of Cargo's failed for another reason.
    #[error("cargo {verb} failed for the Microkit SDK {}{}", .release.version, .said)]
    #[diagnostic(help("the command was: {line}"))]
    Cargo {
        /// The release that was built for.
        release: &'static Release,
        /// Which step.
        verb: &'static str,
        /// What Cargo said, on lines of its own, where it did not go to the terminal.
        said: String,
        /// The whole command.
        line: String,
    },

    /// The SDK's tool did not take the system.
    #[error("the SDK's microkit tool does not take {}:\n{said}", .system.display())]
    #[diagnostic(help("the command was: {line}"))]
    Tool {
        /// The system description.
        system: PathBuf,
        /// What the tool said.
        said: String,
        /// The whole command.
        line: String,
    },

    /// A program does not start.
    #[error("cannot run {program}: {why}")]
    #[diagnostic(help("is it there, executable, and made for this machine?"))]
    Start {
        /// Its name or path.
        program: String,
        /// The system's reason.
        why: std::io::Error,
    },

    /// A file cannot be read or written.
    #[error("cannot {verb} {}: {why}", .path.display())]
    File {
        /// What was to be done with it.
        verb: &'static str,
        /// Its path.
        path: PathBuf,
        /// The system's reason.
        why: std::io::Error,
    },
}

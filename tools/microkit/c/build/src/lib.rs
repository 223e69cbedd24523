// SPDX-License-Identifier: BSD-2-Clause
//! For the build script of a protection domain in C:
//!
//! ```no_run
//! microkit_c_build::program(&["src/guest.c"], &["../ioasid/include"]);
//! ```
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

/// Options of a program without an operating system, whose code uses general registers alone, as the Rust target
/// x86_64-unknown-none does.
const FREESTANDING: &[&str] = &[
    "-std=c11",
    "-m64",
    "-O2",
    "-g1",
    "-ffreestanding",
    "-fno-pic",
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
    "-fcf-protection=none",
    "-ffunction-sections",
    "-fdata-sections",
    "-mno-red-zone",
    "-mgeneral-regs-only",
    "-Wall",
    "-Wextra",
    "-Werror",
];

/// Compiles the program's `sources` and links them into the package's binary; `#include <…>` finds `microkit.h`, and
/// what lies in the folders `includes`. Paths are from the package's folder.
pub fn program(sources: &[&str], includes: &[&str]) {
    let microkit = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let headers = includes.iter().map(PathBuf::from).chain([microkit.join("include")]);
    // The program's own entry points come first, and so before the defaults.
    let defaults = microkit.join("src/defaults.c");
    let sources: Vec<_> = sources.iter().map(PathBuf::from).chain([defaults]).collect();
    let mut compiler = cc::Build::new();
    compiler.no_default_flags(true);
    for flag in FREESTANDING {
        compiler.flag(flag);
    }
    for folder in headers {
        println!("cargo:rerun-if-changed={}", folder.display());
        compiler.include(folder);
    }
    for source in &sources {
        println!("cargo:rerun-if-changed={}", source.display());
    }
    compiler.files(sources).compile("program");
}

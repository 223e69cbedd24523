// SPDX-License-Identifier: BSD-2-Clause
//! Builds the seL4 5.0.0 kernel of the embedded default out of the crates.io package `sel4-sys` 0.0.28.
//!
//! The package carries the kernel's complete C source. [`Source::locate`] finds it where Cargo unpacked it and
//! checks it against a pinned hash; [`build`] copies it, applies the [`PATCHES`], configures, generates,
//! compiles and links it. One image serves every machine here: it has VT-x support and also boots where VT-x
//! is absent (a VCPU can then not be made). With and without [`Config::debug`] it prints to the first serial port.
//!
//! What holds: the same source, patches, configuration and toolchain give the same bytes in any directory,
//! because every command runs in the build's own directory and sees relative paths only. A build that exists
//! is complete: it is made aside and moved into place under a name that is the hash of all its inputs.
//!
//! # Licence
//!
//! This crate is BSD-2-Clause and holds none of the kernel's text beyond the few words that its patches
//! replace. The source that it reads is GPL-2.0, and so is **the kernel that it produces**: whoever passes on an
//! image that holds it passes on a GPL-2.0 work. Programs that run on the kernel are not derived from it.
//!
//! # Example
//!
//! ```no_run
//! use microkit_kernel::{Config, Source, build};
//! # fn main() -> Result<(), microkit_kernel::Error> {
//! let source = Source::locate("path/to/workspace".as_ref())?;
//! let kernel = build(&source, &Config::release(), "target/kernel".as_ref(), |step| println!("{step}"))?;
//! println!("boot {} with -kernel", kernel.elf32.display());
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod build;
mod config;
mod error;
mod patch;
mod patches;
mod plan;
mod source;
mod toolchain;

pub use build::{Kernel, build};
pub use config::Config;
pub use error::Error;
pub use patch::{Edit, Patch};
pub use patches::PATCHES;
pub use source::Source;
pub use toolchain::missing_tools;

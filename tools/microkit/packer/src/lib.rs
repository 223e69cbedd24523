// SPDX-License-Identifier: BSD-2-Clause
//! Packs a system description and its ELF files into one bootable image.
//!
//! [`pack`] takes the model of a `system.xml` (crate `sdf`), the files that it names and the initialiser's ELF
//! file; it gives the root task that the kernel boots, which is the initialiser with the packed description (crate
//! `microkit-image`) as one more segment, and a report for people. The same input gives the same bytes.
//!
//! What real Microkit offers and this kernel does not (budgets, virtual machines, …) is refused at its place in
//! system.xml, never dropped; where the meaning only weakens, a [note](Packed::notes) says so.
#![forbid(unsafe_code)]

mod elf;
mod layout;
mod patch;
mod platform;
mod records;
mod report;
mod root;
mod write;

use std::{fmt, io};

use sdf::{Error, Errors, Place, System};

/// What [`pack`] made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// The root task: an ELF file for the kernel to boot.
    pub root: Vec<u8>,
    /// What is in it: domains, regions, addresses, capabilities.
    pub report: String,
    /// Where the meaning of system.xml is weaker on this kernel, a line each.
    pub notes: Vec<String>,
}

/// Why a system cannot be packed.
#[derive(Debug)]
pub enum PackError {
    /// Something that system.xml names or asks for, each at its place.
    System(Errors),
    /// The initialiser's ELF file, which is no part of the system: what is wrong with it.
    Initialiser(String),
}

impl fmt::Display for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(errors) => errors.fmt(f),
            Self::Initialiser(what) => {
                write!(f, "the initialiser's ELF file: {what}\n  help: build the package 'initialiser' again")
            }
        }
    }
}

impl std::error::Error for PackError {}

/// Reads a file by its path as system.xml writes it.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> io::Result<Vec<u8>>;

/// Packs `system`, whose regions have their sizes ([`System::parse_with`]), with the files that it names and the
/// initialiser's ELF file.
///
/// # Errors
/// [`PackError`], with every error that was found in the system.
pub fn pack(system: &System, read: ReadFile<'_>, initialiser: &[u8]) -> Result<Packed, PackError> {
    let mut found = Found { errors: Vec::new() };
    platform::check(system, &mut found);
    let tables = records::build(system, read, &mut found);
    if let Some(errors) = Errors::new(system.source.clone(), found.errors) {
        return Err(PackError::System(errors));
    }
    let image = write::image(&tables);
    let root = root::compose(initialiser, &image).map_err(PackError::Initialiser)?;
    let report = report::text(system, &tables, root.len());
    Ok(Packed { root, report, notes: platform::notes(system) })
}

/// The errors found so far.
struct Found {
    errors: Vec<Error>,
}

impl Found {
    fn add(&mut self, place: Place, element: &str, message: impl Into<String>, help: impl Into<String>) {
        self.errors.push(Error::new(place, element, message, help));
    }
}

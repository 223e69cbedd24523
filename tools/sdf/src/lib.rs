// SPDX-License-Identifier: BSD-2-Clause
//! The Microkit system description (SDF): its model, and its rules checked with line and column.
//!
//! [`System::parse`] takes the text of a `system.xml` and gives the [`System`] that it describes, or every error in
//! it. The format, its limits and its rules are those of the Microkit tool 2.3.0 for x86-64 (manual, "System
//! Description File"), which contain those of 2.2.0; what a platform cannot do beyond that is for the platform to
//! refuse, with the places that the model keeps. Files named in a description are not read here; [`System::parse_with`] is told the
//! lengths that matter.
//!
//! [`System::survey`] is for programs that only look at a description, of whatever architecture and version: it
//! gives what could be understood together with the errors.
//!
//! ```
//! let text = r#"<system>
//!     <protection_domain name="hello" priority="10">
//!         <program_image path="hello.elf" />
//!     </protection_domain>
//! </system>"#;
//! let system = sdf::System::parse("system.xml", text)?;
//! assert_eq!(*system.protection_domains[0].priority, 10);
//!
//! let errors = sdf::System::parse("system.xml", &text.replace("10", "255")).unwrap_err();
//! assert_eq!(
//!     errors.to_string().lines().next(),
//!     Some("system.xml:2:37: <protection_domain>: priority is 255, above 254")
//! );
//! # Ok::<(), sdf::Errors>(())
//! ```
#![forbid(unsafe_code)]

mod check;
mod error;
mod limits;
mod model;
mod read;
mod source;

pub use error::{Error, Errors, Kind};
pub use limits::*;
pub use model::*;
pub use source::{At, Place, Source};

impl System {
    /// The system that `text` describes, or every error in it; `file_name` is what errors call the file.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, Errors> {
        let (system, errors) = Self::survey(file_name, text)?;
        match errors {
            None => Ok(system),
            Some(errors) => Err(errors),
        }
    }

    /// The same, with the length in bytes of each file that a memory region is filled with, by its path as written.
    /// Such a region's size follows from its file where none is given, and must hold the file.
    pub fn parse_with(
        file_name: &str,
        text: &str,
        prefill_length: &dyn Fn(&str) -> std::io::Result<u64>,
    ) -> Result<Self, Errors> {
        let source = Source::new(file_name, text);
        let (system, errors) = read::system(&source, Some(prefill_length))?;
        match Errors::new(source, errors) {
            None => Ok(system),
            Some(errors) => Err(errors),
        }
    }

    /// What can be understood of `text`, and the errors in it; fails only when `text` is not XML or has no
    /// `<system>`. What an error is about is left out of the system or has its default value there.
    pub fn survey(file_name: &str, text: &str) -> Result<(Self, Option<Errors>), Errors> {
        let source = Source::new(file_name, text);
        let (system, errors) = read::system(&source, None)?;
        Ok((system, Errors::new(source, errors)))
    }
}

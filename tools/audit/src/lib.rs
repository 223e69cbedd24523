// SPDX-License-Identifier: BSD-2-Clause
//! Who can reach what in a system, by CPU and by DMA, and what is wrong with that.
//!
//! It reads `system.xml` and `ioasid.toml` and nothing else: what the two say is what the kernel's initialiser and
//! the ioasid protection domain enforce. It shares no code with the compiler of `ioasid.toml` beyond the file's
//! grammar, so that it is a second opinion; and it also reads what that compiler would refuse, so that everything
//! that is wrong is seen at once.
//!
//! ```
//! let text = r#"<system>
//!     <memory_region name="ring" size="0x1000" />
//!     <protection_domain name="driver"><program_image path="a.elf" /><map mr="ring" vaddr="0x1000" /></protection_domain>
//!     <protection_domain name="client"><program_image path="b.elf" /><map mr="ring" vaddr="0x1000" perms="r" /></protection_domain>
//! </system>"#;
//! let system = sdf::System::parse("system.xml", text)?;
//! let audit = system_audit::Audit::of(&system, None);
//! assert!(audit.findings.is_empty());
//! assert_eq!(audit.matrix.reach("ring", "client").map(|reach| reach.access.to_string()), Some("r".to_owned()));
//! # Ok::<(), sdf::Errors>(())
//! ```
#![forbid(unsafe_code)]

mod findings;
mod matrix;
mod policy;
mod report;

pub use findings::{Finding, Rule, Severity};
pub use matrix::{Control, Matrix, Ports, Reach, Subject, SubjectKind};
pub use policy::Policy;

use sdf::System;

/// What an audit found.
#[derive(Clone, Debug)]
pub struct Audit {
    /// The files that were read, by name.
    pub files: Vec<String>,
    /// Who reaches what.
    pub matrix: Matrix,
    /// What is wrong, worst first.
    pub findings: Vec<Finding>,
}

impl Audit {
    /// Audits `system` with the `ioasid.toml` that belongs to it, if there is one.
    pub fn of(system: &System, policy: Option<&Policy<'_>>) -> Self {
        let mut files = vec![system.source.name().to_owned()];
        files.extend(policy.map(|policy| policy.file_name.to_owned()));
        Self { files, matrix: Matrix::of(system, policy), findings: findings::all(system, policy) }
    }

    /// Whether nothing is wrong that breaks isolation.
    pub fn passes(&self) -> bool {
        self.findings.iter().all(|finding| finding.rule.severity() != Severity::Error)
    }
}

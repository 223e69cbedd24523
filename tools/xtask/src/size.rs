// SPDX-License-Identifier: BSD-2-Clause
//! How much memory the ioasid domain takes besides its regions: code, constants, data, and the stack that it is given.

use crate::build::{self, BuildArgs};
use crate::embedded;
use crate::system::System;
use crate::workspace;
use miette::{IntoDiagnostic as _, Result, WrapErr as _, miette};
use object::{Object as _, ObjectSection as _, SectionKind};

/// The domain that is measured.
const DOMAIN: &str = "ioasid";

/// Bytes of one kind, and how many there may be.
struct Part {
    name: &'static str,
    kinds: &'static [SectionKind],
    bound: u64,
}

const PARTS: [Part; 4] = [
    Part { name: "code", kinds: &[SectionKind::Text], bound: 224 << 10 },
    Part {
        name: "constants",
        kinds: &[SectionKind::ReadOnlyData, SectionKind::ReadOnlyString],
        bound: 16 << 10,
    },
    Part { name: "data", kinds: &[SectionKind::Data], bound: 1 << 10 },
    Part { name: "zeroed data", kinds: &[SectionKind::UninitializedData], bound: 64 << 10 },
];

/// Builds the reference system and says what the domain takes of each kind; an error where that is more than it may.
pub fn report() -> Result<String> {
    let args = BuildArgs { quiet: true, ..BuildArgs::default() };
    let built = build::build(System::load(None)?, &args)?;
    let file = embedded::programs(&args).join(DOMAIN);
    let bytes = std::fs::read(&file).into_diagnostic().wrap_err_with(|| workspace::display(&file))?;
    let elf = object::File::parse(&*bytes).into_diagnostic().wrap_err_with(|| workspace::display(&file))?;
    let mut said = Vec::new();
    for Part { name, kinds, bound } in PARTS {
        let sections = elf.sections().filter(|section| kinds.contains(&section.kind()));
        let size: u64 = sections.map(|section| section.size()).sum();
        if size > bound {
            return Err(miette!(
                help = "make it smaller, or give the reason beside a new bound in tools/xtask/src/size.rs",
                "{DOMAIN}'s {name} take {size} bytes, and {bound} are the bound"
            ));
        }
        said.push(format!("{name} {size}"));
    }
    let domain = built.system.sdf.protection_domains.iter().find(|domain| domain.name.value == DOMAIN);
    let stack = domain.map_or(0, |domain| domain.stack_size.value);
    Ok(format!("{DOMAIN}: {} bytes, a stack of {stack}", said.join(", ")))
}

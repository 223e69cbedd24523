// SPDX-License-Identifier: BSD-2-Clause
//! How much memory the ioasid domain takes besides its regions: code, constants, data, and what it uses of its stack.

use crate::build::{self, BuildArgs, Built};
use crate::stacks::{self, Peak};
use crate::system::System;
use crate::workspace;
use microkit_sdk::Configuration;
use miette::{IntoDiagnostic as _, Result, WrapErr as _, miette};
use object::{Object as _, ObjectSection as _, SectionKind};
use std::iter;

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
    Part { name: "zeroed data", kinds: &[SectionKind::UninitializedData], bound: 80 << 10 },
];

/// Bytes of its stack that the domain may use. Most are copies of the server on its way out of the functions that make
/// it: from the main loop on down, the frames come to a quarter of this.
const STACK_BOUND: u64 = 96 << 10;

/// The systems in which the domain is driven hardest, beside the reference system.
const ATTACKED: [&str; 2] = ["tests/system/assault", "tests/system/storm"];

/// Builds the reference system and says what the domain takes of each kind, and what every domain of it and of the
/// systems with attackers uses of its stack; an error where the domain takes more than it may.
pub fn report(config: Configuration) -> Result<Vec<String>> {
    let args = BuildArgs { config, quiet: true, ..BuildArgs::default() };
    let built = build::build(System::load(None)?, &args)?;
    let file = built.image.folder.join(DOMAIN).with_extension("elf");
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
    let sizes = format!("{DOMAIN}: {} bytes", said.join(", "));
    Ok(iter::once(sizes).chain(stacks(built, &args)?).collect())
}

/// As [`report`], what it says of the domain alone, as it is built for a debug kernel: with checks that a release does
/// not have.
pub fn check() -> Result<String> {
    let of_domain = |line: &String| line.split_whitespace().any(|word| word.trim_end_matches(':') == DOMAIN);
    Ok(report(Configuration::Debug)?.into_iter().filter(of_domain).collect::<Vec<_>>().join("; "))
}

/// What the domains of each system used of their stacks, a line each; an error where the domain used more than it may.
fn stacks(reference: Built, args: &BuildArgs) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    let attacked = ATTACKED.iter().map(|folder| {
        let system = System::load(Some(&workspace::root().join(folder)))?;
        build::build(system, args)
    });
    for built in iter::once(Ok(reference)).chain(attacked) {
        let built = built?;
        for Peak { domain, used, size } in stacks::measure(&built)? {
            let system = &built.system.name;
            if domain == DOMAIN && used > STACK_BOUND {
                return Err(miette!(
                    help =
                        "make it smaller, or give the reason beside a new bound in tools/xtask/src/size.rs",
                    "{system}: {domain} uses {used} bytes of its stack, and {STACK_BOUND} are the bound"
                ));
            }
            lines.push(format!("{system}: {domain} uses {used} of its stack of {size} bytes"));
        }
    }
    Ok(lines)
}

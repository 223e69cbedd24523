// SPDX-License-Identifier: BSD-2-Clause
//! How much of its stack each domain used in a run: read in the machine's memory, whose stacks come up painted
//! ([`microkit_image::paint`]). The Microkit SDK paints none, so this is for the embedded default.

use crate::build::Built;
use crate::emulator::{Emulator, QemuArgs};
use crate::machine::Machine;
use crate::run::judge;
use crate::workspace;
use microkit_image::layout::PAGE;
use microkit_image::paint;
use miette::{IntoDiagnostic as _, Result, WrapErr as _, miette};
use sdf::ProtectionDomain;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;

/// A page that nobody wrote.
const EMPTY: [u8; 0x1000] = [0; 0x1000];

/// What a domain used of its stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peak {
    /// The domain.
    pub domain: String,
    /// Bytes from the top of its stack to the lowest one that was written. The stack pointer may have been lower by less
    /// than a page: of a larger frame every page is touched (rustc's stack probes), whatever is written in it.
    pub used: u64,
    /// Bytes of its stack.
    pub size: u64,
}

/// Boots a built system, which must end as its machine expects, and says what its domains used.
pub fn measure(built: &Built) -> Result<Vec<Peak>> {
    let memory = std::path::absolute(built.log("stacks.memory")).into_diagnostic()?;
    let machine = Machine { memory_file: Some(memory.clone()), ..Machine::load(&built.system.folder)? };
    let emulator = Emulator::find(&machine, &QemuArgs::default())?;
    let outcome = emulator.boot(&machine, built, "stacks.log", &mut |_| ControlFlow::Continue(()))?;
    let peaks = File::open(&memory).and_then(|file| peaks(&built.system.sdf.protection_domains, file));
    // What is not there need not go.
    let _ = std::fs::remove_file(&memory);
    judge(&built.system, &machine, &outcome)?;
    let peaks = peaks.into_diagnostic().wrap_err_with(|| workspace::display(&memory))?;
    match peaks.iter().find(|peak| peak.used == peak.size) {
        Some(Peak { domain, size, .. }) => Err(miette!(
            help = "give it a larger `stack_size`",
            "{}: {domain} used its stack of {size} bytes to the last one, or its stack was not found",
            built.system.name
        )),
        None => Ok(peaks),
    }
}

/// What each of the domains, in their order, used of its stack in a machine with this memory.
fn peaks(domains: &[ProtectionDomain], mut memory: impl Read) -> io::Result<Vec<Peak>> {
    let sizes: Vec<_> = domains.iter().map(|domain| domain.stack_size.value.next_multiple_of(PAGE)).collect();
    // The words of each stack that still are as they came.
    let mut painted: Vec<HashSet<u64>> = vec![HashSet::new(); sizes.len()];
    let mut page = Vec::new();
    while memory.by_ref().take(PAGE).read_to_end(&mut page)? > 0 {
        // Most of a machine's memory was never touched, and is soon passed over.
        if page != EMPTY {
            for (at, word) in (0..).step_by(8).zip(page.as_chunks().0) {
                // A copy of a word seldom lies where the word itself would.
                if let Some((pd, offset)) = paint::read(u64::from_le_bytes(*word))
                    && offset % PAGE == at
                    && let Some(painted) = painted.get_mut(pd as usize)
                {
                    painted.insert(offset);
                }
            }
        }
        page.clear();
    }
    let peak = |((domain, size), painted): ((&ProtectionDomain, u64), &HashSet<u64>)| {
        let lowest = (0..size).step_by(8).find(|offset| !painted.contains(offset)).unwrap_or(size);
        Peak { domain: domain.name.value.clone(), used: size - lowest, size }
    };
    Ok(domains.iter().zip(sizes).zip(&painted).map(peak).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSTEM: &str = r#"<system>
        <protection_domain name="deep" priority="1" stack_size="0x2000"><program_image path="a.elf" />
        </protection_domain>
        <protection_domain name="idle" priority="1" stack_size="0x1000"><program_image path="a.elf" />
        </protection_domain></system>"#;

    fn page(pd: u32, first: u64) -> Vec<u8> {
        (first..first + PAGE).step_by(8).flat_map(|offset| paint::word(pd, offset).to_le_bytes()).collect()
    }

    #[test]
    fn the_lowest_word_that_was_written_counts_wherever_its_page_lies() {
        let domains = sdf::System::parse("system.xml", SYSTEM).unwrap().protection_domains;
        let (mut upper, mut lower, idle) = (page(0, PAGE), page(0, 0), page(1, 0));
        upper[0x800..].fill(0xaa);
        lower[0xff0..0xff8].fill(0);
        // What the domain reserved and did not write stays painted; a copy of a word elsewhere is none.
        let mut other = vec![0; 0x1000];
        other[..8].copy_from_slice(&lower[0xfe8..0xff0]);
        let mut copied = lower.clone();
        copied[0xfe8..0xff0].fill(1);
        for (lower, used) in [(&lower, 0x1010), (&copied, 0x1018)] {
            let memory = [&other, &upper, &vec![0; 0x3000], &idle, lower].map(Vec::as_slice).concat();
            let peak = |domain: &str, used, size| Peak { domain: domain.into(), used, size };
            assert_eq!(
                peaks(&domains, &*memory).unwrap(),
                [peak("deep", used, 0x2000), peak("idle", 0, 0x1000)]
            );
        }
    }

    #[test]
    fn a_stack_that_is_not_there_was_used_to_its_end() {
        let domains = sdf::System::parse("system.xml", SYSTEM).unwrap().protection_domains;
        let peaks = peaks(&domains, &[1_u8; 0x2000][..]).unwrap();
        assert!(peaks.iter().all(|peak| peak.used == peak.size));
    }
}

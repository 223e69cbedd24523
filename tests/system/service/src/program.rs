// SPDX-License-Identifier: BSD-2-Clause
//! Programs in memory: where one begins, to restart a child with.

use core::ptr::{NonNull, with_exposed_provenance_mut};

use sel4_microkit::{Child, var};

/// Where the entry point stands in a program's ELF header (ELF-64, `e_entry`).
const ENTRY: usize = 0x18;

/// The entry point of the program that is mapped at `program` (`prefill_path="….elf"`, `setvar_vaddr="program"`).
#[must_use]
pub fn entry() -> Option<usize> {
    let start = NonNull::new(with_exposed_provenance_mut::<u8>(*var!(program: usize = 0)))?;
    // SAFETY: an ELF file begins there, and its header is longer; the word is aligned.
    let entry = unsafe { start.add(ENTRY).cast::<u64>().read() };
    usize::try_from(entry).ok()
}

/// Lets the child that runs this program begin anew.
#[must_use]
pub fn restart(child: Child) -> bool {
    entry().is_some_and(|entry| microkit_child::restart(child, entry).is_ok())
}

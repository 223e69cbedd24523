// SPDX-License-Identifier: BSD-2-Clause
//! What of the kernel can be chosen, and the `autoconf.h` that follows.

use std::fmt::Write as _;

use crate::error::Error;
use crate::patch::Patch;
use crate::patches::PATCHES;

/// Which kernel to build. Its ABI (labels, object types, boot information) is the same for every value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Assertions, thread names and the debugging system calls. Kernel messages and `SysDebugPutChar` are
    /// there either way.
    pub debug: bool,
    /// Names of patches to leave out: for tests that show what a patch is for.
    pub without: Vec<String>,
}

impl Config {
    /// The kernel to run and to measure.
    #[must_use]
    pub fn release() -> Self {
        Self::default()
    }

    /// The kernel to look for mistakes with.
    #[must_use]
    pub fn debug() -> Self {
        Self { debug: true, ..Self::default() }
    }

    /// The same kernel with the patch `name` left out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.without.push(name.to_owned());
        self
    }

    /// A short name for people and for folders.
    pub(crate) fn name(&self) -> String {
        let kind = if self.debug { "debug" } else { "release" };
        self.without.iter().fold(kind.to_owned(), |name, patch| name + "-without-" + patch)
    }

    /// The patches to apply.
    ///
    /// # Errors
    /// [`Error::UnknownPatch`] when one that is to be left out does not exist.
    pub(crate) fn patches(&self) -> Result<Vec<&'static Patch>, Error> {
        if let Some(name) = self.without.iter().find(|name| PATCHES.iter().all(|patch| patch.name != **name))
        {
            let known: Vec<_> = PATCHES.iter().map(|patch| patch.name).collect();
            return Err(Error::UnknownPatch { name: name.clone(), known: known.join(", ") });
        }
        Ok(PATCHES.iter().filter(|patch| self.without.iter().all(|name| patch.name != name)).collect())
    }

    /// The text of `autoconf.h`.
    pub(crate) fn autoconf(&self) -> String {
        let mut text = String::new();
        for (name, value) in OPTIONS.iter().chain(if self.debug { DEBUG_OPTIONS } else { &[] }) {
            writeln!(text, "#define CONFIG_{name} {value}")
                .expect("a String takes all that is written to it");
        }
        text
    }
}

/// The options of every kernel built here, in upstream's names without their prefix.
///
/// No IOMMU: the unit belongs to a protection domain. The number of untypeds is the largest for which boot
/// information fits its page.
const OPTIONS: &[(&str, u32)] = &[
    ("ARCH_X86", 1),
    ("ARCH_X86_64", 1),
    ("ARCH_X86_GENERIC", 1),
    ("PLAT_PC99", 1),
    ("WORD_SIZE", 64),
    ("CACHE_LN_SZ", 64),
    ("KERNEL_STACK_BITS", 12),
    // A boot loader need not set a graphics mode.
    ("MULTIBOOT_GRAPHICS_MODE_NONE", 1),
    ("MAX_NUM_NODES", 1),
    // Entry, paging, floating point.
    ("SYSCALL", 1),
    ("FSGSBASE_INST", 1),
    ("HUGE_PAGE", 1),
    ("HAVE_FPU", 1),
    ("FXSAVE", 1),
    ("XSAVE_SIZE", 512),
    ("FPU_MAX_RESTORES_SINCE_SWITCH", 64),
    // Interrupts.
    ("XAPIC", 1),
    ("IRQ_IOAPIC", 1),
    ("MAX_NUM_IOAPIC", 1),
    // Virtual machines.
    ("VTX", 1),
    ("MAX_VPIDS", 32),
    // IPC and scheduling.
    ("FASTPATH", 1),
    ("NUM_DOMAINS", 1),
    ("NUM_PRIORITIES", 256),
    ("TIMER_TICK_MS", 2),
    ("TIME_SLICE", 5),
    // Bounds.
    ("ROOT_CNODE_SIZE_BITS", 14),
    ("MAX_NUM_BOOTINFO_UNTYPED_CAPS", 230),
    ("RETYPE_FAN_OUT_LIMIT", 256),
    ("MAX_NUM_WORK_UNITS_PER_PREEMPTION", 100),
    ("MAX_RMRR_ENTRIES", 32),
    // Messages.
    ("PRINTING", 1),
    ("IRQ_REPORTING", 1),
    ("USER_STACK_TRACE_LENGTH", 16),
];

const DEBUG_OPTIONS: &[(&str, u32)] = &[("DEBUG_BUILD", 1)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_without_a_patch_has_a_name_of_its_own() {
        let config = Config::debug().without("stack-alignment");
        assert_eq!(config.name(), "debug-without-stack-alignment");
        assert_eq!(config.patches().unwrap().len(), PATCHES.len() - 1);
    }

    #[test]
    fn both_kernels_print_and_only_the_debug_kernel_asserts() {
        let (debug, release) = (Config::debug().autoconf(), Config::release().autoconf());
        assert!(debug.contains("CONFIG_PRINTING 1") && release.contains("CONFIG_PRINTING 1"));
        assert!(debug.contains("CONFIG_DEBUG_BUILD 1") && !release.contains("DEBUG_BUILD"));
    }
}

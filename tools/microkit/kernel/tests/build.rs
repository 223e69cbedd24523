// SPDX-License-Identifier: BSD-2-Clause
//! A build's result is complete, the same in every folder, and made once.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::path::Path;

use microkit_kernel::{Config, Kernel, Source, build};

/// What a multiboot loader looks for in the first 8 KiB.
const MULTIBOOT_MAGIC: [u8; 4] = 0x1bad_b002_u32.to_le_bytes();

fn build_in(folder: &Path) -> (Kernel, usize) {
    let source = Source::locate(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut steps = 0;
    let kernel = build(&source, &Config::release(), folder, |_| steps += 1).unwrap();
    (kernel, steps)
}

#[test]
fn the_kernel_is_the_same_to_the_byte_in_any_folder_and_built_once_in_each() {
    // One folder is kept for the next run, so that kernels of different days are compared as well.
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let fresh = tempfile::tempdir().unwrap();
    let fresh = fresh.path().join("another/depth with a space");
    let (first, steps) = build_in(&fresh);
    let (second, _) = build_in(kept);
    assert!(steps > 0 && !first.reused);
    for (a, b) in [(&first.elf32, &second.elf32), (&first.elf64, &second.elf64)] {
        assert!(std::fs::read(a).unwrap() == std::fs::read(b).unwrap(), "{} differs", b.display());
    }
    let (again, steps) = build_in(&fresh);
    assert!(again.reused && steps == 0);
    assert_eq!(again.elf32, first.elf32);

    let elf = std::fs::read(&first.elf32).unwrap();
    assert_eq!(elf[..5], *b"\x7fELF\x01", "a 32-bit ELF");
    assert_eq!(elf[18..20], [3, 0], "for i386");
    assert!(elf[..8192].windows(4).any(|word| word == MULTIBOOT_MAGIC));
    let left: Vec<_> = std::fs::read_dir(&fresh).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing half-made is left beside the result");
}

// SPDX-License-Identifier: BSD-2-Clause
//! Every refusal says what is wrong, where in system.xml, and what to do.

mod common;

use common::{CODE, DATA, Elf, Files, Segment, files, pack};
use object::elf;

const PD: &str = r#"<protection_domain name="a" priority="1"><program_image path="a.elf" />"#;

/// The error of packing the elements.
fn error(elements: &str, files: &Files) -> String {
    pack(elements, files).expect_err("the system is to be refused").to_string()
}

/// The error of packing one domain whose program is what `change` makes of a good one.
fn program(change: impl FnOnce(&mut Elf)) -> String {
    let mut program = Elf::program();
    change(&mut program);
    let files = Files::from([("a.elf", program.bytes())]);
    error(&format!("{PD}</protection_domain>"), &files)
}

/// The error of packing one domain with further elements in it.
fn domain(inner: &str) -> String {
    error(&format!("{PD}{inner}</protection_domain>"), &files())
}

#[track_caller]
fn assert_says(error: &str, message: &str, help: &str) {
    let (first, rest) = error.split_once('\n').expect("an error has a line of help");
    assert_eq!(first, format!("system.xml:{message}"));
    assert_eq!(rest, format!("  help: {help}"));
}

const BUILD: &str = "build it with --config tools/microkit/embedded.toml";
const IMAGE: &str = "2:57: <program_image>: a.elf";

#[test]
fn a_program_that_is_not_there() {
    let error = error(&format!("{PD}</protection_domain>"), &Files::new());
    assert_says(
        &error,
        &format!("{IMAGE} cannot be read: entity not found"),
        "build the program first, or correct the path",
    );
}

#[test]
fn a_program_that_is_no_elf_file() {
    let files = Files::from([("a.elf", b"#!/bin/sh".to_vec())]);
    let error = error(&format!("{PD}</protection_domain>"), &files);
    assert_says(&error, &format!("{IMAGE} is no 64-bit little-endian ELF file"), BUILD);
}

#[test]
fn a_program_for_another_machine() {
    let error = program(|elf| elf.machine = elf::EM_AARCH64);
    assert_says(&error, &format!("{IMAGE} is for machine 183, not x86-64"), BUILD);
}

#[test]
fn a_program_at_no_fixed_address() {
    let error = program(|elf| elf.kind = elf::ET_DYN);
    assert_says(&error, &format!("{IMAGE} is not a static executable at a fixed address (ET_EXEC)"), BUILD);
}

#[test]
fn a_program_that_is_dynamically_linked() {
    let error = program(|elf| {
        let interpreter = Segment { kind: elf::PT_INTERP, ..elf.segments[0].clone() };
        elf.segments.push(interpreter);
    });
    assert_says(&error, &format!("{IMAGE} is dynamically linked"), BUILD);
}

#[test]
fn a_segment_that_is_writable_and_executable() {
    let error = program(|elf| elf.segments[0].flags |= elf::PF_W);
    assert_says(&error, &format!("{IMAGE} has a segment at 0x200000 that is writable and executable"), BUILD);
}

#[test]
fn segments_that_share_a_page() {
    let error = program(|elf| elf.segments[1].vaddr = CODE + 0x800);
    assert_says(&error, &format!("{IMAGE} has segments at 0x200000 and 0x200800 that share a page"), BUILD);
}

#[test]
fn a_segment_with_more_in_the_file_than_in_memory() {
    let error = program(|elf| elf.segments[1].memsz = 0x80);
    assert_says(
        &error,
        &format!("{IMAGE} has a segment at {DATA:#x} with more bytes in the file than in memory"),
        BUILD,
    );
}

#[test]
fn a_segment_beyond_user_space() {
    let error = program(|elf| elf.segments[1].vaddr = 0x8000_0000_0000);
    assert_says(
        &error,
        &format!("{IMAGE} has a segment at 0x800000000000 that ends beyond user space"),
        BUILD,
    );
    let error = program(|elf| elf.segments[1].vaddr = u64::MAX - 0xfff);
    assert_says(
        &error,
        &format!("{IMAGE} has a segment at 0xfffffffffffff000 that ends beyond user space"),
        BUILD,
    );
}

#[test]
fn an_entry_point_outside_the_code() {
    let error = program(|elf| elf.entry = DATA);
    assert_says(&error, &format!("{IMAGE} begins at 0x201000, which lies in no executable segment"), BUILD);
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused_and_never_a_panic() {
    let whole = Elf::program().bytes();
    for len in (0..whole.len()).step_by(7) {
        let files = Files::from([("a.elf", whole[..len].to_vec())]);
        // Without its sections a program has no symbols, but what is loaded may still be whole.
        if let Err(error) = pack(&format!("{PD}</protection_domain>"), &files) {
            assert!(error.to_string().starts_with(&format!("system.xml:{IMAGE}")), "{error}");
        } else {
            assert!(len > 0x2000, "{len} bytes are no program");
        }
    }
}

#[test]
fn a_symbol_that_the_program_has_not() {
    let map = |symbol: &str| {
        let region = r#"<memory_region name="r" size="0x1000" />"#;
        let map = format!(r#"<map mr="r" vaddr="0x400000" setvar_vaddr="{symbol}" />"#);
        error(&format!("{region}{PD}{map}</protection_domain>"), &files())
    };
    assert_says(
        &map("absent"),
        "2:141: <setvar>: a.elf of 'a' has no symbol 'absent'",
        "declare it in the program with memory_region_symbol!(absent: …) or var!(absent: usize = 0) and use it, \
         or take it out of system.xml",
    );
    assert_says(
        &map("Small"),
        "2:141: <setvar>: a.elf of 'a' has no symbol 'Small' (it has 'small')",
        "declare it in the program with memory_region_symbol!(Small: …) or var!(Small: usize = 0) and use it, or \
         take it out of system.xml",
    );
    assert_says(
        &map("small"),
        "2:141: <setvar>: the symbol 'small' of a.elf has 4 bytes",
        "make it a 64-bit variable",
    );
    assert_says(
        &map("nowhere"),
        "2:141: <setvar>: the symbol 'nowhere' of a.elf lies outside its segments",
        "make it a variable with an initial value",
    );
}

#[test]
fn a_symbol_of_the_runtime_that_is_too_small() {
    let error = program(|elf| elf.symbols.iter_mut().for_each(|symbol| symbol.2 = symbol.2.min(32)));
    assert_says(
        &error,
        "2:57: <program_image>: the symbol 'microkit_name' of a.elf is too small",
        "it takes 64 bytes: build the program with this project's runtime",
    );
}

#[test]
fn a_physical_address_that_is_not_known() {
    let region = r#"<memory_region name="r" size="0x1000" />"#;
    let map = r#"<map mr="r" vaddr="0x400000" /><setvar symbol="var" region_paddr="r" />"#;
    let text = format!("<system>\n{region}{PD}{map}</protection_domain></system>");
    // The model refuses it too; this is one that was only looked at.
    let (system, _) = sdf::System::survey("system.xml", &text).unwrap();
    let read = |_: &str| Ok(Elf::program().bytes());
    let error = microkit_packer::pack(&system, &read, &read("").unwrap()).unwrap_err().to_string();
    assert_says(
        &error,
        "2:151: <setvar>: 'r' has no physical address before the system boots",
        "give <memory_region name=\"r\"> a phys_addr",
    );
}

#[test]
fn a_map_over_the_program() {
    let region = r#"<memory_region name="r" size="0x1000" />"#;
    let map = r#"<map mr="r" vaddr="0x202000" />"#;
    let error = error(&format!("{region}{PD}{map}</protection_domain>"), &files());
    assert_says(
        &error,
        "2:124: <map>: 'r' at 0x202000..0x203000 overlaps the segment at 0x201000 of a.elf",
        "map it at an address that is free",
    );
}

#[test]
fn a_program_over_the_stack() {
    let error = program(|elf| {
        elf.symbols.clear();
        elf.segments[1].vaddr = 0x7fff_ffff_c000;
    });
    assert_says(
        &error,
        "2:57: <program_image>: the segment at 0x7fffffffc000 of a.elf overlaps the stack and the IPC buffer",
        "link the program at another address",
    );
}

#[test]
fn what_the_kernel_cannot_do() {
    const SDK: &str = "leave it out here, or build the system with the Microkit SDK";
    let pd = |attributes: &str| {
        let element = format!(
            r#"<protection_domain name="a" priority="1" {attributes}><program_image path="a.elf" />"#
        );
        error(&format!("{element}</protection_domain>"), &files())
    };
    let not = "of 'a' is not possible on this kernel";
    assert_says(
        &pd(r#"budget="500" period="1000""#),
        &format!("2:42: <protection_domain>: the budget (no MCS scheduling) {not}"),
        SDK,
    );
    assert_says(
        &pd(r#"period="2000""#),
        &format!("2:42: <protection_domain>: the period (no MCS scheduling) {not}"),
        SDK,
    );
    let machine = r#"<virtual_machine name="vm"><vcpu id="0" cpu="1" /></virtual_machine>"#;
    let core = format!("2:112: <vcpu>: a core other than 0 (a single-core kernel) {not}");
    assert_says(&domain(machine), &core, SDK);
    let region = r#"<memory_region name="r" size="0x1000" />"#;
    let space = r#"<io_address_space name="s" peripheral_id="0:3.0" domain_id="1"><iomap mr="r" iovaddr="0x0" /></io_address_space>"#;
    let error = error(&format!("{region}{space}{PD}</protection_domain>"), &files());
    assert!(
        error.contains("<io_address_space>: 's': the kernel leaves the IOMMU to a protection domain"),
        "{error}"
    );
}

#[test]
fn a_file_for_a_region_that_is_not_there() {
    let region = r#"<memory_region name="r" size="0x1000" prefill_path="absent.bin" />"#;
    let error = error(&format!("{region}{PD}</protection_domain>"), &files());
    assert!(error.starts_with("system.xml:2:39: <memory_region>: "), "{error}");
    assert!(error.contains("absent.bin"), "{error}");
}

#[test]
fn several_errors_are_all_told() {
    let pds = r#"<protection_domain name="a" priority="1" period="5000"><program_image path="x.elf" /></protection_domain>
        <protection_domain name="b" priority="1"><program_image path="y.elf" /></protection_domain>"#;
    let error = error(pds, &files());
    assert_eq!(error.matches("help: ").count(), 3, "{error}");
}

#[test]
fn an_initialiser_that_is_none() {
    let text = format!("<system>{PD}</protection_domain></system>");
    let system = sdf::System::parse("system.xml", &text).unwrap();
    let read = |_: &str| Ok(Elf::program().bytes());
    let refused =
        |initialiser: &[u8]| microkit_packer::pack(&system, &read, initialiser).unwrap_err().to_string();
    assert_eq!(
        refused(b""),
        "the initialiser's ELF file: is no 64-bit little-endian ELF file\n  help: build the package 'initialiser' again"
    );
    let mut other = Elf::program();
    other.symbols.pop();
    assert_eq!(
        refused(&other.bytes()),
        "the initialiser's ELF file: has no symbol 'microkit_image'\n  help: build the package 'initialiser' again"
    );
}

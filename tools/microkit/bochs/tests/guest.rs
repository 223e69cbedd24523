// SPDX-License-Identifier: BSD-2-Clause
//! A real machine: a multiboot program of a few instructions runs in Bochs, if Bochs is installed.

use std::ops::ControlFlow;

use microkit_bochs::{Bochs, End, Limits, Machine, missing_tools};

const LOAD_ADDRESS: u32 = 0x10_0000;
const HEADER_BYTES: u32 = 32;

/// A flat multiboot program with its addresses in its header: it sends `text` over the serial line, then runs
/// `end`.
fn program(text: &[u8], end: &[u8]) -> Vec<u8> {
    const MAGIC: u32 = 0x1bad_b002;
    const FLAGS: u32 = 1 << 16;
    let entry = LOAD_ADDRESS + HEADER_BYTES;
    let checksum = 0_u32.wrapping_sub(MAGIC).wrapping_sub(FLAGS);
    let header = [MAGIC, FLAGS, checksum, LOAD_ADDRESS, LOAD_ADDRESS, 0, 0, entry];
    let mut image: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
    // Divisor 1, then 8 bits, no parity, one stop bit: Bochs, like a real UART, starts with none of these.
    for (port, value) in [(0x3fb_u16, 0x80_u8), (0x3f8, 1), (0x3f9, 0), (0x3fb, 3)] {
        image.extend(out(port, value));
    }
    for &byte in text {
        // mov dx, 0x3fd; wait: in al, dx; test al, 0x20; jz wait
        image.extend([0x66, 0xba, 0xfd, 0x03, 0xec, 0xa8, 0x20, 0x74, 0xfb]);
        image.extend(out(0x3f8, byte));
    }
    // The last byte leaves the UART before the end. mov dx, 0x3fd; wait: in al, dx; test al, 0x40; jz wait
    image.extend([0x66, 0xba, 0xfd, 0x03, 0xec, 0xa8, 0x40, 0x74, 0xfb]);
    image.extend(end);
    // jmp $
    image.extend([0xeb, 0xfe]);
    image
}

/// mov dx, port; mov al, value; out dx, al
fn out(port: u16, value: u8) -> Vec<u8> {
    let [low, high] = port.to_le_bytes();
    vec![0x66, 0xba, low, high, 0xb0, value, 0xee]
}

/// Runs a program that says hello and ends as `end` has it.
fn run(bochs: &Bochs, end: &[u8]) -> End {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let kernel = folder.path().join("program");
    std::fs::write(&kernel, program(b"hello\n", end)).expect("a writable folder");
    let mut serial = Vec::new();
    let run = bochs
        .boot(&Machine::default(), &kernel, &kernel, folder.path(), Limits::seconds(120), &mut |bytes| {
            serial.extend_from_slice(bytes);
            ControlFlow::Continue(())
        })
        .expect("Bochs is installed");
    assert_eq!(String::from_utf8_lossy(&serial), "hello\n", "{:?}", run.end);
    run.end
}

/// Bochs, or `None` after a look at what is said where it is not installed.
fn bochs() -> Option<Bochs> {
    let missing = missing_tools();
    match Bochs::find() {
        Ok(bochs) => {
            assert!(missing.is_empty());
            Some(bochs)
        }
        Err(error) => {
            assert_eq!(error.to_string(), missing[0].to_string());
            eprintln!("not run: {error}");
            None
        }
    }
}

/// Switches the machine off.
fn shutdown() -> Vec<u8> {
    b"Shutdown".iter().flat_map(|&byte| out(0x8900, byte)).collect()
}

#[test]
fn a_program_boots_prints_and_shuts_the_machine_down() {
    let Some(bochs) = bochs() else { return };
    assert_eq!(run(&bochs, &shutdown()), End::Shutdown);
}

#[test]
fn the_module_fits_into_no_gap_between_sections_of_two_mebibytes() {
    let Some(bochs) = bochs() else { return };
    // Multiboot's structure, in ebx, leads to the first module's start and end:
    // mov eax, [ebx+24]; mov ecx, [eax+4]; sub ecx, [eax]; shr ecx, 21; jz over the shutdown
    let shutdown = shutdown();
    let over = u8::try_from(shutdown.len()).expect("a short jump");
    let mut end = vec![0x8b, 0x43, 24, 0x8b, 0x48, 4, 0x2b, 0x08, 0xc1, 0xe9, 21, 0x74, over];
    end.extend(shutdown);
    // xchg bx, bx
    end.extend([0x66, 0x87, 0xdb]);
    assert_eq!(run(&bochs, &end), End::Shutdown);
}

#[test]
fn a_break_instruction_and_a_triple_fault_end_the_run() {
    let Some(bochs) = bochs() else { return };
    // xchg bx, bx
    assert_eq!(run(&bochs, &[0x66, 0x87, 0xdb]), End::Break);
    // lidt [esp] with six bytes of zeros there, then int3
    assert_eq!(run(&bochs, &[0x6a, 0, 0x6a, 0, 0x0f, 0x01, 0x1c, 0x24, 0xcc]), End::TripleFault);
}

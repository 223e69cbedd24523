// SPDX-License-Identifier: BSD-2-Clause
//! QEMU's configuration device: the files that it has for firmware, among them the ACPI tables of the machine.
use crate::machine::Machine;

/// The file that lists all others.
const DIRECTORY: u16 = 0x19;
const SELECT: u32 = 8;
const READ: u32 = 2;
const ERROR: u32 = 1;
/// Where the device finds what to do, and where it puts what it read.
const REQUEST: u64 = 0x1000;
const BUFFER: u64 = 0x10_0000;

/// The first `bytes` bytes of a file.
fn read(machine: &Machine, file: u16, bytes: usize) -> Vec<u8> {
    let control = u32::from(file) << 16 | SELECT | READ;
    let length = u32::try_from(bytes).expect("a small file");
    // The device is big-endian; words of memory are not.
    let first = [control.to_be_bytes(), length.to_be_bytes()].concat();
    machine.memory.store(REQUEST, u64::from_le_bytes(first.try_into().expect("eight bytes")));
    machine.memory.store(REQUEST + 8, BUFFER.swap_bytes());
    machine.socket.start_firmware_dma(REQUEST);
    let state =
        u32::from_be(u32::try_from(machine.memory.load(REQUEST) & u64::from(u32::MAX)).expect("32 bits"));
    assert_eq!(state & (ERROR | SELECT | READ), 0, "the configuration device has an error");
    let words =
        (0..bytes.div_ceil(8) as u64).flat_map(|word| machine.memory.load(BUFFER + word * 8).to_le_bytes());
    words.take(bytes).collect()
}

/// The contents of the file of this name; `None` where there is none.
#[must_use]
pub fn file(machine: &Machine, name: &str) -> Option<Vec<u8>> {
    const ENTRY: usize = 64;
    let count = read(machine, DIRECTORY, 4);
    let count = usize::try_from(u32::from_be_bytes(count.try_into().ok()?)).ok()?;
    let directory = read(machine, DIRECTORY, 4 + count * ENTRY);
    let entry = directory[4..].chunks(ENTRY).find(|entry| {
        let end = entry[8..].iter().position(|&byte| byte == 0).unwrap_or(ENTRY - 8);
        &entry[8..8 + end] == name.as_bytes()
    })?;
    let size = u32::from_be_bytes(entry[..4].try_into().ok()?);
    let select = u16::from_be_bytes(entry[4..6].try_into().ok()?);
    Some(read(machine, select, usize::try_from(size).ok()?))
}

// SPDX-License-Identifier: BSD-2-Clause
//! The ACPI table that tells a guest where its unit is (VT-d 8).

/// Bytes of the table.
pub const LENGTH: usize = HEADER + UNIT as usize;
/// ACPI's header, the host address width, flags and what is reserved.
const HEADER: usize = HEADER_BYTES as usize;
const HEADER_BYTES: u8 = 48;
/// A unit without scopes of its own.
const UNIT: u8 = 16;

/// A DMAR table with one unit at guest-physical `base`, which has every PCI device of segment 0.
#[must_use]
pub fn table(base: u64) -> [u8; LENGTH] {
    let mut table = [0; LENGTH];
    let mut put = |at: usize, bytes: &[u8]| table[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"DMAR");
    put(4, &[HEADER_BYTES + UNIT]);
    put(8, &[1]);
    put(10, b"IOASIDVIRTVTD ");
    put(24, &[1]);
    put(28, b"IOAS");
    // 48 bits of host address.
    put(36, &[47]);
    // A DRHD structure: type 0, its length, INCLUDE_PCI_ALL.
    put(HEADER + 2, &[UNIT, 0, 1]);
    put(HEADER + 8, &base.to_le_bytes());
    table[9] = table.iter().fold(0u8, |sum, byte| sum.wrapping_sub(*byte));
    table
}

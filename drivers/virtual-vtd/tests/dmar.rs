// SPDX-License-Identifier: BSD-2-Clause
//! The table that tells a guest where its unit is.

use virtual_vtd::dmar;

#[test]
fn the_table_names_one_unit_for_every_device_and_sums_to_zero() {
    let table = dmar::table(0xfed9_0000);
    assert_eq!(&table[..4], b"DMAR");
    assert_eq!(table[4..8], 64u32.to_le_bytes());
    assert_eq!(table.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)), 0);
    // Addresses of 48 bits; a DRHD of 16 bytes with INCLUDE_PCI_ALL, segment 0.
    assert_eq!(table[36], 47);
    assert_eq!(table[48..56], [0, 0, 16, 0, 1, 0, 0, 0]);
    assert_eq!(table[56..64], 0xfed9_0000u64.to_le_bytes());
}

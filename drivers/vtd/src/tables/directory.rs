// SPDX-License-Identifier: BSD-2-Clause
//! Scalable-mode PASID directory entry (VT-d 9.5): 64 PASIDs of one device.
use bitfield_struct::bitfield;

use super::Entry;

/// A directory entry.
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct PasidDirectoryEntry {
    /// P: present.
    pub present: bool,
    /// FPD: faults are not recorded.
    pub fault_disable: bool,
    #[bits(10)]
    __: u16,
    /// SMPTBLPTR: frame number of the PASID table.
    #[bits(52)]
    pub frame: u64,
}
const _: () = assert!(size_of::<PasidDirectoryEntry>() == 8);

// Where the fields are, and that 512 entries fill one frame.
const _: () = {
    assert!(PasidDirectoryEntry::new().with_present(true).into_bits() == 1);
    assert!(PasidDirectoryEntry::new().with_fault_disable(true).into_bits() == 1 << 1);
    assert!(PasidDirectoryEntry::new().with_frame(1).into_bits() == 1 << 12);
    assert!(512 * PasidDirectoryEntry::BYTES == 4096);
};

impl PasidDirectoryEntry {
    /// Bytes in memory.
    pub const BYTES: u64 = 8;
}

impl Entry<1> for PasidDirectoryEntry {
    fn words(self) -> [u64; 1] {
        [self.into_bits()]
    }
    fn from_words([word]: [u64; 1]) -> Self {
        Self::from_bits(word)
    }
}

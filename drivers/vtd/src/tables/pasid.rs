// SPDX-License-Identifier: BSD-2-Clause
//! Scalable-mode PASID table entry (VT-d 9.6): what one PASID of one device may reach.
use bitfield_struct::{bitenum, bitfield};

use super::Entry;

/// PGTT: how addresses are translated.
#[bitenum]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TranslationType {
    /// A reserved encoding.
    #[fallback]
    Reserved = 0,
    /// First stage only.
    FirstStage = 1,
    /// Second stage only.
    SecondStage = 2,
    /// First stage within second stage.
    Nested = 3,
    /// Untranslated.
    PassThrough = 4,
}

/// The first word of a PASID entry.
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct PasidWord0 {
    /// P: present.
    pub present: bool,
    /// FPD: faults are not recorded.
    pub fault_disable: bool,
    /// AW: depth of the second-stage table: 1 = 3 levels, 2 = 4 levels, 3 = 5 levels.
    #[bits(3)]
    pub address_width: u8,
    __: bool,
    /// PGTT: how addresses are translated.
    #[bits(3)]
    pub translation: TranslationType,
    /// SSADE: second-stage accessed and dirty bits.
    pub second_stage_dirty: bool,
    #[bits(2)]
    __: u8,
    /// SSPTPTR: frame number of the second-stage root.
    #[bits(52)]
    pub second_stage: u64,
}

/// The second word of a PASID entry.
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct PasidWord1 {
    /// DID: the domain.
    pub domain: u16,
    #[bits(7)]
    __: u8,
    /// PWSNP: page walks snoop.
    pub walk_snoop: bool,
    /// PGSNP: accesses snoop.
    pub page_snoop: bool,
    #[bits(39)]
    __: u64,
}

/// The third word of a PASID entry.
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct PasidWord2 {
    /// SRE: supervisor requests are allowed.
    pub supervisor: bool,
    __: bool,
    /// FSPM: depth of the first-stage table: 0 = 4 levels, 1 = 5 levels.
    #[bits(2)]
    pub first_stage_mode: u8,
    /// WPE: supervisor writes keep to the write bit.
    pub write_protect: bool,
    #[bits(2)]
    __: u8,
    /// EAFE: the extended accessed flag is in force.
    pub extended_accessed: bool,
    #[bits(4)]
    __: u8,
    /// FSPTPTR: frame number of the first-stage root.
    #[bits(52)]
    pub first_stage: u64,
}

/// A PASID entry, as far as it is used: its words 3 to 7 stay 0, as they are in a fresh table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasidEntry {
    /// Presence, kind and second stage.
    pub word0: PasidWord0,
    /// Domain and snooping.
    pub word1: PasidWord1,
    /// First stage.
    pub word2: PasidWord2,
}

// Where the fields are, and that 64 entries fill one frame.
const _: () = {
    assert!(PasidWord0::new().with_present(true).into_bits() == 1);
    assert!(PasidWord0::new().with_fault_disable(true).into_bits() == 1 << 1);
    assert!(PasidWord0::new().with_address_width(1).into_bits() == 1 << 2);
    assert!(PasidWord0::new().with_translation(TranslationType::FirstStage).into_bits() == 1 << 6);
    assert!(PasidWord0::new().with_translation(TranslationType::PassThrough).into_bits() == 4 << 6);
    assert!(PasidWord0::new().with_second_stage_dirty(true).into_bits() == 1 << 9);
    assert!(PasidWord0::new().with_second_stage(1).into_bits() == 1 << 12);
    assert!(PasidWord1::new().with_domain(0xffff).into_bits() == 0xffff);
    assert!(PasidWord1::new().with_walk_snoop(true).into_bits() == 1 << 23);
    assert!(PasidWord1::new().with_page_snoop(true).into_bits() == 1 << 24);
    assert!(PasidWord2::new().with_supervisor(true).into_bits() == 1);
    assert!(PasidWord2::new().with_first_stage_mode(1).into_bits() == 1 << 2);
    assert!(PasidWord2::new().with_write_protect(true).into_bits() == 1 << 4);
    assert!(PasidWord2::new().with_extended_accessed(true).into_bits() == 1 << 7);
    assert!(PasidWord2::new().with_first_stage(1).into_bits() == 1 << 12);
    assert!(64 * PasidEntry::BYTES == 4096);
};

impl PasidEntry {
    /// Bytes in memory.
    pub const BYTES: u64 = 64;
    /// An entry that denies, and that nothing waits for.
    pub const DENY: Self =
        Self { word0: PasidWord0::new(), word1: PasidWord1::new(), word2: PasidWord2::new() };

    /// Whether the entry denies but its teardown was not confirmed: not present, and not all zero.
    #[must_use]
    pub fn quarantined(&self) -> bool {
        !self.word0.present() && *self != Self::DENY
    }
}

impl Entry<3> for PasidEntry {
    fn words(self) -> [u64; 3] {
        [self.word0.into_bits(), self.word1.into_bits(), self.word2.into_bits()]
    }
    fn from_words(words: [u64; 3]) -> Self {
        Self {
            word0: PasidWord0::from_bits(words[0]),
            word1: PasidWord1::from_bits(words[1]),
            word2: PasidWord2::from_bits(words[2]),
        }
    }
}

impl Entry<1> for PasidWord0 {
    fn words(self) -> [u64; 1] {
        [self.into_bits()]
    }
    fn from_words([word]: [u64; 1]) -> Self {
        Self::from_bits(word)
    }
}

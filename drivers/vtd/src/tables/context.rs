// SPDX-License-Identifier: BSD-2-Clause
//! Scalable-mode context entry (VT-d 9.4): one function, and where its PASID directory is.
use bitfield_struct::bitfield;

use super::Entry;

/// The first word of a context entry.
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct ContextWord0 {
    /// P: present.
    pub present: bool,
    /// FPD: faults are not recorded.
    pub fault_disable: bool,
    /// DTE: translation requests (device TLB) are allowed.
    pub device_tlb: bool,
    /// PASIDE: requests with PASID are allowed.
    pub pasid_enable: bool,
    /// PRE: page requests are allowed.
    pub page_request: bool,
    #[bits(4)]
    __: u8,
    /// PDTS: the directory has 2^(PDTS + 7) entries.
    #[bits(3)]
    pub directory_size: u8,
    /// PASIDDIRPTR: frame number of the directory.
    #[bits(52)]
    pub directory: u64,
}

/// The second word of a context entry.
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct ContextWord1 {
    /// RID_PASID: under which PASID requests without one are looked up (ECAP.RPS).
    #[bits(20)]
    pub rid_pasid: u32,
    /// RID_PRIV: whether those are privileged (ECAP.RPRIVS).
    pub rid_privileged: bool,
    #[bits(43)]
    __: u64,
}

/// A context entry. Its words 2 and 3 are reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScalableContextEntry {
    /// Presence, rights and directory.
    pub word0: ContextWord0,
    /// Requests without PASID.
    pub word1: ContextWord1,
}

// Where the fields are, and that the entries of half a bus fill one frame.
const _: () = {
    assert!(ContextWord0::new().with_present(true).into_bits() == 1);
    assert!(ContextWord0::new().with_fault_disable(true).into_bits() == 1 << 1);
    assert!(ContextWord0::new().with_device_tlb(true).into_bits() == 1 << 2);
    assert!(ContextWord0::new().with_pasid_enable(true).into_bits() == 1 << 3);
    assert!(ContextWord0::new().with_page_request(true).into_bits() == 1 << 4);
    assert!(ContextWord0::new().with_directory_size(1).into_bits() == 1 << 9);
    assert!(ContextWord0::new().with_directory(1).into_bits() == 1 << 12);
    assert!(ContextWord1::new().with_rid_pasid(0xf_ffff).into_bits() == 0xf_ffff);
    assert!(ContextWord1::new().with_rid_privileged(true).into_bits() == 1 << 20);
    assert!(128 * ScalableContextEntry::BYTES == 4096);
};

impl ScalableContextEntry {
    /// Bytes in memory.
    pub const BYTES: u64 = 32;
    /// An entry that denies.
    pub const DENY: Self = Self { word0: ContextWord0::new(), word1: ContextWord1::new() };

    /// Width of the PASIDs that the directory covers (VT-d 9.4: PDTS).
    #[must_use]
    pub fn pasid_bits(&self) -> u8 {
        self.word0.directory_size() + Self::SMALLEST_PASID_BITS
    }

    /// What a directory of PDTS = 0 covers: 128 entries, 64 PASIDs each.
    pub const SMALLEST_PASID_BITS: u8 = 13;
}

impl Entry<1> for ContextWord0 {
    fn words(self) -> [u64; 1] {
        [self.into_bits()]
    }
    fn from_words([word]: [u64; 1]) -> Self {
        Self::from_bits(word)
    }
}

impl Entry<4> for ScalableContextEntry {
    fn words(self) -> [u64; 4] {
        [self.word0.into_bits(), self.word1.into_bits(), 0, 0]
    }
    fn from_words(words: [u64; 4]) -> Self {
        Self { word0: ContextWord0::from_bits(words[0]), word1: ContextWord1::from_bits(words[1]) }
    }
}

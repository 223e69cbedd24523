// SPDX-License-Identifier: BSD-2-Clause
//! Scalable-mode root entry (VT-d 9.2): one bus.
use bitfield_struct::bitfield;

use super::Entry;

/// One half of a root entry: the context table of 128 functions.
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct RootHalf {
    /// LP or UP: the half is present.
    pub present: bool,
    #[bits(11)]
    __: u16,
    /// LCTP or UCTP: frame number of the context table.
    #[bits(52)]
    pub frame: u64,
}

/// A root entry: the lower context table serves devfn 0 to 127, the upper 128 to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootEntry {
    /// Functions 0 to 127.
    pub low: RootHalf,
    /// Functions 128 to 255.
    pub high: RootHalf,
}
const _: () = assert!(size_of::<RootEntry>() == 16);

// Where the fields are, and that the entries of all buses fill one frame.
const _: () = {
    assert!(RootHalf::new().with_present(true).into_bits() == 1);
    assert!(RootHalf::new().with_frame(1).into_bits() == 1 << 12);
    assert!(256 * RootEntry::BYTES == 4096);
};

impl RootEntry {
    /// Bytes in memory.
    pub const BYTES: u64 = 16;
}

impl Entry<2> for RootEntry {
    fn words(self) -> [u64; 2] {
        [self.low.into_bits(), self.high.into_bits()]
    }
    fn from_words(words: [u64; 2]) -> Self {
        Self { low: RootHalf::from_bits(words[0]), high: RootHalf::from_bits(words[1]) }
    }
}

impl Entry<1> for RootHalf {
    fn words(self) -> [u64; 1] {
        [self.into_bits()]
    }
    fn from_words([word]: [u64; 1]) -> Self {
        Self::from_bits(word)
    }
}

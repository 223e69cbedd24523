// SPDX-License-Identifier: BSD-2-Clause
//! What stands in a message word. A word that has a bit set outside its field is refused, so that every
//! message has one spelling only.

use crate::{PartInfo, TypeInfo, ValueInfo};

/// A value that travels in one message word.
pub trait Field: Sized {
    /// The type as data.
    const TYPE: TypeInfo;

    /// The value, or `None` where the word is no spelling of one.
    fn from_word(word: u64) -> Option<Self>;

    /// The one word that spells the value.
    fn to_word(self) -> u64;
}

macro_rules! integers {
    ($($type:ident),*) => {$(
        impl Field for $type {
            const TYPE: TypeInfo = TypeInfo {
                name: stringify!($type),
                doc: "An unsigned integer.",
                bits: <$type>::BITS,
                parts: &[],
            };

            #[inline(always)]
            fn from_word(word: u64) -> Option<Self> {
                Self::try_from(word).ok()
            }

            #[inline(always)]
            fn to_word(self) -> u64 {
                u64::from(self)
            }
        }
    )*};
}

integers!(u16, u32, u64);

/// An id that was allocated: its number, which life of that number, and in which life of the server.
///
/// On the wire: PASID in bits 19:0, generation in 47:32, epoch in 63:48; the rest is zero. A handle that is
/// out of date is recognised by whoever holds the present state; it never reaches what came after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle {
    /// The PASID, 20 bits.
    pub pasid: u32,
    /// Grows each time that the number is handed out anew.
    pub generation: u16,
    /// Grows each time that the server starts anew.
    pub epoch: u16,
}

impl Field for Handle {
    const TYPE: TypeInfo = TypeInfo {
        name: "handle",
        doc: "An id that was allocated: which life of the number, and of the server.",
        bits: 64,
        parts: &[
            PartInfo::new("pasid", 0, 20),
            PartInfo::new("generation", 32, 16),
            PartInfo::new("epoch", 48, 16),
        ],
    };

    #[inline(always)]
    fn from_word(word: u64) -> Option<Self> {
        let pasid = u32::try_from(word & 0xffff_ffff).ok().filter(|&pasid| pasid < 1 << 20)?;
        let generation = u16::try_from(word >> 32 & 0xffff).ok()?;
        let epoch = u16::try_from(word >> 48).ok()?;
        Some(Self { pasid, generation, epoch })
    }

    #[inline(always)]
    fn to_word(self) -> u64 {
        u64::from(self.pasid) | u64::from(self.generation) << 32 | u64::from(self.epoch) << 48
    }
}

/// What a device may do with a page: bit 0 read, bit 1 write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// The device reads memory.
    Read = 1,
    /// The device writes memory.
    Write = 2,
    /// Both.
    ReadWrite = 3,
}

impl Access {
    const VALUES: &[ValueInfo] = &[
        ValueInfo { name: "Read", value: 1, doc: &["The device reads memory."] },
        ValueInfo { name: "Write", value: 2, doc: &["The device writes memory."] },
        ValueInfo { name: "ReadWrite", value: 3, doc: &["Both."] },
    ];

    /// The access of these bits (bit 0 read, bit 1 write), if it is one.
    #[must_use]
    pub fn from_bits(bits: u64) -> Option<Self> {
        match bits {
            1 => Some(Self::Read),
            2 => Some(Self::Write),
            3 => Some(Self::ReadWrite),
            _ => None,
        }
    }

    /// Whether the device may read.
    #[must_use]
    pub fn reads(self) -> bool {
        self as u8 & 1 != 0
    }

    /// Whether the device may write.
    #[must_use]
    pub fn writes(self) -> bool {
        self as u8 & 2 != 0
    }

    /// Whether everything that `other` allows is allowed here too.
    #[must_use]
    pub fn includes(self, other: Self) -> bool {
        self as u8 & other as u8 == other as u8
    }
}

/// A place in a granted region: the region's index in bits 63:48, the offset in bytes below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RegionOffset {
    /// Which of the client's regions, in the order of `ioasid.toml`.
    pub region: u16,
    /// Bytes from its start, below 2^48.
    pub offset: u64,
}

impl Field for RegionOffset {
    const TYPE: TypeInfo = TypeInfo {
        name: "region_offset",
        doc: "A place in a granted region: the client's index of the region, and bytes from its start.",
        bits: 64,
        parts: &[PartInfo::new("offset", 0, 48), PartInfo::new("region", 48, 16)],
    };

    #[inline(always)]
    fn from_word(word: u64) -> Option<Self> {
        Some(Self { region: u16::try_from(word >> 48).ok()?, offset: word & 0xffff_ffff_ffff })
    }

    #[inline(always)]
    fn to_word(self) -> u64 {
        u64::from(self.region) << 48 | self.offset & 0xffff_ffff_ffff
    }
}

/// How much is mapped, and for what: pages of 4 KiB in bits 31:0, [`Access`] in bits 33:32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Extent {
    /// The length in pages of 4 KiB.
    pub pages: u32,
    /// What the device may do there.
    pub access: Access,
}

impl Field for Extent {
    const TYPE: TypeInfo = TypeInfo {
        name: "extent",
        doc: "A length in pages of 4 KiB, and what a device may do there.",
        bits: 64,
        parts: &[
            PartInfo::new("pages", 0, 32),
            PartInfo { name: "access", shift: 32, bits: 2, values: Access::VALUES },
        ],
    };

    #[inline(always)]
    fn from_word(word: u64) -> Option<Self> {
        let pages = u32::try_from(word & 0xffff_ffff).ok()?;
        Some(Self { pages, access: Access::from_bits(word >> 32)? })
    }

    #[inline(always)]
    fn to_word(self) -> u64 {
        u64::from(self.pages) | (self.access as u64) << 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether the word is refused, or is its value's one spelling and inside the type's bits.
    fn has_one_spelling<F: Field>(word: u64) -> bool {
        F::from_word(word).is_none_or(|value| value.to_word() == word && word & !F::TYPE.mask() == 0)
    }

    proptest! {
        #[test]
        fn a_word_that_decodes_encodes_to_itself(word: u64) {
            prop_assert!(has_one_spelling::<Handle>(word));
            prop_assert!(has_one_spelling::<RegionOffset>(word));
            prop_assert!(has_one_spelling::<Extent>(word));
            prop_assert!(has_one_spelling::<u16>(word & 0x1_ffff));
            prop_assert!(has_one_spelling::<u32>(word));
        }

        #[test]
        fn a_handle_survives_the_wire(pasid in 0u32..1 << 20, generation: u16, epoch: u16) {
            let handle = Handle { pasid, generation, epoch };
            prop_assert_eq!(Handle::from_word(handle.to_word()), Some(handle));
        }
    }

    /// The word whose parts have these values, as the table says where they stand.
    fn compose<F: Field>(values: &[(&str, u64)]) -> u64 {
        assert_eq!(F::TYPE.parts.len(), values.len());
        let shift = |name| F::TYPE.parts.iter().find(|part| part.name == name).unwrap().shift;
        values.iter().fold(0, |word, &(name, value)| word | value << shift(name))
    }

    #[test]
    fn parts_stand_where_the_table_says() {
        let handle = Handle { pasid: 0xfffff, generation: 2, epoch: 3 };
        let composed = compose::<Handle>(&[("pasid", 0xfffff), ("generation", 2), ("epoch", 3)]);
        assert_eq!(handle.to_word(), composed);
        let source = RegionOffset { region: 5, offset: 0xffff_ffff_f000 };
        let composed = compose::<RegionOffset>(&[("region", 5), ("offset", 0xffff_ffff_f000)]);
        assert_eq!(source.to_word(), composed);
        for access in [Access::Read, Access::Write, Access::ReadWrite] {
            let composed = compose::<Extent>(&[("pages", 7), ("access", access as u64)]);
            assert_eq!(Extent { pages: 7, access }.to_word(), composed);
        }
        let listed = Access::VALUES.iter().map(|value| value.value);
        assert!(listed.eq((0..8).filter(|&bits| Access::from_bits(bits).is_some())));
    }

    #[test]
    fn a_pasid_has_twenty_bits() {
        assert_eq!(Handle::from_word(1 << 20), None);
        assert_eq!(Handle::from_word(1 << 31), None);
    }

    #[test]
    fn no_access_is_no_extent() {
        assert_eq!(Extent::from_word(1), None);
        assert_eq!(Extent::from_word(1 | 4 << 32), None);
        assert!(Access::ReadWrite.includes(Access::Write));
        assert!(!Access::Read.includes(Access::ReadWrite));
    }
}

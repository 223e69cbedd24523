// SPDX-License-Identifier: BSD-2-Clause
//! PASIDs, ranges of them, and handles.

use crate::Error;
use crate::capacity::BLOCKS;
use core::ops::RangeInclusive;

/// A process address space id: 20 bits (PCIe 6.20), checked once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pasid(u32);

impl Pasid {
    /// The width, in bits.
    pub const BITS: u32 = 20;
    /// The highest one.
    pub const MAX: Self = Self((1 << Self::BITS) - 1);
    /// The reserved one: requests without a PASID. It is never handed out.
    pub const RESERVED: Self = Self(0);

    /// The PASID of this number, if it is one.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if number <= Self::MAX.0 { Some(Self(number)) } else { None }
    }

    /// A PASID out of a number that is one by construction; bits beyond are cut off.
    pub(crate) const fn truncated(number: u32) -> Self {
        Self(number & Self::MAX.0)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The PASID of this number, if it is not above `self`.
    #[inline(always)]
    pub(crate) fn at_most(self, number: u32) -> Option<Self> {
        (number <= self.0).then_some(Self(number))
    }

    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }

    /// The number of its block, in a way in which the compiler sees that it is one.
    #[expect(clippy::cast_possible_truncation, reason = "there are 2^14")]
    pub(crate) const fn block(self) -> u32 {
        (self.0 >> 6) % BLOCKS as u32
    }

    pub(crate) const fn last_of_block(self) -> Self {
        Self(self.0 | (63))
    }

    pub(crate) const fn place(self) -> usize {
        (self.0 & 63) as usize
    }

    /// The one after, if there is one.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        Self::new(self.0 + 1)
    }
}

impl From<PasidRange> for RangeInclusive<u32> {
    fn from(range: PasidRange) -> Self {
        range.min.0..=range.max.0
    }
}

impl core::fmt::Display for Pasid {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// Which life of a number a handle is of.
///
/// It has 16 bits and wraps: a handle that is kept while its number is handed out 65,536 times more is taken for
/// the present one. The owner is checked beside it, so only the set's own ids can be mistaken for each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Generation(u16);

impl Generation {
    /// The generation with this number.
    #[must_use]
    pub const fn from_raw(number: u16) -> Self {
        Self(number)
    }

    /// The one after.
    pub(crate) const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    /// The number.
    #[must_use]
    pub const fn raw(self) -> u16 {
        self.0
    }
}

/// One life of an id: what a client holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle {
    /// The number, which hardware sees.
    pub pasid: Pasid,
    /// Which life of it.
    pub generation: Generation,
}

/// From where to where an id may be, both inclusive; checked once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PasidRange {
    min: Pasid,
    max: Pasid,
}

impl PasidRange {
    /// Every PASID but the reserved one. A registry whose [`max_pasid`](crate::Registry::max_pasid) is lower refuses it.
    pub const ALL: Self = Self { min: Pasid(1), max: Pasid::MAX };
    /// No PASID: nothing is within it.
    pub const EMPTY: Self = Self { min: Pasid::MAX, max: Pasid::RESERVED };

    /// From `min` to `max`, both inclusive. PASID 0 is reserved: a range that begins with it begins with 1.
    ///
    /// # Errors
    /// [`Error::InvalidRange`] where min > max, where a bound is no PASID (`INVALID_IOASID`, 0xFFFF_FFFF, is
    /// none), and where the range holds nothing but 0.
    pub const fn new(min: u32, max: u32) -> Result<Self, Error> {
        let min = if min == 0 { 1 } else { min };
        if min > max || max > Pasid::MAX.0 {
            return Err(Error::InvalidRange);
        }
        Ok(Self { min: Pasid(min), max: Pasid(max) })
    }

    /// The lowest id that will do.
    #[must_use]
    pub const fn min(self) -> Pasid {
        self.min
    }

    /// The highest id that will do.
    #[must_use]
    pub const fn max(self) -> Pasid {
        self.max
    }

    /// What is in both, if anything is.
    #[inline]
    #[must_use]
    pub fn overlap(self, other: Self) -> Option<Self> {
        let (min, max) = (self.min.max(other.min), self.max.min(other.max));
        (min <= max).then_some(Self { min, max })
    }

    /// Whether an id is in it.
    #[must_use]
    pub fn contains(self, pasid: Pasid) -> bool {
        self.min <= pasid && pasid <= self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(min: u32, max: u32) -> PasidRange {
        PasidRange::new(min, max).unwrap()
    }

    #[test]
    fn the_overlap_of_two_ranges_is_what_is_in_both() {
        for (one, other, both) in [
            ((1, 10), (5, 20), Some((5, 10))),
            ((5, 20), (1, 10), Some((5, 10))),
            ((1, 30), (5, 6), Some((5, 6))),
            ((1, 5), (5, 9), Some((5, 5))),
            ((1, 4), (5, 9), None),
        ] {
            let overlap = range(one.0, one.1).overlap(range(other.0, other.1));
            assert_eq!(overlap, both.map(|(min, max)| range(min, max)));
        }
    }

    #[test]
    fn nothing_is_in_the_empty_range() {
        let empty = PasidRange::EMPTY;
        assert_eq!((empty.overlap(range(10, 20)), empty.contains(Pasid::MAX)), (None, false));
    }

    #[test]
    fn a_number_up_to_a_pasid_is_one() {
        let seven = Pasid::truncated(7);
        for (number, pasid) in [(0, Some(0)), (7, Some(7)), (8, None), (u32::MAX, None)] {
            assert_eq!(seven.at_most(number).map(Pasid::get), pasid);
        }
    }

    #[test]
    fn a_pasid_is_shown_as_hardware_counts() {
        assert_eq!(Pasid::MAX.to_string(), "0xfffff");
    }

    #[test]
    fn a_generation_wraps() {
        assert_eq!(Generation(7).next(), Generation(8));
        assert_eq!(Generation(0xffff).next(), Generation(0));
    }

    #[test]
    fn a_block_has_64_pasids() {
        let pasid = Pasid::truncated(130);
        assert_eq!((pasid.block(), pasid.place(), pasid.last_of_block().get()), (2, 2, 191));
        assert_eq!((pasid.next().map(Pasid::get), Pasid::MAX.next()), (Some(131), None));
    }
}

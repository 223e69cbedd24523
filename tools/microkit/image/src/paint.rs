// SPDX-License-Identifier: BSD-2-Clause
//! What stacks hold before their domains run: each word says whose it is and where in the stack it lies.
//!
//! The words of a stack that still say so, in the machine's memory, were never written; the lowest one that does not is
//! how deep the domain went. No list of physical addresses is needed for that.

/// The upper half of each word.
const MARK: u64 = 0x7374_6163 << 32;
/// Where the domain stands in a word, above the word's place in the stack.
const DOMAIN_SHIFT: u32 = 24;
/// Bytes of a word.
pub const WORD: u64 = 8;

/// What the word `offset` bytes above the bottom of the stack of domain `pd` holds. A stack of 128 MiB is the largest
/// whose words all differ; Microkit's are 16 MiB at most.
#[must_use]
pub const fn word(pd: u32, offset: u64) -> u64 {
    MARK | (pd as u64) << DOMAIN_SHIFT | (offset / WORD)
}

/// Whose stack's word this is and how many bytes above its bottom, where it is one.
#[must_use]
pub const fn read(word: u64) -> Option<(u32, u64)> {
    if word >> 32 != MARK >> 32 {
        return None;
    }
    let low = word & 0xffff_ffff;
    #[allow(clippy::cast_possible_truncation, reason = "eight bits are left")]
    let pd = (low >> DOMAIN_SHIFT) as u32;
    Some((pd, (low & ((1 << DOMAIN_SHIFT) - 1)) * WORD))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_whose_it_is_and_where() {
        for (pd, offset) in [(0, 0), (62, 0x1000 - 8), (5, (16 << 20) - 8)] {
            assert_eq!(read(word(pd, offset)), Some((pd, offset)));
        }
        assert_eq!(read(0), None);
        assert_eq!(read(word(0, 0) ^ 1 << 63), None);
    }
}

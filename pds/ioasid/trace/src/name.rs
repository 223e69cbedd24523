// SPDX-License-Identifier: BSD-2-Clause
//! Names of sets and devices.

/// A name of at most 24 bytes of UTF-8, as it stands in three words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name([u8; 24]);

impl Name {
    /// The name, cut to the last whole character that fits.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut bytes = [0; 24];
        let len = name.floor_char_boundary(bytes.len());
        bytes[..len].copy_from_slice(&name.as_bytes()[..len]);
        Self(bytes)
    }

    /// The name; what is not UTF-8 reads as "?".
    #[must_use]
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|&byte| byte == 0).unwrap_or(self.0.len());
        core::str::from_utf8(&self.0[..end]).unwrap_or("?")
    }

    pub(crate) fn to_words(self) -> [u64; 3] {
        let (words, _) = self.0.as_chunks();
        [0, 1, 2].map(|word| words.get(word).map_or(0, |bytes| u64::from_le_bytes(*bytes)))
    }

    pub(crate) fn from_words(words: [u64; 3]) -> Self {
        let mut bytes = [0; 24];
        bytes.as_chunks_mut().0.iter_mut().zip(words).for_each(|(bytes, word)| *bytes = word.to_le_bytes());
        Self(bytes)
    }
}

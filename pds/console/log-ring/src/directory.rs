// SPDX-License-Identifier: BSD-2-Clause
//! Whose ring is where: the build reads it off `system.xml`, so that a prefix in the log is not the writer's word.

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// Channel ids of a protection domain are below this.
pub const MAX_CHANNELS: usize = 63;

/// One domain that logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Entry {
    /// Where the console maps the ring; 0: no ring on this channel.
    pub vaddr: u64,
    name: [u8; 24],
}

impl Entry {
    /// The entry of the domain `name`, which is cut to 24 bytes.
    #[must_use]
    pub fn new(name: &str, vaddr: u64) -> Self {
        let mut bytes = [0; 24];
        bytes.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
        Self { vaddr, name: bytes }
    }

    /// The domain's name.
    #[must_use]
    pub fn name(&self) -> &str {
        let end = self.name.iter().position(|&byte| byte == 0).unwrap_or(self.name.len());
        core::str::from_utf8(&self.name[..end]).unwrap_or("?")
    }
}

/// The console's rings, by channel id. Lies at the start of the region `console_directory`.
#[derive(Clone, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Directory {
    entries: [Entry; MAX_CHANNELS],
}

impl Default for Directory {
    fn default() -> Self {
        Self::new_zeroed()
    }
}

impl Directory {
    /// The directory at the start of `memory`, where that is large enough.
    #[must_use]
    pub fn read(memory: &[u8]) -> Option<&Self> {
        Some(Self::ref_from_prefix(memory).ok()?.0)
    }

    /// Puts the domain behind `channel` in; `None` where there is no such channel.
    pub fn set(&mut self, channel: usize, entry: Entry) -> Option<()> {
        *self.entries.get_mut(channel)? = entry;
        Some(())
    }

    /// The domain behind `channel`, if it has a ring.
    #[must_use]
    pub fn get(&self, channel: usize) -> Option<&Entry> {
        self.entries.get(channel).filter(|entry| entry.vaddr != 0)
    }

    /// The directory as it goes into the image.
    #[must_use]
    pub fn to_bytes(&self) -> &[u8] {
        self.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_by_its_channel() {
        let mut directory = Directory::default();
        assert_eq!(directory.set(3, Entry::new("guest_a", 0x3000)), Some(()));
        assert_eq!(directory.set(MAX_CHANNELS, Entry::new("x", 1)), None);
        let entry = directory.get(3).unwrap();
        assert_eq!((entry.name(), entry.vaddr), ("guest_a", 0x3000));
        assert_eq!(directory.get(2), None);
        assert_eq!(directory.get(1000), None);
    }
}

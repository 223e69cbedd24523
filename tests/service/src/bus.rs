// SPDX-License-Identifier: BSD-2-Clause
//! PCI configuration space in software: functions that are there and can be switched, and nothing else.

use std::collections::BTreeMap;

use pci::{Address, ConfigSpace};

const ID: u16 = 0x00;
const COMMAND: u16 = 0x04;
/// Where a function has its PASID capability, if it has one: the first of its extended ones.
const PASIDS: u16 = 0x100;

/// One bus with some functions on it.
#[derive(Clone, Debug, Default)]
pub struct Bus(BTreeMap<(u16, u16), u32>);

impl Bus {
    /// A bus with functions at these requester ids.
    #[must_use]
    pub fn new(sources: impl IntoIterator<Item = u16>) -> Self {
        Self(sources.into_iter().map(|source| ((source, ID), 0x11e8_1234)).collect())
    }

    /// One more function, which firmware left sending requests.
    pub(crate) fn add(&mut self, source: u16) {
        self.0.insert((source, ID), 0x11e8_1234);
        self.0.insert((source, COMMAND), 1 << 2);
    }

    /// Gives a function requests with PASIDs of so many bits.
    pub(crate) fn send_pasids(&mut self, source: u16, bits: u8) {
        self.0.insert((source, PASIDS), 0x0001_001b);
        self.0.insert((source, PASIDS + 4), u32::from(bits) << 8);
    }

    /// Whether the function's requests with PASIDs are switched on.
    #[must_use]
    pub fn sends_pasids(&self, source: u16) -> bool {
        self.0.get(&(source, PASIDS + 4)).is_some_and(|word| word >> 16 & 1 == 1)
    }

    /// Whether the function may send requests.
    #[must_use]
    pub fn is_master(&self, source: u16) -> bool {
        self.0.get(&(source, COMMAND)).is_some_and(|command| command >> 2 & 1 == 1)
    }
}

impl ConfigSpace for &mut Bus {
    fn buses(&self) -> u16 {
        1
    }

    fn read(&self, function: Address, offset: u16) -> u32 {
        let id = function.requester_id();
        let there = self.0.contains_key(&(id, ID));
        self.0.get(&(id, offset)).copied().unwrap_or(if there { 0 } else { u32::MAX })
    }

    fn write(&mut self, function: Address, offset: u16, value: u32) {
        self.0.insert((function.requester_id(), offset), value);
    }
}

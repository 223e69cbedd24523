// SPDX-License-Identifier: BSD-2-Clause
//! One function's registers.

use core::ops::RangeInclusive;

use thiserror::Error;

use crate::{Address, ConfigSpace};

/// Register offsets, in bytes.
mod register {
    pub const ID: u16 = 0x00;
    pub const COMMAND: u16 = 0x04;
    pub const HEADER_TYPE: u16 = 0x0c;
    pub const BAR0: u16 = 0x10;
    /// Of a bridge: primary, secondary, subordinate bus.
    pub const BUSES: u16 = 0x18;
    pub const CAPABILITIES: u16 = 0x34;
    pub const EXTENDED_CAPABILITIES: u16 = 0x100;
}

/// Command register bits (6.2.2). The upper half is the status register, whose bits are cleared by writing ones.
mod command {
    pub const MEMORY: u32 = 1 << 1;
    pub const BUS_MASTER: u32 = 1 << 2;
    pub const NO_INTX: u32 = 1 << 10;
    pub const HAS_CAPABILITIES: u32 = 1 << 20;
}

/// The id of the MSI capability, and its bits (6.8.1).
mod msi {
    pub const ID: u32 = 0x05;
    pub const ENABLE: u32 = 1 << 16;
    /// How many messages are enabled, as a power of two.
    pub const MULTIPLE: u32 = 0b111 << 20;
    pub const ADDRESS_64: u32 = 1 << 23;
}

/// The id of the PASID extended capability; its capability register is the lower half of the word behind the header,
/// its control register the upper (PCIe, "PASID Extended Capability Structure").
mod pasid {
    pub const ID: u32 = 0x1b;
    /// Bits 12:8: how many bits the function's PASIDs have.
    pub const WIDTH: u32 = 8;
    pub const ENABLE: u32 = 1 << 16;
}

/// The message of an interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Msi {
    /// Where it is written.
    pub address: u32,
    /// What is written.
    pub data: u16,
}

/// Why a function cannot be set up as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// No function answers at the address.
    #[error("no function is there")]
    Absent,
    /// The BAR is not there, or not one for memory.
    #[error("BAR {0} is not there, or not one for memory")]
    NoBar(u8),
    /// The BAR does not take the address: not aligned to its size, or beyond its width.
    #[error("BAR {bar} does not take {address:#x}: its size is {bytes:#x} bytes")]
    BarAddress {
        /// The BAR.
        bar: u8,
        /// What it was given.
        address: u64,
        /// Its size.
        bytes: u64,
    },
    /// The function has no MSI capability.
    #[error("it has no MSI capability")]
    NoMsi,
}

/// A function that answers.
#[derive(Debug)]
pub struct Function<'a, C> {
    space: &'a mut C,
    address: Address,
}

impl<'a, C: ConfigSpace> Function<'a, C> {
    /// The function at `address`.
    ///
    /// # Errors
    /// [`Error::Absent`].
    pub fn find(space: &'a mut C, address: Address) -> Result<Self, Error> {
        if space.read(address, register::ID) & 0xffff == 0xffff {
            Err(Error::Absent)
        } else {
            Ok(Self { space, address })
        }
    }

    /// Vendor in 15:0, device in 31:16.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.space.read(self.address, register::ID)
    }

    /// Lets the function send requests, or stops it.
    pub fn set_bus_master(&mut self, on: bool) {
        self.change_command(command::BUS_MASTER, on);
    }

    /// Whether the function may send requests.
    #[must_use]
    pub fn is_bus_master(&self) -> bool {
        self.space.read(self.address, register::COMMAND) & command::BUS_MASTER != 0
    }

    /// Moves memory BAR `bar` to `address` and lets the function answer there; gives its size in bytes.
    ///
    /// # Errors
    /// [`Error::NoBar`], [`Error::BarAddress`]: it answers nowhere then.
    pub fn place_bar(&mut self, bar: u8, address: u64) -> Result<u64, Error> {
        let offset = register::BAR0 + 4 * u16::from(bar);
        // While it is sized and moved it must not answer anywhere.
        self.change_command(command::MEMORY, false);
        let wide = self.is_wide(bar);
        let of_memory = self.space.read(self.address, offset) & 1 == 0;
        if bar > 5 || !of_memory || wide && bar == 5 || self.is_upper_half(bar) {
            return Err(Error::NoBar(bar));
        }
        self.write_bar(offset, wide, u64::MAX);
        let mask = self.read_bar(offset, wide);
        if mask == 0 {
            return Err(Error::NoBar(bar));
        }
        let bytes = 1 << mask.trailing_zeros();
        self.write_bar(offset, wide, address);
        if self.read_bar(offset, wide) != address {
            return Err(Error::BarAddress { bar, address, bytes });
        }
        self.change_command(command::MEMORY, true);
        Ok(bytes)
    }

    /// Whether BAR `bar`, if it is one, is for memory and has 64 bits: the upper half is where the next would be (PCI
    /// 7.5.1.2.1).
    fn is_wide(&self, bar: u8) -> bool {
        self.space.read(self.address, register::BAR0 + 4 * u16::from(bar)) & 0b111 == 0b100
    }

    /// Whether the upper half of another is in the place of BAR `bar`.
    fn is_upper_half(&self, bar: u8) -> bool {
        (0..bar).fold(false, |upper, before| !upper && self.is_wide(before))
    }

    fn read_bar(&self, offset: u16, wide: bool) -> u64 {
        let low = u64::from(self.space.read(self.address, offset) & !0xf);
        let high = if wide { u64::from(self.space.read(self.address, offset + 4)) } else { 0 };
        high << 32 | low
    }

    fn write_bar(&mut self, offset: u16, wide: bool, value: u64) {
        let (low, high) = halves(value);
        self.space.write(self.address, offset, low);
        if wide {
            self.space.write(self.address, offset + 4, high);
        }
    }

    /// Makes the function interrupt by `message` instead of by a line.
    ///
    /// # Errors
    /// [`Error::NoMsi`].
    pub fn enable_msi(&mut self, message: Msi) -> Result<(), Error> {
        let at = self.capability(msi::ID).ok_or(Error::NoMsi)?;
        let control = self.space.read(self.address, at) & !msi::MULTIPLE;
        self.space.write(self.address, at, control & !msi::ENABLE);
        self.space.write(self.address, at + 4, message.address);
        let data = if control & msi::ADDRESS_64 != 0 {
            self.space.write(self.address, at + 8, 0);
            at + 12
        } else {
            at + 8
        };
        self.space.write(self.address, data, u32::from(message.data));
        self.space.write(self.address, at, control | msi::ENABLE);
        self.change_command(command::NO_INTX, true);
        Ok(())
    }

    /// Lets the function send requests with a PASID, without asking to execute or for privilege; gives how many bits
    /// its PASIDs have, 1 to 20. `None` where it has no such requests.
    pub fn enable_pasids(&mut self) -> Option<u8> {
        let at = self.extended_capability(pasid::ID)? + 4;
        let word = self.space.read(self.address, at);
        let width =
            u8::try_from(word >> pasid::WIDTH & 0x1f).ok().filter(|width| (1..=20).contains(width))?;
        self.space.write(self.address, at, word & 0xffff | pasid::ENABLE);
        Some(width)
    }

    /// Where the extended capability `id` begins (PCIe, "PCI Express Extended Capabilities").
    fn extended_capability(&self, id: u32) -> Option<u16> {
        let next = |word: u32| u16::try_from(word >> 20 & 0xffc).ok().filter(|&at| at >= 0x100);
        // A list without a loop has at most so many members between 0x100 and 0xfff.
        let list = core::iter::successors(Some(register::EXTENDED_CAPABILITIES), |&at| {
            next(self.space.read(self.address, at))
        });
        list.take(960).find(|&at| self.space.read(self.address, at) & 0xffff == id)
    }

    /// Where the capability `id` begins.
    fn capability(&self, id: u32) -> Option<u16> {
        if self.space.read(self.address, register::COMMAND) & command::HAS_CAPABILITIES == 0 {
            return None;
        }
        let pointer = |word: u32| u16::try_from(word & 0xfc).ok().filter(|&at| at != 0);
        let first = pointer(self.space.read(self.address, register::CAPABILITIES))?;
        // A list without a loop has at most so many members between 0x40 and 0xff.
        let list = core::iter::successors(Some(first), |&at| pointer(self.space.read(self.address, at) >> 8))
            .take(48);
        list.into_iter().find(|&at| self.space.read(self.address, at) & 0xff == id)
    }

    fn change_command(&mut self, bits: u32, on: bool) {
        // Zeros in the status half clear nothing there.
        let old = self.space.read(self.address, register::COMMAND) & 0xffff;
        self.space.write(self.address, register::COMMAND, if on { old | bits } else { old & !bits });
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the halves are taken on purpose")]
fn halves(value: u64) -> (u32, u32) {
    (value as u32, (value >> 32) as u32)
}

/// The buses behind a bridge, from its secondary to its subordinate one; `None` where the function is no bridge.
pub fn buses_behind<C: ConfigSpace>(space: &C, bridge: Address) -> Option<RangeInclusive<u8>> {
    let there = space.read(bridge, register::ID) & 0xffff != 0xffff;
    if !there || space.read(bridge, register::HEADER_TYPE) >> 16 & 0x7f != 1 {
        return None;
    }
    let [_, secondary, subordinate, _] = space.read(bridge, register::BUSES).to_le_bytes();
    Some(secondary..=subordinate)
}

/// Every function that answers, of every bus that can be reached.
pub fn functions<C: ConfigSpace>(space: &C) -> impl Iterator<Item = Address> {
    let ids = 0..=u16::try_from(u32::from(space.buses()) * 256).map_or(u16::MAX, |ids| ids.saturating_sub(1));
    ids.map(Address::from_requester_id).filter(move |&address| {
        // A device of one function may answer at all eight of its addresses (6.2.1).
        let many = || space.read(address.function_zero(), register::HEADER_TYPE) >> 23 & 1 == 1;
        space.read(address, register::ID) & 0xffff != 0xffff && (address == address.function_zero() || many())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Functions with a 1 MiB memory BAR 0, an I/O BAR 1, one of 64 bits in 2 and 3, and an MSI capability at 0x40.
    #[derive(Default)]
    struct Fake(BTreeMap<(Address, u16), u32>);

    const DEVICE: Address = Address::from_requester_id(3 << 3);

    /// The lower half of BAR 2.
    const WIDE: u16 = register::BAR0 + 8;

    impl Fake {
        fn with(addresses: &[Address]) -> Self {
            let mut fake = Self::default();
            for &address in addresses {
                let words = [
                    (register::ID, 0x11e8_1234),
                    (register::COMMAND, command::HAS_CAPABILITIES),
                    (register::BAR0 + 4, 1),
                    (WIDE, 0b100),
                    (register::CAPABILITIES, 0x50),
                    (0x50, 0x4001),
                    (0x40, msi::ADDRESS_64 | msi::ID),
                ];
                fake.0.extend(words.map(|(offset, value)| ((address, offset), value)));
            }
            fake
        }
    }

    impl ConfigSpace for Fake {
        fn buses(&self) -> u16 {
            1
        }

        fn read(&self, function: Address, offset: u16) -> u32 {
            let there = self.0.contains_key(&(function, register::ID));
            self.0.get(&(function, offset)).copied().unwrap_or(if there { 0 } else { u32::MAX })
        }

        fn write(&mut self, function: Address, offset: u16, value: u32) {
            let value = match offset {
                register::BAR0 => value & !0xf_ffff,
                WIDE => value & !0xf_ffff | 0b100,
                register::COMMAND => value & 0xffff | command::HAS_CAPABILITIES,
                _ => value,
            };
            self.0.insert((function, offset), value);
        }
    }

    #[test]
    fn a_bar_is_placed_and_its_size_told() {
        let mut fake = Fake::with(&[DEVICE]);
        let mut function = Function::find(&mut fake, DEVICE).unwrap();
        assert_eq!(function.place_bar(0, 0xd010_0000), Ok(0x10_0000));
        assert_eq!(fake.read(DEVICE, register::BAR0), 0xd010_0000);
        assert_eq!(fake.read(DEVICE, register::COMMAND) & command::MEMORY, command::MEMORY);
    }

    #[test]
    fn a_bar_that_does_not_take_the_address_answers_nowhere() {
        let mut fake = Fake::with(&[DEVICE]);
        let mut function = Function::find(&mut fake, DEVICE).unwrap();
        let refused = Error::BarAddress { bar: 0, address: 0xd008_0000, bytes: 0x10_0000 };
        assert_eq!(function.place_bar(0, 0xd008_0000), Err(refused));
        assert_eq!(function.place_bar(1, 0xd000_0000), Err(Error::NoBar(1)));
    }

    #[test]
    fn the_upper_half_of_a_bar_is_none() {
        let mut fake = Fake::with(&[DEVICE]);
        let mut function = Function::find(&mut fake, DEVICE).unwrap();
        assert_eq!(function.place_bar(2, 0x40_0010_0000), Ok(0x10_0000));
        assert_eq!(function.place_bar(3, 0xd000_0000), Err(Error::NoBar(3)));
        assert_eq!((fake.read(DEVICE, WIDE), fake.read(DEVICE, WIDE + 4)), (0x10_0004, 0x40));
    }

    #[test]
    fn bus_mastering_is_switched_alone() {
        let mut fake = Fake::with(&[DEVICE]);
        let mut function = Function::find(&mut fake, DEVICE).unwrap();
        function.set_bus_master(true);
        assert!(function.is_bus_master());
        function.place_bar(0, 0xd000_0000).unwrap();
        function.set_bus_master(false);
        assert!(!function.is_bus_master());
        assert_eq!(fake.read(DEVICE, register::COMMAND) & command::MEMORY, command::MEMORY);
    }

    #[test]
    fn msi_is_found_behind_other_capabilities() {
        let mut fake = Fake::with(&[DEVICE]);
        Function::find(&mut fake, DEVICE)
            .unwrap()
            .enable_msi(Msi { address: 0xfee0_0000, data: 0x31 })
            .unwrap();
        assert_eq!(fake.read(DEVICE, 0x44), 0xfee0_0000);
        assert_eq!(fake.read(DEVICE, 0x4c), 0x31);
        assert_eq!(fake.read(DEVICE, 0x40) & msi::ENABLE, msi::ENABLE);
        assert_eq!(fake.read(DEVICE, register::COMMAND) & command::NO_INTX, command::NO_INTX);
    }

    #[test]
    fn pasids_are_enabled_behind_other_extended_capabilities() {
        let mut fake = Fake::with(&[DEVICE]);
        assert_eq!(Function::find(&mut fake, DEVICE).unwrap().enable_pasids(), None);
        fake.0.extend([
            ((DEVICE, 0x100), 0x2001_0001),
            ((DEVICE, 0x200), 0x0001_001b),
            ((DEVICE, 0x204), 0x1006),
        ]);
        assert_eq!(Function::find(&mut fake, DEVICE).unwrap().enable_pasids(), Some(16));
        assert_eq!(fake.read(DEVICE, 0x204), 0x1006 | pasid::ENABLE);
        // A width that no function has is none.
        fake.0.insert((DEVICE, 0x204), 0x1f00);
        assert_eq!(Function::find(&mut fake, DEVICE).unwrap().enable_pasids(), None);
    }

    #[test]
    fn an_extended_list_that_loops_ends() {
        let mut fake = Fake::with(&[DEVICE]);
        fake.0.extend([((DEVICE, 0x100), 0x2001_0001), ((DEVICE, 0x200), 0x1001_0002)]);
        assert_eq!(Function::find(&mut fake, DEVICE).unwrap().enable_pasids(), None);
    }

    #[test]
    fn a_list_that_loops_ends() {
        let mut fake = Fake::with(&[DEVICE]);
        fake.0.insert((DEVICE, 0x40), 0x5001);
        let mut function = Function::find(&mut fake, DEVICE).unwrap();
        assert_eq!(function.enable_msi(Msi { address: 0, data: 0 }), Err(Error::NoMsi));
    }

    #[test]
    fn a_bridge_says_which_buses_are_behind_it() {
        let mut fake = Fake::with(&[DEVICE]);
        assert_eq!(buses_behind(&fake, DEVICE), None);
        fake.0.extend([
            ((DEVICE, register::HEADER_TYPE), 0x0081_0000),
            ((DEVICE, register::BUSES), 0x00_05_02_00),
        ]);
        assert_eq!(buses_behind(&fake, DEVICE), Some(2..=5));
        assert_eq!(buses_behind(&fake, Address::from_requester_id(0)), None);
    }

    #[test]
    fn every_function_is_met_once() {
        let ghost = Address::from_requester_id(3 << 3 | 1);
        let fake = Fake::with(&[DEVICE, ghost]);
        assert_eq!(functions(&fake).collect::<Vec<_>>(), [DEVICE]);
        let mut many = Fake::with(&[DEVICE, ghost]);
        many.0.insert((DEVICE, register::HEADER_TYPE), 1 << 23);
        assert_eq!(functions(&many).collect::<Vec<_>>(), [DEVICE, ghost]);
        assert_eq!(Function::find(&mut many, Address::from_requester_id(9)).err(), Some(Error::Absent));
    }
}

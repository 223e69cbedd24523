// SPDX-License-Identifier: BSD-2-Clause
//! The address of a function.

use core::fmt;

/// Bus, device and function in 16 bits: the requester id of what the function sends (PCIe 2.2.6.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(u16);

impl Address {
    /// The address with this requester id.
    #[must_use]
    pub const fn from_requester_id(id: u16) -> Self {
        Self(id)
    }

    /// Bus 15:8, device 7:3, function 2:0.
    #[must_use]
    pub const fn requester_id(self) -> u16 {
        self.0
    }

    /// The address with this bus, device (below 32) and function (below 8).
    #[must_use]
    pub const fn new(bus: u8, device: u8, function: u8) -> Self {
        Self((bus as u16) << 8 | (device as u16 & 0x1f) << 3 | function as u16 & 7)
    }

    /// The bus.
    #[must_use]
    pub const fn bus(self) -> u8 {
        self.0.to_be_bytes()[0]
    }

    /// The device on the bus, below 32.
    #[must_use]
    pub const fn device(self) -> u8 {
        self.0.to_be_bytes()[1] >> 3
    }

    /// The function of the device, below 8.
    #[must_use]
    pub const fn function(self) -> u8 {
        self.0.to_be_bytes()[1] & 7
    }

    /// The same device's function 0.
    #[must_use]
    pub const fn function_zero(self) -> Self {
        Self(self.0 & !7)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}:{:02x}.{}", self.bus(), self.device(), self.function())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! x86 I/O ports of a protection domain.
//!
//! rust-sel4's `sel4-microkit` has nothing for `<ioport>`; this crate invokes the capability in slot 394 + id, as
//! libmicrokit does. It is the one part of a domain that knows which of the two platforms it is built for.
#![no_std]
#![forbid(unsafe_code)]

use microkit_image::layout;

/// A range of I/O ports, by the id that system.xml gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IoPort(sel4_abi::IoPort);

/// The kernel refused: no such range, or the port lies outside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the I/O port is not one of the domain's")
    }
}

impl core::error::Error for Refused {}

/// Generates a method for reading and one for writing of each width.
macro_rules! access {
    ($($read:ident $write:ident $width:ty, $read_doc:literal, $write_doc:literal;)*) => {
        $(
            #[doc = $read_doc]
            ///
            /// # Errors
            /// [`Refused`] when the port is not in the range.
            pub fn $read(self, port: u16) -> Result<$width, Refused> {
                self.0.$read(port).map_err(|_| Refused)
            }

            #[doc = $write_doc]
            ///
            /// # Errors
            /// [`Refused`] when the port is not in the range.
            pub fn $write(self, port: u16, value: $width) -> Result<(), Refused> {
                self.0.$write(port, value).map_err(|_| Refused)
            }
        )*
    };
}

impl IoPort {
    /// The range with number `id`.
    ///
    /// # Panics
    /// For an id above 61.
    #[must_use]
    pub const fn new(id: usize) -> Self {
        assert!(id < layout::MAX_CHANNELS);
        Self(sel4_abi::IoPort(layout::BASE_IOPORT + id as u64))
    }

    access! {
        in8 out8 u8, "Reads a byte from `port`.", "Writes a byte to `port`.";
        in16 out16 u16, "Reads two bytes from `port`.", "Writes two bytes to `port`.";
        in32 out32 u32, "Reads four bytes from `port`.", "Writes four bytes to `port`.";
    }
}

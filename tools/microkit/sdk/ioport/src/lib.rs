// SPDX-License-Identifier: BSD-2-Clause
//! x86 I/O ports of a protection domain, on rust-sel4.
//!
//! rust-sel4's `sel4-microkit` has nothing for `<ioport>`; this crate invokes the capability in slot 394 + id, as
//! libmicrokit does. It has the public names of the embedded default's crate of the same name, in whose place the
//! SDK's Cargo configuration patches it.
#![no_std]
#![forbid(unsafe_code)]

/// Where the tool puts the capability of the first range in a domain's CSpace.
const BASE_IOPORT: u64 = 394;

/// Ids are 0 to 61.
const MAX_IDS: usize = 62;

/// A range of I/O ports, by the id that system.xml gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IoPort {
    slot: u64,
}

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
    ($($read:ident $write:ident $width:ty, $in:ident $out:ident, $read_doc:literal, $write_doc:literal;)*) => {
        $(
            #[doc = $read_doc]
            ///
            /// # Errors
            /// [`Refused`] when the port is not in the range.
            pub fn $read(self, port: u16) -> Result<$width, Refused> {
                let reply = sel4::with_ipc_buffer_mut(|buffer| buffer.inner_mut().$in(self.slot, port));
                judge(reply.error).map(|()| reply.result)
            }

            #[doc = $write_doc]
            ///
            /// # Errors
            /// [`Refused`] when the port is not in the range.
            pub fn $write(self, port: u16, value: $width) -> Result<(), Refused> {
                let (port, value) = (port.into(), value.into());
                judge(sel4::with_ipc_buffer_mut(|buffer| buffer.inner_mut().$out(self.slot, port, value)))
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
        assert!(id < MAX_IDS);
        Self { slot: BASE_IOPORT + id as u64 }
    }

    access! {
        in8 out8 u8, seL4_X86_IOPort_In8 seL4_X86_IOPort_Out8, "Reads a byte from `port`.", "Writes a byte to `port`.";
        in16 out16 u16, seL4_X86_IOPort_In16 seL4_X86_IOPort_Out16,
            "Reads two bytes from `port`.", "Writes two bytes to `port`.";
        in32 out32 u32, seL4_X86_IOPort_In32 seL4_X86_IOPort_Out32,
            "Reads four bytes from `port`.", "Writes four bytes to `port`.";
    }
}

fn judge(error: sel4::sys::seL4_Error::Type) -> Result<(), Refused> {
    if error == sel4::sys::seL4_Error::seL4_NoError { Ok(()) } else { Err(Refused) }
}

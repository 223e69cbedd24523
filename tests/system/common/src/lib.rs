// SPDX-License-Identifier: BSD-2-Clause
//! What the domains of the system scenarios share.
//!
//! The domain that ends a scenario has `<ioport id="60" addr="0xf4" size="4" />` for QEMU and
//! `<ioport id="61" addr="0x8900" size="1" />` for Bochs.
#![no_std]

pub mod clock;
pub mod desk;
pub mod fpu;
pub mod hpet;
mod registers;

use core::fmt::Debug;

use microkit_ioport::IoPort;
use sel4_microkit::debug_println;

pub use registers::Registers;

/// QEMU's `isa-debug-exit`.
const QEMU_EXIT: (IoPort, u16) = (IoPort::new(60), 0xf4);
/// Bochs ends when it has read this at its port.
const BOCHS_EXIT: (IoPort, u16, &[u8]) = (IoPort::new(61), 0x8900, b"Shutdown");

/// Turns of a loop that QEMU takes to stop at the most.
const STOPPING: u32 = 1 << 22;

/// The checks of a scenario, each a line on the console.
#[derive(Debug, Default)]
pub struct Checks {
    passed: u32,
    failed: u32,
}

impl Checks {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { passed: 0, failed: 0 }
    }

    /// States whether something held.
    pub fn check(&mut self, name: &str, ok: bool) {
        debug_println!("{}: {name}", if ok { "ok" } else { "FAIL" });
        *(if ok { &mut self.passed } else { &mut self.failed }) += 1;
    }

    /// States whether what was found is what was expected.
    pub fn equal<T: PartialEq + Debug>(&mut self, name: &str, found: T, expected: T) {
        if found != expected {
            debug_println!("found {found:?}, expected {expected:?}");
        }
        self.check(name, found == expected);
    }

    /// Prints the line that scenarios are judged by and ends the run.
    pub fn finish(&self) {
        debug_println!("ioasid: {} checks passed, {} failed", self.passed, self.failed);
        let (port, address) = QEMU_EXIT;
        if port.out32(address, u32::from(self.failed != 0)).is_ok() {
            // QEMU stops a little later. Nothing is to be printed behind the summary until then.
            (0..STOPPING).for_each(|_| core::hint::spin_loop());
        }
        let (port, address, word) = BOCHS_EXIT;
        word.iter().for_each(|byte| {
            let _ = port.out8(address, *byte);
        });
    }
}

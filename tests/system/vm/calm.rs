// SPDX-License-Identifier: BSD-2-Clause
//! A machine whose guest behaves: it counts its quota and makes 100,000 commands.
#![no_std]
#![no_main]

use core::sync::atomic::AtomicU64;

use console_logger::LogRing;
use sel4_microkit::{Handler, memory_region_symbol, protection_domain};
use virtual_vtd::WORDS;
use vmm::Reason;

const RAM_BYTES: usize = 0x10000;

#[protection_domain]
fn init() -> impl Handler {
    // SAFETY: the three regions are mapped so in system.xml, and RAM_BYTES is the size of the guest's memory.
    unsafe {
        test_vm::machine(
            memory_region_symbol!(log_ring: *mut LogRing),
            (memory_region_symbol!(guest_ram: *mut u8), RAM_BYTES),
            memory_region_symbol!(unit: *mut [AtomicU64; WORDS]),
            vmm_guest::CALM,
            &[(Reason::Done, 0)],
        )
    }
}

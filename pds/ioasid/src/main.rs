// SPDX-License-Identifier: BSD-2-Clause
//! The ioasid protection domain: owns the VT-d unit, and serves PASIDs and DMA mappings to its clients.
//!
//! Only the wiring is here: memory regions become slices, messages become calls of [`ioasid_server::Server`].
#![no_std]
#![no_main]

mod handler;
mod memory;

use console_logger::LogRing;
use sel4_microkit::{Channel, Handler, memory_region_symbol, protection_domain};

use handler::{DUE, Service};

/// The channel to the console, as in `system.xml`.
const CONSOLE: Channel = Channel::new(0);

// Its parent may begin a new life of the service.
microkit_child::restartable!();

#[protection_domain]
fn init() -> impl Handler {
    // SAFETY: the region is mapped readable and writable, and the console, which maps it too, only reads.
    unsafe { console_logger::install(memory_region_symbol!(log_ring: *mut LogRing), CONSOLE) };
    let service = match memory::config(memory_region_symbol!(ioasid_config: *mut u8)) {
        Some(config) => Service::start(config),
        None => Service::NotStarted,
    };
    console_logger::leave_to(&DUE);
    service
}

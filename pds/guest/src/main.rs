// SPDX-License-Identifier: BSD-2-Clause
//! A guest: a client of the ioasid service that owns one DMA device and one buffer.
//!
//! It checks on the running system what the service promises, with the device's own DMA: see [`scenario`]. Each
//! check is a line of the log, and the supervisor is told the count.
#![no_std]
#![no_main]

mod checks;
mod scenario;

use core::sync::atomic::{AtomicU8, AtomicU64};

use console_logger::LogRing;
use guest_kit::edu::{Edu, Registers};
use guest_kit::events::Events;
use guest_kit::script::Script;
use ioasid_microkit::{EventReader, FindReader};
use sel4_microkit::{Channel, Handler, memory_region_symbol, protection_domain};

use checks::Checks;
use scenario::Pages;

/// This domain's channels, as in `system.xml`.
const CONSOLE: Channel = Channel::new(0);
const IOASID: Channel = Channel::new(1);
const SUPERVISOR: Channel = Channel::new(2);
const DEVICE_IRQ: Channel = Channel::new(3);

/// The buffer's length, in bytes.
const BUFFER_BYTES: usize = 0x10000;
/// The length of the pages that are shared with the server, in words of 8 bytes.
const PAGE_WORDS: usize = 0x1000 / 8;

#[protection_domain]
fn init() -> impl Handler {
    // SAFETY: the region is mapped readable and writable, and the console, which maps it too, only reads.
    unsafe { console_logger::install(memory_region_symbol!(log_ring: *mut LogRing), CONSOLE) };
    let buffer = memory_region_symbol!(buffer: *mut [AtomicU8], n = BUFFER_BYTES);
    // SAFETY: mapped for good, as long as it says in system.xml. The device writes there too: hence the atomics.
    let buffer: &'static [AtomicU8] = unsafe { buffer.as_ref() };
    let events = memory_region_symbol!(events: *mut [AtomicU64], n = PAGE_WORDS);
    let find = memory_region_symbol!(find: *mut [AtomicU64], n = PAGE_WORDS);
    let batch = memory_region_symbol!(batch: *mut [AtomicU64], n = PAGE_WORDS);
    // SAFETY: mapped for good, a page each. The server writes there: hence the atomics.
    let (events, find, batch): (&'static [_], &'static [_], &'static [_]) =
        unsafe { (events.as_ref(), find.as_ref(), batch.as_ref()) };
    // SAFETY: the device's BAR 0 is mapped there, uncached, for this domain alone.
    let registers = unsafe { Registers::new(memory_region_symbol!(device: *mut u8)) };
    let edu = Edu::new(registers, DEVICE_IRQ);
    let events = Events::new(EventReader::new(events), IOASID);
    let pages = Pages { events, find: FindReader::new(find), batch };
    Script::new(scenario::run(edu, buffer, pages, Checks::new(SUPERVISOR)))
}

// SPDX-License-Identifier: BSD-2-Clause
//! What is mapped for the intruder, and what it knows of memory that is not. The one file of the domain with unsafe code.

use core::ptr::NonNull;
use core::sync::atomic::AtomicU64;

use attacks::Desk;
use guest_kit::edu::{Edu, Registers};
use sel4_microkit::{Channel, memory_region_symbol, var};

const PAGE_WORDS: usize = 0x1000 / 8;

/// The page of orders.
pub fn desk() -> &'static Desk {
    let desk: NonNull<Desk> = memory_region_symbol!(desk: *mut Desk);
    // SAFETY: a page is mapped there for good; whoever orders maps it too, hence the atomics in it.
    unsafe { desk.as_ref() }
}

/// The seed: decimal digits at the start of a file in the image.
pub fn seed() -> u64 {
    let file: NonNull<[u8]> = memory_region_symbol!(seed: *mut [u8], n = 0x1000);
    // SAFETY: a page is mapped there for good, and nobody writes it.
    let file = unsafe { file.as_ref() };
    let digits = file.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |seed: u64, byte| seed.wrapping_mul(10).wrapping_add(u64::from(byte - b'0')))
}

fn words(page: NonNull<[AtomicU64]>) -> &'static [AtomicU64] {
    // SAFETY: the callers' pages are mapped for good; the server or the device writes there too: hence the atomics.
    unsafe { page.as_ref() }
}

/// The batch page.
pub fn batch() -> &'static [AtomicU64] {
    words(memory_region_symbol!(batch: *mut [AtomicU64], n = PAGE_WORDS))
}

/// The event ring and the find page, which it can only read.
pub fn told() -> [&'static [AtomicU64]; 2] {
    [
        words(memory_region_symbol!(events: *mut [AtomicU64], n = PAGE_WORDS)),
        words(memory_region_symbol!(find: *mut [AtomicU64], n = PAGE_WORDS)),
    ]
}

/// The first page of its buffer.
pub fn buffer() -> &'static [AtomicU64] {
    words(memory_region_symbol!(buffer: *mut [AtomicU64], n = PAGE_WORDS))
}

/// Its device.
pub fn device(irq: Channel) -> Edu {
    // SAFETY: the device's BAR 0 is mapped there, uncached, for this domain alone.
    Edu::new(unsafe { Registers::new(memory_region_symbol!(device: *mut u8)) }, irq)
}

/// Where memory is that is not for it: physical addresses and lengths in bytes.
pub fn targets() -> [(u64, u64); 9] {
    [
        // The server's tables, registry and configuration.
        (*var!(at_tables: u64 = 0), 0x40_0000),
        (*var!(at_registry: u64 = 0), 0x20_0000),
        (*var!(at_config: u64 = 0), 0x8000),
        // What a victim has: its memory, and its pages.
        (*var!(at_victim: u64 = 0), 0x1_0000),
        (*var!(at_events: u64 = 0), 0x1000),
        (*var!(at_find: u64 = 0), 0x1000),
        // Its own program's memory, which was not granted.
        (*var!(at_desk: u64 = 0), 0x1000),
        // The kernel's image, and the unit's registers.
        (0x10_0000, 0x40_0000),
        (0xfed9_0000, 0x1000),
    ]
}

// SPDX-License-Identifier: BSD-2-Clause
//! What is mapped for a client, by the names that `setvar_vaddr` has in the scenarios; empty where nothing is.

use core::ptr::{NonNull, with_exposed_provenance_mut};
use core::sync::atomic::{AtomicU8, AtomicU64};

use attacks::Desk;
use guest_kit::edu::{Edu, Registers};
use sel4_microkit::{Channel, var};

use crate::DEVICE_IRQS;

/// The length of a page that is shared with the server, in words.
const PAGE_WORDS: usize = 0x1000 / 8;
/// How much a client sees of its first region, in bytes; the region is at least so long.
pub const BUFFER_BYTES: usize = 0x1_0000;

/// # Safety
/// `count` atomics are mapped at `address` for good, or `address` is 0.
unsafe fn slice<T>(address: usize, count: usize) -> &'static [T] {
    let Some(start) = NonNull::new(with_exposed_provenance_mut::<T>(address)) else { return &[] };
    // SAFETY: the caller vouches for the mapping; others write there, too: hence the atomics.
    unsafe { NonNull::slice_from_raw_parts(start, count).as_ref() }
}

/// The event ring.
pub fn events() -> &'static [AtomicU64] {
    // SAFETY: in every scenario the ring is a page.
    unsafe { slice(*var!(events: usize = 0), PAGE_WORDS) }
}

/// The find page.
pub fn find() -> &'static [AtomicU64] {
    // SAFETY: as above.
    unsafe { slice(*var!(find: usize = 0), PAGE_WORDS) }
}

/// The batch page.
pub fn batch() -> &'static [AtomicU64] {
    // SAFETY: as above.
    unsafe { slice(*var!(batch: usize = 0), PAGE_WORDS) }
}

/// The beginning of the first region.
pub fn buffer() -> &'static [AtomicU8] {
    // SAFETY: in every scenario the region is at least so long.
    unsafe { slice(*var!(buffer: usize = 0), BUFFER_BYTES) }
}

/// The page of an intruder's orders, in a scenario that has one.
///
/// # Panics
/// Where there is none.
pub fn desk() -> &'static Desk {
    let desk = NonNull::new(with_exposed_provenance_mut(*var!(desk: usize = 0)));
    // SAFETY: a page is mapped there for good; the intruder writes there, too: hence the atomics in it.
    unsafe { desk.expect("the director of an assault maps a desk").as_ref() }
}

/// The most devices that a client has.
pub const DEVICES: usize = 4;

/// The devices, where there are any.
pub fn devices() -> [Option<Edu>; DEVICES] {
    let places = [
        *var!(device: usize = 0),
        *var!(device1: usize = 0),
        *var!(device2: usize = 0),
        *var!(device3: usize = 0),
    ];
    let mut irqs = (DEVICE_IRQS..).map(Channel::new);
    places.map(|place| {
        let (registers, irq) = (NonNull::new(with_exposed_provenance_mut(place))?, irqs.next()?);
        // SAFETY: in every scenario that is BAR 0 of an edu device, uncached, which no other domain maps.
        Some(Edu::new(unsafe { Registers::new(registers) }, irq))
    })
}

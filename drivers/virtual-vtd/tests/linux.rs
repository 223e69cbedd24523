// SPDX-License-Identifier: BSD-2-Clause
//! What the Intel driver of Linux 6.1 does with the registers from boot to its first PASID, in order, against what the
//! page answers. The sequence is written down from that driver's public behaviour, with `intel_iommu=on,sm_on`.
//!
//! In the guest's kernel log the line that says it worked is `DMAR: Register custom PASID allocator`, without
//! `Custom PASID allocator failed, scalable mode disabled` behind it.

use core::sync::atomic::AtomicU64;
use std::collections::HashMap;

use virtual_vtd::{GuestMemory, Layout, Page, Request, WORDS, Width};

/// A guest's memory, word by word.
#[derive(Default)]
struct Memory(HashMap<u64, u64>);

impl GuestMemory for Memory {
    fn read(&mut self, address: u64) -> Option<u64> {
        (address < END).then(|| self.0.get(&address).copied().unwrap_or(0))
    }

    fn write(&mut self, address: u64, value: u32) -> Option<()> {
        let word = self.0.entry(address & !7).or_default();
        let shift = (address & 4) * 8;
        *word = *word & !(0xffff_ffff << shift) | u64::from(value) << shift;
        (address < END).then_some(())
    }
}

/// Where the guest's memory ends.
const END: u64 = 0x10_0000;
const QUEUE: u64 = 0x8000;
const STATUS: u64 = 0x9000;

/// One access of the driver, and what it needs to find.
enum Step {
    /// Reads 64 bits (`readq`); these bits must have this value.
    Read64(u64, u64, u64, &'static str),
    /// Reads 32 bits (`readl`).
    Read32(u64, u64, u64, &'static str),
    Write32(u64, u64),
    Write64(u64, u64),
}
use Step::{Read32, Read64, Write32, Write64};

const ALL: u64 = u64::MAX;

fn bits(high: u32, low: u32) -> u64 {
    (ALL >> (63 - high)) & (ALL << low)
}

/// The driver's way.
fn boot() -> Vec<Step> {
    vec![
        // The unit is looked at when the DMAR table is found: all ones would be a wrong address.
        Read64(0x08, bits(4, 4), 0, "no write buffer to flush"),
        Read64(0x10, bits(1, 1), 1 << 1, "queued invalidation"),
        // It is mapped: the registers that CAP and ECAP point to must lie in the page that the table names.
        Read64(0x08, bits(7, 7), 1 << 7, "caching mode: the unit is virtual"),
        Read64(0x08, bits(12, 8), 4 << 8, "tables of 4 levels alone"),
        Read64(0x08, bits(33, 24), 0x22 << 24, "fault record in this page"),
        Read64(0x10, bits(17, 8), 0x20 << 8, "IOTLB registers in this page"),
        Read64(0x10, bits(44, 43), 3 << 43, "scalable mode and a virtual command register"),
        Read64(0x10, bits(47, 46), 3 << 46, "both stages"),
        Read64(0x10, bits(40, 35), 1 << 40 | 19 << 35, "PASIDs of 20 bits"),
        Read64(0x10, bits(31, 29), 0, "no page requests"),
        Read64(0xe30, bits(0, 0), 1, "PASIDs through VCMD"),
        Read32(0x00, ALL, 0x10, "version 1.0"),
        Read32(0x1c, bits(31, 23), 0, "firmware left nothing on"),
        // No fault is pending; the queue is off, then on.
        Read32(0x34, ALL, 0, "no fault"),
        Read32(0x1c, bits(26, 26), 0, "the queue is off"),
        Write32(0x88, 0),
        Write64(0x90, QUEUE),
        Write32(0x18, 1 << 26),
        Read32(0x1c, bits(26, 26), 1 << 26, "the queue is on"),
        // The root table, in scalable mode.
        Write64(0x20, 0x7000 | 1 << 10),
        Write32(0x18, 1 << 26 | 1 << 30),
        Read32(0x1c, bits(30, 30), 1 << 30, "the root table is taken"),
        // The fault interrupt: its message, then unmasked, read back to have it posted.
        Read32(0x38, bits(31, 31), 1 << 31, "faults are masked"),
        Write32(0x3c, 0x4021),
        Write32(0x40, 0xfee0_0000),
        Write32(0x44, 0),
        Write32(0x38, 0),
        Read32(0x38, ALL, 0, "faults are not masked"),
        Read32(0x34, ALL, 0, "no fault"),
        // Translation.
        Read32(0x64, ALL, 0, "no protected memory to switch off"),
        Write32(0x18, 1 << 26 | 1 << 31),
        Read32(0x1c, bits(31, 31), 1 << 31, "translation is on"),
    ]
}

fn start(words: &[AtomicU64; WORDS]) -> Page<'_> {
    let mut page = Page::new(words, Layout::REVISION_3_3);
    for (number, step) in boot().into_iter().enumerate() {
        match step {
            Read64(offset, mask, want, why) => {
                assert_eq!(page.read(offset) & mask, want, "step {number}: {offset:#x}, {why}");
            }
            Read32(offset, mask, want, why) => {
                let value = page.read(offset) >> ((offset & 4) * 8) & 0xffff_ffff;
                assert_eq!(value & mask, want, "step {number}: {offset:#x}, {why}");
            }
            Write32(offset, value) => assert_eq!(page.write(offset, Width::Four, value), None),
            Write64(offset, value) => assert_eq!(page.write(offset, Width::Eight, value), None),
        }
    }
    page
}

/// Puts `descriptors` and a wait into the queue from `head` on, as the driver does, and gives where it ends.
fn submit(page: &mut Page<'_>, memory: &mut Memory, head: u64, descriptors: &[[u64; 2]]) -> u64 {
    let wait = [5 | 1 << 5 | 1 << 6 | 2 << 32, STATUS];
    let mut tail = head;
    for descriptor in descriptors.iter().chain([&wait]) {
        memory.0.insert(QUEUE + tail, descriptor[0]);
        memory.0.insert(QUEUE + tail + 8, descriptor[1]);
        tail = (tail + 16) % 0x1000;
    }
    assert_eq!(page.write(0x88, Width::Four, tail), Some(Request::Descriptors));
    page.drain(memory);
    tail
}

#[test]
fn linux_finds_what_it_needs_and_has_its_first_pasid() {
    let words = [const { AtomicU64::new(0) }; WORDS];
    let mut page = start(&words);
    assert_eq!(page.write(0xe00, Width::Eight, 1), Some(Request::Alloc));
    page.answer(Ok(0x1_2345));
    assert_eq!(page.read(0xe10), 0x1_2345 << 16);
}

#[test]
fn a_wait_descriptor_says_that_all_before_it_is_done() {
    let words = [const { AtomicU64::new(0) }; WORDS];
    let mut page = start(&words);
    let mut memory = Memory::default();
    // Context, PASID and IOTLB caches; more than fills a queue of 256, so that it wraps.
    let mut head = 0;
    for _ in 0..100 {
        memory.0.remove(&STATUS);
        head = submit(&mut page, &mut memory, head, &[[1 | 1 << 4, 0], [7, 0], [2 | 1 << 4, 0]]);
        assert_eq!(memory.0.get(&STATUS), Some(&2));
        assert_eq!(page.read(0x80), head);
    }
    assert_eq!(page.read(0x30) >> 32, 0);
}

#[test]
fn a_descriptor_that_is_none_stops_the_queue_until_the_error_is_cleared() {
    let words = [const { AtomicU64::new(0) }; WORDS];
    let mut page = start(&words);
    let mut memory = Memory::default();
    submit(&mut page, &mut memory, 0, &[[0xf, 0]]);
    assert_eq!(memory.0.get(&STATUS), None);
    assert_eq!((page.read(0x30) >> 32, page.read(0x80)), (1 << 4, 0));
    // The driver puts something harmless in its place and clears the error.
    memory.0.insert(QUEUE, 2 | 1 << 4);
    assert_eq!(page.write(0x34, Width::Four, 1 << 4), Some(Request::Descriptors));
    page.drain(&mut memory);
    assert_eq!(memory.0.get(&STATUS), Some(&2));
    assert_eq!(page.read(0x30) >> 32, 0);
}

#[test]
fn a_queue_outside_of_memory_stops_and_touches_nothing() {
    for (queue, tail) in [(END, 16), (!0xfff, 16), (QUEUE, 0x2000), (QUEUE | 1 << 11, 16)] {
        let words = [const { AtomicU64::new(0) }; WORDS];
        let mut page = start(&words);
        let mut memory = Memory::default();
        assert_eq!(page.write(0x90, Width::Eight, queue), None);
        assert_eq!(page.write(0x88, Width::Four, tail), Some(Request::Descriptors));
        page.drain(&mut memory);
        assert_eq!(page.read(0x30) >> 32, 1 << 4, "queue {queue:#x}, tail {tail:#x}");
        assert!(memory.0.is_empty());
    }
}

#[test]
fn register_based_invalidation_is_done_at_once() {
    let words = [const { AtomicU64::new(0) }; WORDS];
    let mut page = Page::new(&words, Layout::REVISION_3_3);
    assert_eq!(page.write(0x28, Width::Eight, 1 << 63 | 1 << 61), None);
    assert_eq!(page.read(0x28), 1 << 61 | 1 << 59);
    assert_eq!(page.write(0x208, Width::Eight, 1 << 63 | 1 << 60), None);
    assert_eq!(page.read(0x208), 1 << 60 | 1 << 57);
}

#[test]
fn any_writes_leave_the_unit_saying_what_it_is() {
    let words = [const { AtomicU64::new(0) }; WORDS];
    let mut page = start(&words);
    let mut memory = Memory::default();
    let mut random = 1u64;
    for _ in 0..200_000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let width = if random & 1 << 40 == 0 { Width::Four } else { Width::Eight };
        match page.write(random >> 41 & 0xfff, width, random.rotate_left(29)) {
            Some(Request::Descriptors) => page.drain(&mut memory),
            Some(Request::Alloc | Request::Free(_)) => page.answer(Ok(1)),
            None => {}
        }
        assert!(!page.in_progress());
    }
    assert_eq!(page.read(0x08) >> 7 & 1, 1);
    assert_eq!(page.read(0x10) >> 44 & 1, 1);
    assert_eq!(page.read(0xe30), 1);
    assert!(memory.0.keys().all(|&address| address < END + 8));
}

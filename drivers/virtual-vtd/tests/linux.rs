// SPDX-License-Identifier: BSD-2-Clause
//! What the Intel driver of Linux 6.1 does with the registers, access by access in its order, against what the page
//! answers: from boot to the first PASIDs, and when a fault interrupt comes. Written down from that driver's public
//! behaviour, with `intel_iommu=on,sm_on`.
//!
//! The line of the guest's kernel log that says it worked is `DMAR: Register custom PASID allocator`, without
//! `DMAR: Custom PASID allocator failed, scalable mode disabled` behind it.

use core::sync::atomic::AtomicU64;
use std::collections::HashMap;

use virtual_vtd::{Fault, GuestMemory, Layout, Page, Refusal, Request, WORDS, Width};

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
const STATUS: u64 = 0xc000;

/// One access of the driver.
enum Step {
    /// Reads 64 bits; these bits must have this value.
    Read64(u64, u64, u64, &'static str),
    /// Reads 32 bits.
    Read32(u64, u64, u64, &'static str),
    Write32(u64, u64),
    Write64(u64, u64),
    /// Puts a descriptor and a wait into the queue, moves the tail, and waits for the status in memory.
    Submit([u64; 2]),
}
use Step::{Read32, Read64, Submit, Write32, Write64};

const ALL: u64 = u64::MAX;

fn bits(high: u32, low: u32) -> u64 {
    (ALL >> (63 - high)) & (ALL << low)
}

/// The driver's way to translation that is on, by function of the driver.
fn boot() -> Vec<(&'static str, Vec<Step>)> {
    vec![
        (
            "dmar_validate_one_drhd",
            vec![
                Read64(0x08, ALL, CAP, "capabilities; all ones would be a wrong address"),
                Read64(0x10, ALL, ECAP, "extended capabilities"),
            ],
        ),
        (
            "map_iommu",
            vec![
                Read64(0x08, bits(33, 24), 0x22 << 24, "the fault record in the first page,"),
                Read64(0x08, bits(47, 40), 0, "and no more than one"),
                Read64(0x10, bits(17, 8), 0x20 << 8, "the IOTLB registers in the first page"),
                Read64(0x10, bits(44, 44), 1 << 44, "so the next is read"),
                Read64(0xe30, bits(0, 0), 1, "PASIDs by command"),
            ],
        ),
        (
            "alloc_iommu",
            vec![
                Read64(0x08, bits(12, 8), 4 << 8, "tables of 4 levels, or the unit is ignored"),
                Read64(0x10, bits(43, 43), 1 << 43, "scalable mode,"),
                Read64(0x10, bits(40, 35), 1 << 40 | 19 << 35, "with PASIDs of 20 bits"),
                Read32(0x00, ALL, 0x10, "version 1:0"),
                Read32(0x1c, bits(31, 23), 0, "firmware left nothing on"),
            ],
        ),
        ("cap_audit_static", vec![Read64(0x10, bits(47, 46), 3 << 46, "one of the stages, at least")]),
        ("dmar_fault, called to clear what is left", vec![Read32(0x34, ALL, 0, "no fault")]),
        ("dmar_disable_qi", vec![Read32(0x1c, bits(26, 26), 0, "the queue is off")]),
        (
            "dmar_enable_qi",
            vec![
                Read64(0x10, bits(1, 1), 1 << 1, "there is a queue"),
                Write32(0x88, 0),
                // Descriptors of 256 bits, two pages of them: what a unit with scalable mode has.
                Write64(0x90, QUEUE | 1 << 11 | 1),
                Write32(0x18, 1 << 26),
                Read32(0x1c, bits(26, 26), 1 << 26, "the queue is on"),
            ],
        ),
        ("init_translation_status", vec![Read32(0x1c, bits(31, 31), 0, "translation is off")]),
        ("iommu_flush_write_buffer", vec![Read64(0x08, bits(4, 4), 0, "there is none to flush")]),
        (
            "register_pasid_allocator: this is where the line is logged",
            vec![Read64(0x08, bits(7, 7), 1 << 7, "caching mode: it is virtual")],
        ),
        (
            "iommu_set_root_entry",
            vec![
                Write64(0x20, 0x7000 | 1 << 10),
                Write32(0x18, 1 << 26 | 1 << 30),
                Read32(0x1c, bits(30, 30), 1 << 30, "the root table is taken"),
                Read64(0x08, bits(63, 63), 0, "caches are still to be invalidated"),
                // Context, PASID and IOTLB caches, all of each.
                Submit([1 | 1 << 4, 0]),
                Submit([7 | 3 << 4, 0]),
                Submit([2 | 1 << 4 | 3 << 6, 0]),
            ],
        ),
        ("init_dmars", vec![Read64(0x10, bits(29, 29), 0, "no page requests to be set up")]),
        (
            "dmar_set_interrupt",
            vec![
                Write32(0x3c, 0x4021),
                Write32(0x40, 0xfee0_0000),
                Write32(0x44, 0),
                Write32(0x38, 0),
                Read32(0x38, ALL, 0, "fault messages are let through"),
            ],
        ),
        (
            "iommu_enable_translation",
            vec![Write32(0x18, 1 << 26 | 1 << 31), Read32(0x1c, bits(31, 31), 1 << 31, "translation is on")],
        ),
        (
            "iommu_disable_protect_mem_regions",
            vec![Read64(0x08, bits(6, 5), 0, "there is no protected memory")],
        ),
    ]
}

/// What is between `cap` and `ecap` in the line that the driver logs of each unit.
const CAP: u64 = 0x1d2_008c_222f_0486;
const ECAP: u64 = 0xd998_0000_2003;

fn start<'p>(words: &'p [AtomicU64; WORDS], memory: &mut Memory) -> Page<'p> {
    let mut page = Page::new(words, Layout::REVISION_3_3);
    let mut head = 0;
    for (function, steps) in boot() {
        for step in steps {
            match step {
                Read64(offset, mask, want, why) => {
                    assert_eq!(page.read(offset) & mask, want, "{function}: {offset:#x}, {why}");
                }
                Read32(offset, mask, want, why) => {
                    let value = page.read(offset) >> ((offset & 4) * 8) & 0xffff_ffff;
                    assert_eq!(value & mask, want, "{function}: {offset:#x}, {why}");
                }
                Write32(offset, value) => assert_eq!(page.write(offset, Width::Four, value), None),
                Write64(offset, value) => assert_eq!(page.write(offset, Width::Eight, value), None),
                Submit(descriptor) => {
                    memory.0.remove(&STATUS);
                    head = submit(&mut page, memory, head, &[descriptor]);
                    assert_eq!(memory.0.get(&STATUS), Some(&2), "{function}");
                }
            }
        }
    }
    page
}

/// Puts `descriptors` and a wait into the queue from `head` on, as the driver does, and gives where it ends.
fn submit(page: &mut Page<'_>, memory: &mut Memory, head: u64, descriptors: &[[u64; 2]]) -> u64 {
    let wait = [5 | 1 << 5 | 2 << 32, STATUS];
    let mut tail = head;
    for descriptor in descriptors.iter().chain([&wait]) {
        memory.0.insert(QUEUE + tail, descriptor[0]);
        memory.0.insert(QUEUE + tail + 8, descriptor[1]);
        tail = (tail + 32) % 0x2000;
    }
    assert_eq!(page.write(0x88, Width::Four, tail), Some(Request::Descriptors));
    page.drain(memory);
    tail
}

#[test]
fn linux_finds_what_it_needs_and_has_its_first_pasids() {
    let words = [const { AtomicU64::new(0) }; WORDS];
    let mut page = start(&words, &mut Memory::default());
    // vcmd_alloc_pasid: one write of 64 bits, then the response is read until no command is in progress.
    assert_eq!(page.write(0xe00, Width::Eight, 1), Some(Request::Alloc));
    page.answer(Ok(0x1_2345));
    let response = page.read(0xe10);
    assert_eq!((response & 1, (response & 0xff) >> 1, response >> 16 & 0xf_ffff), (0, 0, 0x1_2345));
    // vcmd_free_pasid.
    assert_eq!(page.write(0xe00, Width::Eight, 2 | 0x1_2345 << 16), Some(Request::Free(0x1_2345)));
    page.answer(Ok(0));
    assert_eq!(page.read(0xe10) & 0xff, 0);
    // No PASID available, or an invalid one: 16 is what the driver takes for both.
    for command in [1, 2 | 0x99 << 16] {
        assert!(page.write(0xe00, Width::Eight, command).is_some());
        page.answer(Err(Refusal));
        assert_eq!((page.read(0xe10) & 0xff) >> 1, 16);
    }
}

/// dmar_fault: what the driver does when its fault interrupt comes.
#[test]
fn linux_takes_a_fault_off_the_unit() {
    let words = [const { AtomicU64::new(0) }; WORDS];
    let mut page = start(&words, &mut Memory::default());
    let fault = Fault { source: 0x10, pasid: Some(0x77), address: 0x5_4321_0000, read: true, reason: 0x59 };
    page.fault(fault);
    assert_eq!(page.take_interrupt(), Some(0x21));
    let read = |page: &Page<'_>, offset: u64| page.read(offset) >> ((offset & 4) * 8) & 0xffff_ffff;
    // PPF, in record 0.
    assert_eq!(read(&page, 0x34), 1 << 1);
    let high = read(&page, 0x22c);
    // F; a read; reason; PASID.
    assert_eq!((high >> 31, high >> 30 & 1, high & 0xff, high >> 8 & 0xf_ffff), (1, 1, 0x59, 0x77));
    let low = read(&page, 0x228);
    assert_eq!((low >> 31, low & 0xffff), (1, 0x10), "PASID present; source");
    assert_eq!(page.read(0x220) & !0xfff, 0x5_4321_0000);
    assert_eq!(page.write(0x22c, Width::Four, 1 << 31), None);
    // The next record, which is the same one, holds nothing; the rest of the status is cleared.
    assert_eq!(read(&page, 0x22c) >> 31, 0);
    let _ = page.write(0x34, Width::Four, 1 | 1 << 1 | 1 << 7);
    assert_eq!(read(&page, 0x34), 0);
    // The next fault interrupts anew.
    page.fault(fault);
    assert_eq!(page.take_interrupt(), Some(0x21));
}

#[test]
fn a_wait_descriptor_says_that_all_before_it_is_done() {
    let words = [const { AtomicU64::new(0) }; WORDS];
    let mut memory = Memory::default();
    let mut page = start(&words, &mut memory);
    // Context, PASID and IOTLB caches; more than fills a queue of 256, so that it wraps.
    let mut head = page.read(0x88);
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
    let mut memory = Memory::default();
    let mut page = start(&words, &mut memory);
    let head = page.read(0x88);
    memory.0.remove(&STATUS);
    submit(&mut page, &mut memory, head, &[[0xf, 0]]);
    assert_eq!(memory.0.get(&STATUS), None);
    assert_eq!((page.read(0x30) >> 32, page.read(0x80)), (1 << 4, head));
    // The driver puts something harmless in its place and clears the error.
    memory.0.insert(QUEUE + head, 2 | 1 << 4);
    assert_eq!(page.write(0x34, Width::Four, 1 << 4), Some(Request::Descriptors));
    page.drain(&mut memory);
    assert_eq!(memory.0.get(&STATUS), Some(&2));
    assert_eq!(page.read(0x30) >> 32, 0);
}

#[test]
fn a_queue_outside_of_memory_stops_and_touches_nothing() {
    for (queue, tail) in [(END, 16), (!0xfff, 16), (QUEUE, 0x2000), (QUEUE | 1 << 11, 16)] {
        let words = [const { AtomicU64::new(0) }; WORDS];
        let mut memory = Memory::default();
        let mut page = Page::new(&words, Layout::REVISION_3_3);
        assert_eq!(page.write(0x90, Width::Eight, queue), None);
        assert_eq!(page.write(0x18, Width::Four, 1 << 26), None);
        assert_eq!(page.write(0x88, Width::Four, tail), Some(Request::Descriptors));
        page.drain(&mut memory);
        assert_eq!(page.read(0x30) >> 32, 1 << 4, "queue {queue:#x}, tail {tail:#x}");
        assert!(memory.0.is_empty());
    }
}

/// Memory full of descriptors that are good, and that wears out.
struct Full(u32);

impl GuestMemory for Full {
    fn read(&mut self, _: u64) -> Option<u64> {
        self.0 = self.0.checked_sub(1).expect("no queue has so many descriptors");
        Some(2 | 1 << 4)
    }

    fn write(&mut self, _: u64, _: u32) -> Option<()> {
        None
    }
}

#[test]
fn a_queue_whose_descriptors_become_wider_under_way_ends_all_the_same() {
    let words = [const { AtomicU64::new(0) }; WORDS];
    let mut memory = Full(1 << 15);
    let mut page = Page::new(&words, Layout::REVISION_3_3);
    assert_eq!(page.write(0x90, Width::Eight, QUEUE), None);
    assert_eq!(page.write(0x18, Width::Four, 1 << 26), None);
    assert_eq!(page.write(0x88, Width::Four, 16), Some(Request::Descriptors));
    page.drain(&mut memory);
    assert_eq!((page.read(0x80), page.read(0x30) >> 32), (16, 0));
    // The head is in the middle of one now, and never comes to the tail.
    assert_eq!(page.write(0x90, Width::Eight, QUEUE | 1 << 11), None);
    assert_eq!(page.write(0x88, Width::Four, 64), Some(Request::Descriptors));
    page.drain(&mut memory);
    assert_eq!((page.read(0x80), page.read(0x30) >> 32), (16, 1 << 4));
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
    let mut memory = Memory::default();
    let mut page = start(&words, &mut memory);
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

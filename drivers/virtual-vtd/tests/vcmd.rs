// SPDX-License-Identifier: BSD-2-Clause
//! The virtual command register, statement by statement (s81–s88).

use core::sync::atomic::AtomicU64;

use virtual_vtd::{Layout, Page, Refusal, Request, WORDS, Width};

const CAP: u64 = 0x8;
const ECAP: u64 = 0x10;
const LAYOUTS: [Layout; 2] = [Layout::REVISION_3_3, Layout::OLDER];

/// Runs a test on a page of each layout.
fn each(test: impl Fn(&mut Page<'_>, Layout)) {
    for layout in LAYOUTS {
        let words = [const { AtomicU64::new(0) }; WORDS];
        test(&mut Page::new(&words, layout), layout);
    }
}

/// Every register, to see what has changed.
fn registers(page: &Page<'_>) -> Vec<u64> {
    (0..WORDS as u64).map(|word| page.read(word * 8)).collect()
}

#[test]
fn s81_no_command_is_in_progress_once_it_has_its_answer() {
    each(|page, layout| {
        for (command, answer) in
            [(layout.alloc(), Ok(7)), (layout.free(7), Ok(0)), (layout.alloc(), Err(Refusal))]
        {
            assert!(page.write(layout.vcmd, Width::Eight, command).is_some());
            assert_eq!(page.read(layout.vcrsp) & 1, 1);
            page.answer(answer);
            assert_eq!(page.read(layout.vcrsp) & 1, 0);
            assert!(!page.in_progress());
        }
    });
}

#[test]
fn an_answer_that_nobody_asked_for_changes_nothing() {
    each(|page, _| {
        let before = registers(page);
        page.answer(Ok(5));
        assert_eq!(registers(page), before);
    });
}

#[test]
fn the_highest_pasid_arrives_whole_in_both_directions() {
    each(|page, layout| {
        let highest = 0xf_ffff;
        assert_eq!(page.write(layout.vcmd, Width::Eight, layout.alloc()), Some(Request::Alloc));
        page.answer(Ok(highest));
        assert_eq!(layout.result(page.read(layout.vcrsp)), highest);
        assert_eq!(layout.status(page.read(layout.vcrsp)), 0);
        let free = page.write(layout.vcmd, Width::Eight, layout.free(highest));
        assert_eq!(free, Some(Request::Free(highest)));
    });
}

#[test]
fn s82_a_refused_free_has_status_no_pasid() {
    each(|page, layout| {
        assert_eq!(page.write(layout.vcmd, Width::Eight, layout.free(9)), Some(Request::Free(9)));
        page.answer(Err(Refusal));
        assert_eq!(layout.status(page.read(layout.vcrsp)), layout.status_no_pasid);
    });
    let words = [const { AtomicU64::new(0) }; WORDS];
    let mut page = Page::new(&words, Layout::REVISION_3_3);
    assert!(page.write(0xe00, Width::Eight, 2 | 9 << 16).is_some());
    page.answer(Err(Refusal));
    assert_eq!(page.read(0xe10), 16 << 1);
}

#[test]
fn a_free_of_what_is_no_pasid_is_refused_without_asking() {
    each(|page, layout| {
        for operand in [1 << 20, u32::MAX] {
            assert_eq!(page.write(layout.vcmd, Width::Eight, layout.free(operand)), None);
            assert_eq!(layout.status(page.read(layout.vcrsp)), layout.status_no_pasid);
        }
    });
}

#[test]
fn s83_an_unknown_command_has_an_error_status_and_no_effect() {
    each(|page, layout| {
        for command in (0..=0xff).filter(|command| ![1, 2].contains(command)) {
            let asked = page.write(layout.vcmd, Width::Eight, command | 3 << layout.operand_shift);
            assert_eq!(asked, None, "command {command}");
            let status = layout.status(page.read(layout.vcrsp));
            assert!(status != 0 && status != layout.status_no_pasid, "command {command}: status {status}");
            assert!(!page.in_progress());
        }
    });
}

#[test]
fn s84_the_lower_half_issues_the_command_with_the_upper_one_written_before() {
    let words = [const { AtomicU64::new(0) }; WORDS];
    let mut page = Page::new(&words, Layout::REVISION_3_3);
    // Bits 35:32 of the operand's word are in the upper half.
    assert_eq!(page.write(0xe04, Width::Four, 0xf), None);
    assert!(!page.in_progress());
    assert_eq!(page.write(0xe00, Width::Four, 2 | 0xabcd << 16), Some(Request::Free(0xf_abcd)));
    page.answer(Ok(0));
    // An upper half holds for one command.
    assert_eq!(page.write(0xe00, Width::Four, 2 | 0xabcd << 16), Some(Request::Free(0xabcd)));
    page.answer(Ok(0));
    assert_eq!(page.write(0xe00, Width::Four, 1), Some(Request::Alloc));
}

#[test]
fn s84_what_is_not_aligned_to_its_width_has_no_effect() {
    each(|page, layout| {
        let before = registers(page);
        for (offset, width) in [(1, Width::Four), (2, Width::Four), (4, Width::Eight), (7, Width::Eight)] {
            assert_eq!(page.write(layout.vcmd + offset, width, layout.alloc()), None);
        }
        assert_eq!(registers(page), before);
    });
}

#[test]
fn s85_a_refused_allocation_has_status_no_pasid() {
    each(|page, layout| {
        assert_eq!(page.write(layout.vcmd, Width::Eight, layout.alloc()), Some(Request::Alloc));
        page.answer(Err(Refusal));
        assert_eq!(layout.status(page.read(layout.vcrsp)), layout.status_no_pasid);
        assert_eq!(layout.result(page.read(layout.vcrsp)), 0);
    });
}

#[test]
fn s86_a_reset_ends_the_command_in_progress() {
    each(|page, layout| {
        let fresh = registers(page);
        assert!(page.write(layout.vcmd, Width::Eight, layout.alloc()).is_some());
        page.reset();
        assert_eq!(registers(page), fresh);
    });
}

#[test]
fn s87_the_capabilities_are_shown_together_and_say_that_the_unit_is_virtual() {
    each(|page, layout| {
        assert_eq!(page.read(ECAP) >> 44 & 1, 1, "ECAP.VCS");
        assert_eq!(page.read(layout.vccap) & 1, 1, "VCCAP.PAS");
        assert_eq!(page.read(CAP) >> 7 & 1, 1, "CAP.CM");
        // They stay what they are.
        for offset in [CAP, ECAP, layout.vccap] {
            let before = page.read(offset);
            assert_eq!(page.write(offset, Width::Eight, !before), None);
            assert_eq!(page.read(offset), before);
        }
    });
}

#[test]
fn s87_a_write_while_a_command_is_in_progress_is_ignored() {
    each(|page, layout| {
        assert_eq!(page.write(layout.vcmd, Width::Eight, layout.alloc()), Some(Request::Alloc));
        let before = registers(page);
        for width in [Width::Four, Width::Eight] {
            assert_eq!(page.write(layout.vcmd, width, layout.free(3)), None);
            assert_eq!(page.write(layout.vcmd + 4, width, 3), None);
        }
        assert_eq!(registers(page), before);
        page.answer(Ok(11));
        assert_eq!(layout.result(page.read(layout.vcrsp)), 11);
    });
}

// SPDX-License-Identifier: BSD-2-Clause
//! Entries that are broken on purpose: hardware denies, and the driver says why.
use qtest::{DATA, Platform, Rig};
use vtd::{Direction, Pasid};

/// Where no platform has memory.
const NOWHERE: u64 = 0x2000_0000_0000;

/// A device that reaches page 0, cold.
fn bound<P: Platform>() -> (Rig<P>, Pasid) {
    let mut rig = Rig::<P>::new(1);
    let domain = rig.domain(0);
    let pasid = rig.bind(0, 5, domain);
    (rig, pasid)
}

/// Changes a word, expects a fault with one of the codes, and mends the word again.
fn denies<P: Platform>(rig: &mut Rig<P>, phys: u64, change: impl FnOnce(u64) -> u64, codes: &[u8]) {
    let old = rig.platform.load(phys);
    rig.poke(phys, change);
    rig.unit.settle().unwrap();
    assert_eq!(rig.lands(0), None);
    rig.assert_fault(0, DATA, Direction::Write, codes);
    rig.poke(phys, |_| old);
    rig.unit.settle().unwrap();
    assert_eq!(rig.lands(0), Some(0));
}

pub fn t10_unknown_translation_types_and_widths_deny<P: Platform>() {
    let (mut rig, pasid) = bound::<P>();
    let entry = rig.pasid_entry(0, pasid);
    for kind in [0, 5, 6, 7] {
        denies(&mut rig, entry, |word| word & !0x1c0 | kind << 6, &[0x58, 0x5b]);
    }
    for width in [0, 3, 7] {
        denies(&mut rig, entry, |word| word & !0x1c | width << 2, &[0x58, 0x5b]);
    }
}

pub fn t13_reserved_bits_in_root_and_context_deny<P: Platform>() {
    let (mut rig, _) = bound::<P>();
    let (root, context) = (rig.root_entry(0), rig.context_entry(0));
    denies(&mut rig, root, |word| word | 0x10, &[0x0a, 0x3a]);
    denies(&mut rig, context, |word| word | 0x40, &[0x0b, 0x42]);
    denies(&mut rig, context + 8, |word| word | 1 << 40, &[0x0b, 0x42]);
}

pub fn t14_unreadable_tables_deny<P: Platform>() {
    let (mut rig, pasid) = bound::<P>();
    let elsewhere = |word: u64| word & !0x000f_ffff_ffff_f000 | NOWHERE;
    let (root, context) = (rig.root_entry(0), rig.context_entry(0));
    denies(&mut rig, root, elsewhere, &[0x09, 0x40]);
    denies(&mut rig, context, elsewhere, &[0x50, 0x58]);
    let (directory, entry) = (rig.directory_entry(0, pasid), rig.pasid_entry(0, pasid));
    denies(&mut rig, directory, elsewhere, &[0x58]);
    denies(&mut rig, entry, elsewhere, &[0x03, 0x07, 0x78]);
    let page = rig.page_entry(entry, DATA, 2);
    denies(&mut rig, page, elsewhere, &[0x07, 0x78]);
}

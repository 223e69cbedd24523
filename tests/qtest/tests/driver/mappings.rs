// SPDX-License-Identifier: BSD-2-Clause
//! What a domain maps: rights, sizes, borders.
use qtest::{DATA, Platform, Rig, SCRATCH};
use vtd::tables::Descriptor;
use vtd::{Access, Direction, Error, Mapping, PageSize};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const NOT_MAPPED_WRITE: [u8; 2] = [0x05, 0x79];
const NOT_MAPPED_READ: [u8; 2] = [0x06, 0x79];

pub fn t07_a_cleared_page_needs_its_flush<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    let domain = rig.domain(0);
    rig.map(domain, DATA + 4096, Rig::<P>::page(1), Access::ReadWrite);
    let pasid = rig.bind(0, 5, domain);
    assert_eq!(rig.lands(0), Some(0));
    let pasid_entry = rig.pasid_entry(0, pasid);
    let entry = rig.page_entry(pasid_entry, DATA, 1);
    let old = rig.platform.load(entry);
    rig.poke(entry, |_| 0);
    assert_eq!(rig.lands(0), Some(0), "the translation is cached");
    rig.unit.invalidate(&[Descriptor::iotlb_pages(domain, DATA, 0)]).unwrap();
    assert_eq!(rig.lands(0), None);
    rig.assert_fault(0, DATA, Direction::Write, &NOT_MAPPED_WRITE);

    rig.poke(entry, |_| old);
    rig.unit.settle().unwrap();
    assert_eq!(rig.lands(0), Some(0));
    rig.unit.unmap(domain, DATA, 4096).unwrap();
    assert_eq!(rig.lands(0), None, "the driver flushes by itself");
    rig.assert_fault(0, DATA, Direction::Write, &NOT_MAPPED_WRITE);
    assert!(rig.writes(0, DATA + 4096, Rig::<P>::page(1)), "the page beside it is still mapped");
    assert_eq!(rig.unit.unmap(domain, DATA, 8192), Err(Error::NotMapped));
    assert!(rig.writes(0, DATA + 4096, Rig::<P>::page(1)));

    // Mapped anew, it is the new page that counts.
    rig.map(domain, DATA, Rig::<P>::page(2), Access::ReadWrite);
    assert_eq!(rig.lands(0), Some(2));
}

pub fn t11_read_only_and_write_only_pages<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    let domain = rig.unit.create_domain(vtd::Stage::Second).unwrap();
    rig.map_scratch(0, domain);
    rig.map(domain, DATA, Rig::<P>::page(0), Access::Read);
    rig.map(domain, DATA + 0x1000, Rig::<P>::page(1), Access::Write);
    rig.bind(0, 5, domain);

    assert_eq!(rig.lands(0), None);
    rig.assert_fault(0, DATA, Direction::Write, &NOT_MAPPED_WRITE);
    rig.platform.store(Rig::<P>::page(0), 0x1234);
    assert_eq!(rig.reads(0, DATA), 0x1234);

    rig.platform.store(Rig::<P>::page(1), 0x5678);
    assert_eq!(rig.reads(0, DATA + 0x1000), 0);
    rig.assert_fault(0, DATA + 0x1000, Direction::Read, &NOT_MAPPED_READ);
    assert!(rig.writes(0, DATA + 0x1000, Rig::<P>::page(1)));
    assert_eq!(rig.faults(), []);

    let writable = |rig: &mut Rig<P>, iova| rig.unit.translate(domain, iova);
    assert_eq!(writable(&mut rig, DATA + 8), Some((Rig::<P>::page(0) + 8, Access::Read)));
    assert_eq!(writable(&mut rig, DATA + 0x1008), Some((Rig::<P>::page(1) + 8, Access::Write)));
    assert_eq!(writable(&mut rig, DATA + 0x2000), None);
    assert!(writable(&mut rig, SCRATCH).is_some());
}

pub fn t24_dma_across_into_an_unmapped_page<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    let domain = rig.domain(0);
    rig.bind(0, 5, domain);
    let last = Rig::<P>::page(0) + 4088;
    rig.platform.store(last, 0);
    rig.platform.store(Rig::<P>::page(1), 0x77);
    rig.write_words(0, DATA + 4088, 2);
    assert_eq!(rig.platform.load(last), Rig::<P>::token(0), "what lies before the border arrives");
    assert_eq!(rig.platform.load(Rig::<P>::page(1)), 0x77);
    rig.assert_fault(0, DATA + 4096, Direction::Write, &NOT_MAPPED_WRITE);
}

pub fn t25_large_and_huge_pages<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    let domain = rig.domain(0);
    let pasid = rig.bind(0, 5, domain);
    let free = rig.unit.free_frames();
    let map = |rig: &mut Rig<P>, iova, phys, bytes, largest| {
        rig.unit.map(domain, Mapping { iova, phys, bytes, access: Access::ReadWrite, largest })
    };
    // 1 GiB at 1 GiB of memory, entered at both ends: no table is needed.
    map(&mut rig, 4 * GIB, GIB, GIB, PageSize::Huge).unwrap();
    assert_eq!(rig.unit.free_frames(), free);
    assert!(rig.writes(0, 4 * GIB, GIB) && rig.writes(0, 5 * GIB - 8, 2 * GIB - 8));
    // 2 MiB pages, between small ones at ends that are not aligned: one table for each end.
    map(&mut rig, 6 * GIB - 4096, GIB - 4096, 4 * MIB + 8192, PageSize::Huge).unwrap();
    assert!(free - rig.unit.free_frames() <= 4, "{} frames", free - rig.unit.free_frames());
    for offset in [0, 4096, 2 * MIB, 4 * MIB + 4096] {
        assert!(rig.writes(0, 6 * GIB - 4096 + offset, GIB - 4096 + offset));
    }
    assert_eq!(rig.faults(), []);
    assert_eq!(map(&mut rig, 4 * GIB + 4096, 0x800_0000, 4096, PageSize::Small), Err(Error::AlreadyMapped));

    // An address that is not aligned to its page size is a reserved bit.
    let pasid_entry = rig.pasid_entry(0, pasid);
    let huge = rig.page_entry(pasid_entry, 4 * GIB, 3);
    rig.poke(huge, |word| word | 1 << 12);
    rig.unit.settle().unwrap();
    assert!(!rig.writes(0, 4 * GIB, GIB));
    rig.assert_fault(0, 4 * GIB, Direction::Write, &[0x0c, 0x7a]);
    rig.poke(huge, |word| word & !(1 << 12));
    rig.unit.settle().unwrap();

    rig.unit.unmap(domain, 4 * GIB, GIB).unwrap();
    rig.unit.unmap(domain, 6 * GIB - 4096, 4 * MIB + 8192).unwrap();
    assert_eq!(rig.unit.free_frames(), free);
    assert!(!rig.writes(0, 4 * GIB, GIB) && !rig.writes(0, 6 * GIB, GIB));
}

pub fn unmapping_a_part_splits_a_large_page<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    let domain = rig.domain(0);
    rig.bind(0, 5, domain);
    let mapping =
        Mapping { iova: 4 * GIB, phys: GIB, bytes: GIB, access: Access::ReadWrite, largest: PageSize::Huge };
    rig.unit.map(domain, mapping).unwrap();
    assert!(rig.writes(0, 4 * GIB + 3 * MIB, GIB + 3 * MIB), "the translation of the whole page is cached");
    rig.unit.unmap(domain, 4 * GIB + 3 * MIB, 4096).unwrap();
    assert!(!rig.writes(0, 4 * GIB + 3 * MIB, GIB + 3 * MIB));
    rig.assert_fault(0, 4 * GIB + 3 * MIB, Direction::Write, &NOT_MAPPED_WRITE);
    for offset in [0, 3 * MIB - 4096, 3 * MIB + 4096, 4 * MIB, GIB - 4096] {
        assert!(rig.writes(0, 4 * GIB + offset, GIB + offset));
    }
    assert_eq!(rig.faults(), []);
}

pub fn t26_addresses_out_of_range<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    let domain = rig.domain(0);
    let pasid = rig.bind(0, 5, domain);
    let map = |rig: &mut Rig<P>, iova, phys, bytes| {
        let (access, largest) = (Access::ReadWrite, PageSize::Small);
        rig.unit.map(domain, Mapping { iova, phys, bytes, access, largest })
    };
    let phys = Rig::<P>::page(1);
    for (iova, bytes) in [
        (1 << 48, 4096),
        ((1 << 48) - 4096, 8192),
        (u64::MAX - 4095, 4096),
        (DATA + 0x1001, 4096),
        (DATA + 0x1000, 0),
        (DATA + 0x1000, 4095),
        (0xfee0_0000, 4096),
        (0xfeef_f000, 4096),
        (0xfedf_f000, 8192),
    ] {
        assert_eq!(map(&mut rig, iova, phys, bytes), Err(Error::InvalidRange), "{iova:#x}");
        assert_eq!(rig.unit.unmap(domain, iova, bytes), Err(Error::InvalidRange), "{iova:#x}");
    }
    let tables = qtest::TABLES.0;
    for bad in [0xfee0_0000, 0xfeef_f000, tables, tables + 4096, phys + 1, 1 << 48, u64::MAX - 4095] {
        assert_eq!(map(&mut rig, DATA + 0x1000, bad, 4096), Err(Error::InvalidRange), "{bad:#x}");
    }
    assert_eq!(map(&mut rig, DATA + 0x1000, tables - 4096, 8192), Err(Error::InvalidRange));

    assert!(!rig.writes(0, 1 << 48, phys));
    rig.assert_fault(0, 1 << 48, Direction::Write, &[0x04, 0x84]);
    map(&mut rig, (1 << 48) - 4096, phys, 4096).unwrap();
    assert!(rig.writes(0, (1 << 48) - 4096, phys));
    map(&mut rig, 0, phys, 4096).unwrap();
    assert!(rig.writes(0, 0, phys));

    // A page that leads to the interrupt range, written behind the driver's back.
    let pasid_entry = rig.pasid_entry(0, pasid);
    let entry = rig.page_entry(pasid_entry, DATA, 1);
    rig.poke(entry, |word| word & 0xfff | 0xfee0_0000);
    rig.unit.settle().unwrap();
    assert_eq!(rig.lands(0), None);
    rig.assert_fault(0, DATA, Direction::Write, &[0x0e, 0x87]);
}

pub fn a_failed_mapping_changes_nothing<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    let domain = rig.domain(0);
    rig.bind(0, 5, domain);
    // Everything that is left of the table memory goes into tables that map one page each.
    let free = rig.unit.free_frames();
    let mapping = |iova, bytes| {
        let (phys, access, largest) = (Rig::<P>::page(1), Access::ReadWrite, PageSize::Small);
        Mapping { iova, phys, bytes, access, largest }
    };
    let mut used = Vec::new();
    for iova in (1..).map(|index| index << 30) {
        match rig.unit.map(domain, mapping(iova + (64 << 30), 4096)) {
            Ok(()) => used.push(iova + (64 << 30)),
            Err(error) => {
                assert_eq!(error, Error::NoMemory);
                break;
            }
        }
    }
    let left = rig.unit.free_frames();
    assert!(left < 3, "{left} frames are left");
    // Fails in the middle of the range: what was made of it is gone.
    assert_eq!(rig.unit.map(domain, mapping(DATA + 0x20_0000 - 0x1000, 0x40_0000)), Err(Error::NoMemory));
    assert_eq!(rig.unit.free_frames(), left);
    assert_eq!(rig.unit.translate(domain, DATA + 0x20_0000 - 0x1000), None);
    assert_eq!(rig.lands(0), Some(0));
    for iova in used {
        rig.unit.unmap(domain, iova, 4096).unwrap();
    }
    assert_eq!(rig.unit.free_frames(), free);
}

pub fn merging_changes_nothing_but_the_size_of_pages<P: Platform>() {
    let mut rig = Rig::<P>::new(1);
    let domain = rig.domain(0);
    rig.bind(0, 5, domain);
    let before = rig.unit.free_frames();
    let map = |rig: &mut Rig<P>, iova, phys, bytes, access| {
        rig.unit.map(domain, Mapping { iova, phys, bytes, access, largest: PageSize::Small }).unwrap();
    };
    // 1 GiB of small pages, but for one page in the second 2 MiB that has other rights.
    let odd = 4 * GIB + 3 * MIB;
    map(&mut rig, 4 * GIB, GIB, 3 * MIB, Access::ReadWrite);
    map(&mut rig, odd, GIB + 3 * MIB, 4096, Access::Write);
    map(&mut rig, odd + 4096, GIB + 3 * MIB + 4096, GIB - 3 * MIB - 4096, Access::ReadWrite);
    assert!(rig.writes(0, 4 * GIB, GIB) && rig.writes(0, odd, GIB + 3 * MIB), "caches know the small pages");
    assert_eq!(before - rig.unit.free_frames(), 1 + 512);

    rig.unit.merge(domain, 4 * GIB, GIB).unwrap();
    assert_eq!(before - rig.unit.free_frames(), 2, "a table of large pages, and one of small ones");
    for offset in [0, 2 * MIB, 3 * MIB, 3 * MIB + 4096, GIB - 4096] {
        assert!(rig.writes(0, 4 * GIB + offset, GIB + offset));
    }
    assert_eq!(rig.unit.translate(domain, odd), Some((GIB + 3 * MIB, Access::Write)));
    assert_eq!(rig.unit.translate(domain, odd + 4096), Some((GIB + 3 * MIB + 4096, Access::ReadWrite)));

    // With the odd page made like the others, all of it is one page; and a part of that can go again.
    rig.unit.unmap(domain, odd, 4096).unwrap();
    map(&mut rig, odd, GIB + 3 * MIB, 4096, Access::ReadWrite);
    rig.unit.merge(domain, 4 * GIB, GIB).unwrap();
    assert_eq!(rig.unit.free_frames(), before);
    assert!(rig.writes(0, odd, GIB + 3 * MIB));
    rig.unit.merge(domain, 4 * GIB, GIB).unwrap();
    rig.unit.unmap(domain, odd, 4096).unwrap();
    assert!(!rig.writes(0, odd, GIB + 3 * MIB) && rig.writes(0, odd + 4096, GIB + 3 * MIB + 4096));
    rig.faults();

    // Neither the small page of another table nor one beyond the range is touched.
    rig.unit.merge(domain, DATA, 4096).unwrap();
    assert_eq!(rig.lands(0), Some(0));
    assert_eq!(rig.unit.merge(domain, DATA + 1, 4096), Err(Error::InvalidRange));
}

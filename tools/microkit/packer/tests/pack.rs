// SPDX-License-Identifier: BSD-2-Clause
//! What is packed, read back as the initialiser reads it.

#![allow(clippy::unwrap_used, reason = "a test fails where something is missing")]

mod common;

use common::{DATA, files, pack};
use microkit_image::{
    Image,
    layout::{IPC_BUFFER, STACK_TOP},
    record::{ANYWHERE, Cap, Irq, Map, NONE, Paging},
};
use object::{LittleEndian, Object as _, ObjectSegment as _, read::elf::ElfFile64};

const SYSTEM: &str = r#"
    <memory_region name="shared" size="0x3000" />
    <memory_region name="device" size="0x1000" phys_addr="0xfed90000" />
    <memory_region name="large" size="0x400000" page_size="0x200000" phys_addr="0x10000000" />
    <memory_region name="filled" size="0x1000" prefill_path="fill.bin" />
    <protection_domain name="parent" priority="10">
        <program_image path="a.elf" />
        <map mr="shared" vaddr="0x1000000" perms="rw" setvar_vaddr="var" />
        <map mr="device" vaddr="0x8000000000" perms="rw" cached="false" />
        <map mr="large" vaddr="0x40000000" perms="r" setvar_size="other_var" />
        <irq id="2" ioapic="1" pin="9" vector="30" trigger="level" polarity="low" />
        <irq id="3" pcidev="1:1f.7" handle="5" vector="31" />
        <ioport id="7" addr="0x3f8" size="8" />
        <protection_domain name="child" id="4" priority="9" passive="true">
            <program_image path="b.elf" />
            <map mr="shared" vaddr="0x2000000" perms="r" />
            <map mr="filled" vaddr="0x3000000" perms="r" />
            <setvar symbol="zeroed" region_paddr="large" />
        </protection_domain>
    </protection_domain>
    <channel>
        <end pd="child" id="11" pp="true" notify="false" />
        <end pd="parent" id="12" />
    </channel>"#;

/// The packed system out of a root task's segments.
fn packed_bytes(root: &[u8]) -> Vec<u8> {
    let file = ElfFile64::<LittleEndian>::parse(root).unwrap();
    let data = file.segments().find(|segment| segment.address() == DATA).unwrap().data().unwrap();
    let word = |at: usize| u64::from_le_bytes(data[at..at + 8].try_into().unwrap());
    let (address, len) = (word(0x88), word(0x90));
    let segment = file.segments().find(|segment| segment.address() == address).unwrap();
    assert_eq!(segment.size(), len);
    segment.data().unwrap().to_vec()
}

fn system() -> Vec<u8> {
    let mut files = files();
    files.insert("fill.bin", b"fill".to_vec());
    // Records are read in place, so they have to be aligned as the initialiser's pages are.
    packed_bytes(&pack(SYSTEM, &files).unwrap().root)
}

#[test]
fn a_virtual_machine_has_memory_and_a_cpu_of_its_own() {
    let system = r#"
        <memory_region name="ram" size="0x400000" page_size="0x200000" />
        <memory_region name="page" size="0x1000" />
        <protection_domain name="vmm" priority="10">
            <program_image path="a.elf" />
            <map mr="page" vaddr="0x1000000" perms="rw" />
            <virtual_machine name="vm">
                <vcpu id="3" />
                <map mr="ram" vaddr="0x0" perms="rwx" />
                <map mr="page" vaddr="0xfed90000" perms="r" />
            </virtual_machine>
        </protection_domain>"#;
    let packed = pack(system, &files()).unwrap();
    let bytes = packed_bytes(&packed.root);
    let image = Image::new(&bytes).unwrap();
    assert_eq!(image.pds[0].has_vm, 1);
    let guest: Vec<_> = image.maps.iter().filter(|map| map.flags & Map::GUEST != 0).collect();
    assert_eq!(
        guest.iter().map(|map| (map.region, map.vaddr, map.flags)).collect::<Vec<_>>(),
        [(0, 0, Map::GUEST | Map::WRITE), (1, 0xfed9_0000, Map::GUEST)]
    );
    let paging: Vec<_> = image
        .paging
        .iter()
        .filter(|p| p.level & Paging::GUEST != 0)
        .map(|p| (p.level & 3, p.vaddr))
        .collect();
    // Upper levels before lower ones.
    assert_eq!(paging, [(3, 0), (2, 0xc000_0000), (2, 0), (1, 0xfec0_0000)]);
    let cpu = image.caps.iter().find(|cap| cap.kind == Cap::VCPU).unwrap();
    assert_eq!((cpu.pd, cpu.slot, cpu.target), (0, 330 + 3, 0));
}

#[test]
fn what_overlaps_in_a_virtual_machine_is_refused() {
    let system = r#"
        <memory_region name="ram" size="0x2000" />
        <memory_region name="page" size="0x1000" />
        <protection_domain name="vmm" priority="10">
            <program_image path="a.elf" />
            <virtual_machine name="vm">
                <vcpu id="0" />
                <map mr="ram" vaddr="0x0" perms="rwx" />
                <map mr="page" vaddr="0x1000" perms="r" />
            </virtual_machine>
        </protection_domain>"#;
    let error = pack(system, &files()).unwrap_err().to_string();
    assert!(error.contains("overlaps the map of 'ram'") || error.contains("overlap"), "{error}");
}

#[test]
fn domains() {
    let bytes = system();
    let image = Image::new(&bytes).unwrap();
    let [parent, child] = image.pds else { panic!("two domains") };
    assert_eq!((image.name(parent.name), image.name(child.name)), ("parent", "child"));
    assert_eq!((parent.priority, child.priority), (10, 9));
    assert_eq!((parent.parent, child.parent, child.child_id), (NONE, 0, 4));
    assert_eq!((parent.has_endpoint, child.has_endpoint), (1, 0));
    assert_eq!((parent.stack_top, parent.stack_bottom), (STACK_TOP, STACK_TOP - 0x2000));
    assert_eq!(parent.entry, 0x20_0004);
    for pd in [parent, child] {
        let buffer = &image.regions[pd.ipc_buffer as usize];
        assert_eq!(buffer.size, 0x1000);
        assert!(image.maps.iter().any(|map| map.region == pd.ipc_buffer && map.vaddr == IPC_BUFFER));
    }
}

#[test]
fn regions_and_maps() {
    let bytes = system();
    let image = Image::new(&bytes).unwrap();
    let region = |name: &str| {
        let index = image.regions.iter().position(|region| image.name(region.name) == name).unwrap();
        (u32::try_from(index).unwrap(), image.regions[index])
    };
    let maps = |index: u32| -> Vec<_> {
        let maps = image.maps.iter().filter(|map| map.region == index);
        maps.map(|map| (map.pd, map.vaddr, map.flags)).collect()
    };
    let (index, shared) = region("shared");
    assert_eq!((shared.size, shared.paddr, shared.page_bits), (0x3000, ANYWHERE, 12));
    assert_eq!(maps(index), [(0, 0x100_0000, Map::WRITE), (1, 0x200_0000, 0)]);
    let (index, device) = region("device");
    assert_eq!(device.paddr, 0xfed9_0000);
    assert_eq!(maps(index), [(0, 0x80_0000_0000, Map::WRITE | Map::UNCACHED)]);
    let (index, large) = region("large");
    assert_eq!((large.paddr, large.page_bits), (0x1000_0000, 21));
    assert_eq!(maps(index), [(0, 0x4000_0000, 0)]);
    // Code is never writable.
    let (index, _) = region("parent: code");
    assert_eq!(maps(index), [(0, 0x20_0000, 0)]);
    assert_eq!(region("parent: data").1.size, 0x2000);
}

#[test]
fn every_map_has_its_paging_structures_upper_levels_first() {
    let bytes = system();
    let image = Image::new(&bytes).unwrap();
    for map in image.maps {
        let region = image.regions[map.region as usize];
        for page in (map.vaddr..map.vaddr + region.size).step_by(1 << region.page_bits) {
            let has = |level, bits: u32| {
                let wanted = Paging { pd: map.pd, level, vaddr: page >> bits << bits };
                image.paging.iter().filter(|paging| **paging == wanted).count()
            };
            assert_eq!((has(Paging::PDPT, 39), has(Paging::PAGE_DIRECTORY, 30)), (1, 1), "{page:#x}");
            // A large page lies where a page table would be.
            assert_eq!(has(Paging::PAGE_TABLE, 21), usize::from(region.page_bits == 12), "{page:#x}");
        }
    }
    for pd in 0..2 {
        let levels: Vec<_> =
            image.paging.iter().filter(|paging| paging.pd == pd).map(|paging| paging.level).collect();
        assert!(levels.is_sorted_by(|a, b| a >= b));
    }
}

#[test]
fn capabilities() {
    let bytes = system();
    let image = Image::new(&bytes).unwrap();
    let caps: Vec<_> =
        image.caps.iter().map(|cap| (cap.pd, cap.kind, cap.slot, cap.target, cap.badge)).collect();
    assert_eq!(
        caps,
        [
            (0, Cap::TCB, 202 + 4, 1, 0),
            (0, Cap::IO_PORTS, 394 + 7, NONE, 0),
            (1, Cap::ENDPOINT, 74 + 11, 0, 1 << 9 | 12),
            (0, Cap::NOTIFICATION, 10 + 12, 1, 1 << 63 | 1 << 11),
        ]
    );
    assert_eq!(image.caps[1].ports, [0x3f8, 0x3ff]);
}

#[test]
fn interrupts() {
    let bytes = system();
    let image = Image::new(&bytes).unwrap();
    let base = Irq { pd: 0, kind: 0, id: 0, vector: 0, source: 0, line: 0, level: 0, active_low: 0 };
    assert_eq!(
        image.irqs,
        [
            Irq { kind: Irq::IOAPIC, id: 2, vector: 30, source: 1, line: 9, level: 1, active_low: 1, ..base },
            Irq { kind: Irq::MSI, id: 3, vector: 31, source: 5, line: 0x1_ff, ..base },
        ]
    );
}

#[test]
fn what_is_patched_in() {
    let bytes = system();
    let image = Image::new(&bytes).unwrap();
    let data = |name: &str| {
        let index = image.regions.iter().position(|region| image.name(region.name) == name).unwrap();
        let fill = image.fills.iter().find(|fill| fill.region as usize == index).unwrap();
        let mut data = image.data(fill.data).unwrap().to_vec();
        // Zeroes at the end are not in the image.
        data.resize(data.len().next_multiple_of(16), 0);
        data
    };
    let (parent, child) = (data("parent: data"), data("child: data"));
    let word = |data: &[u8], at: usize| u64::from_le_bytes(data[at..at + 8].try_into().unwrap());
    assert_eq!((word(&parent, 0), word(&parent, 8)), (0x100_0000, 0x40_0000));
    assert_eq!((word(&child, 0), word(&child, 0x1000)), (0xdddd_dddd_dddd_dddd, 0x1000_0000));
    assert_eq!(parent[0x20..0x28], *b"parent\0\0");
    assert_eq!(child[0x20..0x28], *b"child\0\0\0");
    assert_eq!((parent[0x60], child[0x60]), (0, 1));
    let bits = |data: &[u8]| [word(data, 0x68), word(data, 0x70), word(data, 0x78), word(data, 0x80)];
    assert_eq!(bits(&parent), [0b1100, 1 << 12, 0, 1 << 7]);
    assert_eq!(bits(&child), [0, 0, 1 << 11, 0]);
    assert_eq!(data("filled")[..5], *b"fill\0");
}

#[test]
fn one_program_twice_has_its_code_in_the_image_once() {
    let bytes = system();
    let needle = b"code of the program";
    assert_eq!(bytes.windows(needle.len()).filter(|window| window == needle).count(), 1);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let mut files = files();
    files.insert("fill.bin", b"fill".to_vec());
    let [one, two] = [(); 2].map(|()| pack(SYSTEM, &files).unwrap());
    assert_eq!(one, two);
}

#[test]
fn a_passive_domain_is_noted() {
    let mut files = files();
    files.insert("fill.bin", b"fill".to_vec());
    assert_eq!(
        pack(SYSTEM, &files).unwrap().notes,
        [
            "system.xml:15:61: protection domain 'child' is passive: on this kernel without MCS it runs as an active one"
        ]
    );
}

#[test]
fn the_report_names_everything() {
    let mut files = files();
    files.insert("fill.bin", b"fill".to_vec());
    let report = pack(SYSTEM, &files).unwrap().report;
    for line in [
        "protection domain child (priority 9)",
        "  child 4 of parent",
        "  0x000001000000     0x3000 rw shared",
        "  0x008000000000     0x1000 rw uncached device",
        "  cap 401: I/O ports 0x3f8..=0x3ff",
        "  cap 85: call parent, badge 0x20c",
        "  irq 2: vector 30, I/O APIC 1 pin 9",
        "  large: 0x400000 bytes, pages of 0x200000, at 0x10000000, mapped 1 times",
    ] {
        assert!(report.lines().any(|have| have == line), "no line {line:?} in\n{report}");
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! A real controller behind a PASID: it works, and it is cut off cleanly.
#![expect(clippy::unwrap_used, reason = "a test fails where something fails that must not")]

use qtest::{Machine, Nvme, Options, Qemu, Queues, TABLES, UNIT};
use vtd::{Access, Config, Device, Direction, Mapping, PageSize, Pasid, Quirks, SourceId, Stage, Unit};

/// Where the controller sees its three pages, and where they are.
const IOVA: u64 = 0x12_3456_7000;
const PHYS: u64 = 0x800_0000;
/// Looks at the completion entry; each lets the machine run a little.
const PATIENCE: u32 = 10_000;

fn works_and_is_cut_off(qemu: &Qemu) {
    let device = SourceId::new(0, 3, 0).unwrap();
    let unit = "intel-iommu,x-scalable-mode=on,x-pasid-mode=on,aw-bits=48".to_owned();
    let options = Options { memory: 256, devices: vec![unit, Nvme::argument(device)] };
    let machine = Machine::start(qemu, &options).unwrap();
    let (memory, socket) = (&machine.memory, &machine.socket);
    let config = Config { quirks: Quirks::QEMU, host_address_bits: 48, ..Config::default() };
    let mut unit = Unit::probe(socket.unit(UNIT), memory.tables(TABLES.0, 1024), config).unwrap();
    unit.enable().unwrap();
    unit.attach(device, Device::default()).unwrap();

    // It reads its commands, and writes completions and answers: each page allows just that.
    let pasid = Pasid::new(0x12345).unwrap();
    let domain = unit.create_domain(Stage::Second).unwrap();
    let rights = [Access::Read, Access::Write, Access::Write];
    for (page, access) in (0..).zip(rights) {
        let (iova, phys) = (IOVA + page * 4096, PHYS + page * 4096);
        unit.map(domain, Mapping { iova, phys, bytes: 4096, access, largest: PageSize::Small }).unwrap();
    }
    unit.bind(device, pasid, domain).unwrap();
    unit.set_untagged(device, pasid).unwrap();

    let queues = Queues { submission: IOVA, completion: IOVA + 0x1000, answer: IOVA + 0x2000 };
    let mut nvme = Nvme::start(socket, device, 0xc000_0000, queues);
    let identify = |nvme: &mut Nvme| {
        let (offset, words) = nvme.identify();
        for (index, word) in (0..).zip(words) {
            memory.store(PHYS + offset + index * 8, word);
        }
        nvme.ring();
    };
    identify(&mut nvme);
    // The phase bit of the first completion entry, and no error in its status.
    let completed = (0..PATIENCE).any(|_| !nvme.is_fatal() && memory.load(PHYS + 0x1008) >> 48 & 1 == 1);
    assert!(completed, "Identify does not complete");
    assert_eq!(memory.load(PHYS + 0x1008) >> 49, 0, "Identify fails");
    let vendor = memory.load(PHYS + 0x2000) & 0xffff;
    assert!([0x1b36, 0x8086].contains(&vendor), "vendor {vendor:#x}");
    assert_eq!(unit.faults().next(), None);

    unit.unbind(device, pasid).unwrap();
    memory.fill(PHYS + 0x1000, 1024, 0);
    identify(&mut nvme);
    assert!(nvme.fails(), "a controller that reaches nothing says so");
    let faults: Vec<_> = unit.faults().collect();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!((faults[0].device, faults[0].direction), (device, Direction::Read), "{faults:?}");
    assert_eq!(faults[0].address, IOVA);
    assert!((0..1024).all(|word| memory.load(PHYS + 0x1000 + word * 8) == 0), "nothing was written");
}

#[test]
fn nvme_behind_a_pasid_works_and_is_cut_off() {
    works_and_is_cut_off(&Qemu::default());
}

#[cfg(feature = "qemu-7")]
#[test]
fn nvme_behind_a_pasid_works_and_is_cut_off_on_qemu_7() {
    works_and_is_cut_off(&Qemu::unpacked_7_2());
}

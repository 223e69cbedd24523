// SPDX-License-Identifier: BSD-2-Clause
//! A first look.
use qtest::{Edu, Machine, Options, Qemu};
use vtd::{Access, Config, Device, Mapping, PageSize, Pasid, Quirks, SourceId, Stage, Unit};

#[test]
fn smoke() {
    let device = SourceId::new(0, 3, 0).unwrap();
    let devices =
        vec!["intel-iommu,x-scalable-mode=on,x-pasid-mode=on,aw-bits=48".to_owned(), Edu::argument(device)];
    let machine = Machine::start(&Qemu::default(), &Options { memory: 256, devices }).unwrap();
    let edu = Edu::place(&machine.socket, device, 0xe000_0000);
    let tables = machine.memory.tables(0x100_0000, 4096);
    let config = Config { quirks: Quirks::QEMU, ..Config::default() };
    let mut unit = Unit::probe(machine.socket.unit(0xfed9_0000), tables, config).unwrap();
    println!("{:?}", unit.capabilities());
    unit.enable().unwrap();
    unit.route_fault_event(vtd::Msi { address: 0xfee0_0000, data: 0x30 }).unwrap();
    unit.attach(device, Device::default()).unwrap();
    let pasid = Pasid::new(0x12345).unwrap();
    unit.set_untagged(device, pasid).unwrap();
    let domain = unit.create_domain(Stage::Second).unwrap();
    let mapping = Mapping {
        iova: 0x4000_0000,
        phys: 0x800_0000,
        bytes: 0x2000,
        access: Access::ReadWrite,
        largest: PageSize::Small,
    };
    unit.map(domain, mapping).unwrap();
    unit.bind(device, pasid, domain).unwrap();
    machine.memory.fill(0x800_0000, 512, 0x1122_3344_5566_7788);
    edu.read(0x4000_0000, 64);
    edu.write(0x4000_1000, 64);
    assert_eq!(machine.memory.load(0x800_1000), 0x1122_3344_5566_7788);
    assert_eq!(unit.faults().next(), None);
    unit.unbind(device, pasid).unwrap();
    edu.write(0x4000_1800, 64);
    assert_eq!(machine.memory.load(0x800_1800), 0);
    let faults: Vec<_> = unit.faults().collect();
    println!("{faults:?} {:?}", unit.service_fault_event());
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].device, device);
}

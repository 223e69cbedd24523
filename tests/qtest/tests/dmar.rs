// SPDX-License-Identifier: BSD-2-Clause
//! The DMAR table that QEMU itself writes.
#![expect(clippy::unwrap_used, reason = "a test fails where something fails that must not")]

use dmar::{Dmar, Function, ScopeKind};
use qtest::{Edu, Machine, Options, Qemu, UNIT, firmware};
use vtd::SourceId;

fn describes_the_unit(qemu: &Qemu) {
    let unit = "intel-iommu,x-scalable-mode=on,x-pasid-mode=on,aw-bits=48".to_owned();
    let device = SourceId::new(0, 3, 0).unwrap();
    let devices = vec![unit, Edu::argument(device)];
    let machine = Machine::start(qemu, &Options { memory: 64, devices }).unwrap();
    let tables = firmware::file(&machine, "etc/acpi/tables").unwrap();
    let start = tables.windows(4).position(|bytes| bytes == b"DMAR").unwrap();
    let length = u32::from_le_bytes(tables[start + 4..start + 8].try_into().unwrap());
    let mut table = tables[start..start + usize::try_from(length).unwrap()].to_vec();
    // Checksums are firmware's work.
    let sum = table.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte));
    table[9] = table[9].wrapping_sub(sum);

    let dmar = Dmar::parse(&table).unwrap();
    assert_eq!(dmar.host_address_bits(), 48);
    let units: Vec<_> = dmar.units().map(|unit| unit.base).collect();
    assert_eq!(units, [UNIT]);
    assert!(
        dmar.units().flat_map(|unit| unit.scopes).any(|scope| matches!(scope.kind, ScopeKind::IoApic(_)))
    );
    assert_eq!(dmar.reserved().count(), 0);
    // QEMU names each function instead of including all.
    let unit_of = |device| dmar.unit_of(Function { bus: 0, device, function: 0 }, &()).map(|unit| unit.base);
    assert_eq!((unit_of(3), unit_of(4)), (Some(UNIT), None));
}

#[test]
fn qemus_own_table_describes_its_unit() {
    describes_the_unit(&Qemu::default());
}

#[cfg(feature = "qemu-7")]
#[test]
fn the_table_of_qemu_7_describes_its_unit() {
    describes_the_unit(&Qemu::unpacked_7_2());
}

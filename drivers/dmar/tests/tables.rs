// SPDX-License-Identifier: BSD-2-Clause
//! Tables as firmware writes them, and as it must not.
#![expect(clippy::unwrap_used, reason = "a test fails where something fails that must not")]

use std::ops::RangeInclusive;

use dmar::{Bridges, Dmar, Error, Function, ScopeKind};
use proptest::prelude::*;

fn scope(kind: u8, enumeration: u8, bus: u8, path: &[(u8, u8)]) -> Vec<u8> {
    let length = u8::try_from(6 + 2 * path.len()).unwrap();
    let mut bytes = vec![kind, length, 0, 0, enumeration, bus];
    bytes.extend(path.iter().flat_map(|&(device, function)| [device, function]));
    bytes
}

fn structure(kind: u16, body: &[u8], scopes: &[Vec<u8>]) -> Vec<u8> {
    let scopes = scopes.concat();
    let length = u16::try_from(4 + body.len() + scopes.len()).unwrap();
    [&kind.to_le_bytes()[..], &length.to_le_bytes(), body, &scopes].concat()
}

fn unit(flags: u8, segment: u16, base: u64, scopes: &[Vec<u8>]) -> Vec<u8> {
    let body = [&[flags, 0][..], &segment.to_le_bytes(), &base.to_le_bytes()].concat();
    structure(0, &body, scopes)
}

fn region(segment: u16, base: u64, limit: u64, scopes: &[Vec<u8>]) -> Vec<u8> {
    let body = [&[0, 0][..], &segment.to_le_bytes(), &base.to_le_bytes(), &limit.to_le_bytes()].concat();
    structure(1, &body, scopes)
}

/// Sets length and checksum.
fn seal(mut table: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(table.len()).unwrap();
    table[4..8].copy_from_slice(&length.to_le_bytes());
    table[9] = 0;
    let sum = table.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte));
    table[9] = sum.wrapping_neg();
    table
}

fn table(structures: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"DMAR".to_vec();
    bytes.resize(36, 0);
    bytes.extend([38, 1]);
    bytes.resize(48, 0);
    bytes.extend(structures.concat());
    seal(bytes)
}

/// Two units, one for a graphics function and what is behind a bridge, one for all others; two reserved regions.
fn example() -> Vec<u8> {
    table(&[
        unit(0, 0, 0xfed9_0000, &[scope(1, 0, 0, &[(2, 0)]), scope(2, 0, 0, &[(0x1c, 0), (0, 1)])]),
        unit(1, 0, 0xfed9_1000, &[scope(3, 2, 0xf0, &[(0x1f, 0)]), scope(4, 0, 0, &[(0x1f, 0)])]),
        region(0, 0x7800_0000, 0x780f_ffff, &[scope(1, 0, 0, &[(2, 0)])]),
        region(0, 0x7900_0000, 0x7900_0fff, &[scope(1, 0, 0, &[(0x14, 0)])]),
        structure(2, &[1, 0, 0, 0], &[]),
        structure(0x77, &[1, 2, 3], &[]),
    ])
}

/// A bridge at 00:1c.0 to buses 1 to 4, and in it one at 01:00.1 to buses 3 and 4.
struct Machine;

impl Bridges for Machine {
    fn buses(&self, bridge: Function) -> Option<RangeInclusive<u8>> {
        match (bridge.bus, bridge.device, bridge.function) {
            (0, 0x1c, 0) => Some(1..=4),
            (1, 0, 1) => Some(3..=4),
            _ => None,
        }
    }
}

fn function(bus: u8, device: u8, function: u8) -> Function {
    Function { bus, device, function }
}

#[test]
fn a_table_is_found_among_others_and_a_bad_one_passed_over() {
    let good = example();
    let bad = good.iter().map(|byte| byte ^ u8::from(*byte == 38)).collect::<Vec<_>>();
    assert!(Dmar::find(b"FACP and DSDT").is_none());
    assert_eq!(Dmar::find(&[b"DSDT", &bad[..]].concat()).unwrap().unwrap_err(), Error::Checksum);
    let memory = [b"the table is named DMAR\0", &bad[..], &good, b"APIC"].concat();
    assert_eq!(Dmar::find(&memory).unwrap().unwrap().units().count(), 2);
}

#[test]
fn memory_is_reserved_for_functions() {
    let table = example();
    let dmar = Dmar::parse(&table).unwrap();
    let bases = |device| {
        let function = Function { bus: 0, device, function: 0 };
        dmar.reserved_for(function, &()).map(|region| region.base).collect::<Vec<_>>()
    };
    assert_eq!([bases(2), bases(0x14), bases(3)], [vec![0x7800_0000], vec![0x7900_0000], vec![]]);
}

#[test]
fn units_and_regions_are_found() {
    let bytes = example();
    let dmar = Dmar::parse(&bytes).unwrap();
    assert_eq!((dmar.host_address_bits(), dmar.interrupt_remapping()), (39, true));
    let units: Vec<_> = dmar.units().map(|unit| (unit.base, unit.bytes, unit.include_all)).collect();
    assert_eq!(units, [(0xfed9_0000, 4096, false), (0xfed9_1000, 4096, true)]);
    let regions: Vec<_> = dmar.reserved().map(|region| (region.base, region.bytes)).collect();
    assert_eq!(regions, [(0x7800_0000, 0x10_0000), (0x7900_0000, 0x1000)]);
    let kinds: Vec<_> = dmar.units().flat_map(|unit| unit.scopes).map(|scope| scope.kind).collect();
    assert_eq!(kinds, [ScopeKind::Endpoint, ScopeKind::Bridge, ScopeKind::IoApic(2), ScopeKind::Hpet(0)]);
}

#[test]
fn a_function_is_behind_the_unit_that_names_it_or_the_one_for_all_others() {
    let bytes = example();
    let dmar = Dmar::parse(&bytes).unwrap();
    let base = |at| dmar.unit_of(at, &Machine).unwrap().base;
    assert_eq!(base(function(0, 2, 0)), 0xfed9_0000);
    assert_eq!(base(function(0, 2, 1)), 0xfed9_1000);
    assert_eq!(base(function(1, 0, 1)), 0xfed9_0000, "the bridge itself");
    assert_eq!(base(function(3, 5, 2)), 0xfed9_0000, "behind the bridge");
    assert_eq!(base(function(2, 5, 2)), 0xfed9_1000, "beside the bridge");
    assert_eq!(dmar.unit_of(function(3, 5, 2), &()).unwrap().base, 0xfed9_1000, "no bridge is known");
    let region = dmar.reserved().next().unwrap();
    let users: Vec<_> = region.scopes.map(|scope| scope.function(&Machine).unwrap()).collect();
    assert_eq!(users, [function(0, 2, 0)]);
}

#[test]
fn without_a_unit_for_all_others_some_functions_have_none() {
    let bytes = table(&[unit(0, 0, 0xfed9_0000, &[scope(1, 0, 0, &[(2, 0)])])]);
    let dmar = Dmar::parse(&bytes).unwrap();
    assert!(dmar.unit_of(function(0, 2, 0), &()).is_some());
    assert!(dmar.unit_of(function(0, 3, 0), &()).is_none());
}

#[test]
fn what_firmware_must_not_write_is_refused_by_name() {
    let refused = |bytes: Vec<u8>| Dmar::parse(&bytes).map(|_| ()).unwrap_err();
    let one = |structure: Vec<u8>| refused(table(&[structure]));
    let mut bytes = example();
    bytes[0] = b'X';
    assert_eq!(refused(seal(bytes)), Error::NotDmar);
    let mut bytes = example();
    bytes[60] ^= 1;
    assert_eq!(refused(bytes), Error::Checksum);
    let mut bytes = example();
    bytes.pop();
    assert_eq!(refused(bytes), Error::CutOff);
    assert_eq!(refused(Vec::new()), Error::CutOff);
    let mut bytes = table(&[]);
    bytes[36] = 64;
    assert_eq!(refused(seal(bytes)), Error::HostAddressWidth(65));
    let mut bytes = table(&[]);
    bytes[4] = 40;
    assert_eq!(refused(bytes), Error::CutOff, "shorter than its header");

    assert_eq!(one(unit(1, 3, 0xfed9_0000, &[])), Error::OtherSegment(3));
    assert_eq!(one(region(1, 0x1000, 0x1fff, &[])), Error::OtherSegment(1));
    assert_eq!(one(unit(1, 0, 0xfed9_0800, &[])), Error::BadUnit(0xfed9_0800));
    assert_eq!(one(unit(1, 0, 0, &[])), Error::BadUnit(0));
    assert_eq!(one(unit(1, 0, 1 << 39, &[])), Error::BadUnit(1 << 39));
    for (base, limit) in
        [(0x1800, 0x1fff), (0x1000, 0x1ffe), (0x2000, 0x1fff), (0x1000, u64::MAX), (0, u64::MAX)]
    {
        assert_eq!(one(region(0, base, limit, &[])), Error::BadRegion(base));
    }
    let all = unit(1, 0, 0xfed9_0000, &[]);
    assert_eq!(refused(table(&[all.clone(), all])), Error::AfterIncludeAll);
    assert_eq!(one(structure(0, &[0; 4], &[])), Error::BadStructure(0));
    assert_eq!(one(vec![9, 0, 2, 0]), Error::BadStructure(9), "shorter than its own header");
    assert_eq!(one(vec![9, 0, 200, 0]), Error::BadStructure(9));
    assert_eq!(one(vec![9, 0]), Error::CutOff);
    for bad in [
        scope(1, 0, 0, &[]),
        scope(1, 0, 0, &[(32, 0)]),
        scope(1, 0, 0, &[(0, 8)]),
        vec![1, 0, 0, 0, 0, 0],
        vec![1, 7, 0, 0, 0, 0, 0],
        vec![1, 80, 0, 0, 0, 0, 2, 0],
        vec![1, 8, 0],
    ] {
        assert_eq!(one(unit(1, 0, 0xfed9_0000, &[bad])), Error::BadScope);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// Whatever firmware writes, the parser ends without a panic, and what it accepts can be walked.
    #[test]
    fn no_table_makes_the_parser_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<Option<prop::sample::Index>>(),
        sealed in any::<bool>(),
        at in any::<[u8; 3]>(),
    ) {
        let mut bytes = example();
        for (index, value) in changes {
            let index = index.index(bytes.len());
            bytes[index] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if sealed && bytes.len() >= 48 {
            bytes = seal(bytes);
        }
        if let Ok(dmar) = Dmar::parse(&bytes) {
            let at = function(at[0], at[1], at[2]);
            let unit = dmar.unit_of(at, &Machine);
            prop_assert!(unit.is_some() || dmar.units().all(|unit| !unit.include_all));
            for region in dmar.reserved() {
                prop_assert!(region.bytes != 0 && region.base.checked_add(region.bytes).is_some());
                prop_assert!(region.scopes.count() <= bytes.len());
            }
        }
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let mut table = table(&[]);
        table.extend(bytes);
        let _ = Dmar::parse(&seal(table)).map(|dmar| dmar.units().count());
    }
}

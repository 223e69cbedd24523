// SPDX-License-Identifier: BSD-2-Clause
//! Several units in one machine, as its DMAR table describes them: each device is behind one of them, and reserved
//! memory is honoured by the right one.
use dmar::{Dmar, Function};
use vtd::{SourceId, Stage};
use vtd_fake::{Behaviour, Personality};

use crate::support::{PAGES, Setup, pasid};

const DATA: u64 = 0x4000_0000;
const FIRST: u64 = 0xfed9_0000;
const SECOND: u64 = 0xfed9_1000;
/// The device behind the first unit, which uses reserved memory, and one behind the second.
const GRAPHICS: (u8, u8, u8) = (0, 2, 0);
const OTHER: (u8, u8, u8) = (0, 3, 0);

/// A table with a unit for one function, a unit for all others, and a page of reserved memory for the function.
fn table() -> Vec<u8> {
    let scope = [1, 8, 0, 0, 0, 0, GRAPHICS.1, GRAPHICS.2];
    let unit = |flags: u8, base: u64, scopes: &[u8]| {
        let length = u16::try_from(16 + scopes.len()).unwrap();
        [&[0, 0][..], &length.to_le_bytes(), &[flags, 0, 0, 0], &base.to_le_bytes(), scopes].concat()
    };
    let limit = PAGES + 4095;
    let reserved =
        [&[1, 0, 32, 0, 0, 0, 0, 0][..], &PAGES.to_le_bytes(), &limit.to_le_bytes(), &scope].concat();
    let mut bytes = b"DMAR".to_vec();
    bytes.resize(36, 0);
    bytes.extend([38, 0]);
    bytes.resize(48, 0);
    bytes.extend([unit(0, FIRST, &scope), unit(1, SECOND, &[]), reserved].concat());
    let length = u32::try_from(bytes.len()).unwrap();
    bytes[4..8].copy_from_slice(&length.to_le_bytes());
    bytes[9] = bytes.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte)).wrapping_neg();
    bytes
}

fn function((bus, device, function): (u8, u8, u8)) -> Function {
    Function { bus, device, function }
}

fn source(function: Function) -> SourceId {
    SourceId::new(function.bus, function.device, function.function).unwrap()
}

#[test]
fn each_device_is_behind_its_own_unit_and_keeps_its_reserved_memory() {
    let bytes = table();
    let dmar = Dmar::parse(&bytes).unwrap();
    let behaviour = Behaviour { late: true, ..Behaviour::default() };
    let bases: Vec<_> = dmar.units().map(|unit| unit.base).collect();
    assert_eq!(bases, [FIRST, SECOND]);
    let mut setups: Vec<_> =
        (0..).zip(&bases).map(|(seed, _)| Setup::off(Personality::default(), behaviour, seed)).collect();
    let unit_of = |at| {
        let base = dmar.unit_of(function(at), &()).unwrap().base;
        bases.iter().position(|&unit| unit == base).unwrap()
    };
    assert_eq!((unit_of(GRAPHICS), unit_of(OTHER)), (0, 1));

    for region in dmar.reserved() {
        for scope in region.scopes {
            let user = scope.function(&()).unwrap();
            let index = unit_of((user.bus, user.device, user.function));
            setups[index].unit.allow_reserved(source(user), region.base, region.bytes).unwrap();
        }
    }
    for setup in &mut setups {
        setup.unit.enable().unwrap();
    }
    let (graphics, other) = (source(function(GRAPHICS)), source(function(OTHER)));
    assert_eq!(setups[0].lands(graphics, None, PAGES, &[PAGES]), Some(PAGES));
    assert_eq!(setups[1].lands(other, None, PAGES, &[PAGES]), None);

    // A domain belongs to the unit that made it: the same number elsewhere is another one, or none.
    setups[1].attach(other, false);
    let domain = setups[1].domain(DATA, PAGES + 4096);
    setups[1].unit.bind(other, pasid(5), domain).unwrap();
    assert_eq!(setups[1].lands(other, Some(5), DATA, &[PAGES + 4096]), Some(PAGES + 4096));
    assert_eq!(setups[0].lands(other, Some(5), DATA, &[PAGES + 4096]), None);
    assert!(setups[0].unit.create_domain(Stage::Second).is_ok());
}

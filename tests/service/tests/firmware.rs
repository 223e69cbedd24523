// SPDX-License-Identifier: BSD-2-Clause
//! What firmware says of the machine is held against the configuration, and what it reserved stays reachable.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use ioasid_server::StartError;
use pci::Address;
use service_rig::{Grant, Machine, UNIT};
use vtd_fake::{Behaviour, Personality};

const DEVICE: u16 = 0x18;
const FIRMWARES: u16 = 0xa0;

/// A structure that speaks of the function at a requester id of bus 0.
fn structure(kind: u8, body: &[u64], source: u16) -> Vec<u8> {
    let device = u8::try_from(source).unwrap();
    let body: Vec<u8> = body.iter().flat_map(|word| word.to_le_bytes()).collect();
    let length = u8::try_from(8 + body.len() + 8).unwrap();
    let flags_and_segment = [0; 4];
    let scope = [1, 8, 0, 0, 0, 0, device >> 3, device & 7];
    [&[kind, 0, length, 0], &flags_and_segment[..], &body, &scope].concat()
}

fn unit(base: u64, source: u16) -> Vec<u8> {
    structure(0, &[base], source)
}

fn reserved(base: u64, limit: u64, source: u16) -> Vec<u8> {
    structure(1, &[base, limit], source)
}

/// Firmware's memory with a DMAR table of these structures in it.
fn tables(structures: &[Vec<u8>]) -> Vec<u8> {
    let mut table = b"DMAR".to_vec();
    table.resize(48, 0);
    table[36] = 38;
    table.extend(structures.concat());
    let length = u32::try_from(table.len()).unwrap();
    table[4..8].copy_from_slice(&length.to_le_bytes());
    table[9] = table.iter().fold(0_u8, |sum, &byte| sum.wrapping_sub(byte));
    [b"other tables", &table[..]].concat()
}

fn machine(structures: &[Vec<u8>]) -> Machine {
    let mut machine = Machine::new(&[Grant::new("driver").device(DEVICE)]);
    machine.add_function(FIRMWARES);
    machine.set_firmware(&tables(structures));
    machine
}

fn refusal(structures: &[Vec<u8>]) -> StartError {
    let mut machine = machine(structures);
    let error = machine.try_start().err().unwrap();
    assert!(!machine.bus().is_master(DEVICE));
    error
}

#[test]
fn a_table_that_agrees_is_believed() {
    let mut machine = machine(&[unit(UNIT, DEVICE)]);
    drop(machine.start());
    assert!(machine.bus().is_master(DEVICE));
    assert!(!machine.bus().is_master(FIRMWARES), "nobody was granted it, and firmware did not ask");
}

#[test]
fn what_does_not_agree_is_refused() {
    let address = Address::from_requester_id(DEVICE);
    assert_eq!(refusal(&[unit(0xfed9_1000, DEVICE)]), StartError::NoSuchUnit(UNIT));
    assert_eq!(refusal(&[unit(UNIT, FIRMWARES), unit(0xfed9_1000, DEVICE)]), StartError::OtherUnit(address));
    let owned = [unit(UNIT, DEVICE), reserved(0x1000, 0x1fff, DEVICE)];
    assert_eq!(refusal(&owned), StartError::Reserved(address));
    assert_eq!(
        refusal(&[unit(UNIT, DEVICE), reserved(0x1000, 0xfff, FIRMWARES)]),
        StartError::Dmar(dmar::Error::BadRegion(0x1000))
    );
}

#[test]
fn firmware_without_the_table_is_refused() {
    let mut machine = Machine::new(&[Grant::new("driver").device(DEVICE)]);
    machine.set_firmware(b"FACP, APIC, HPET");
    assert_eq!(machine.try_start().err(), Some(StartError::NoDmar));
}

/// A machine that does not start: no device masters the bus then.
fn does_not_start(mut machine: Machine) -> StartError {
    let error = machine.try_start().err().unwrap();
    assert!(!machine.bus().is_master(DEVICE));
    error
}

#[test]
fn memory_for_tables_that_is_granted_and_not_there_is_refused() {
    let machine = Machine::new(&[Grant::new("driver").device(DEVICE).tables(10_000, 8)]);
    assert_eq!(does_not_start(machine), StartError::Unit(vtd::Error::NoMemory));
}

#[test]
fn address_spaces_that_are_granted_and_that_the_unit_does_not_tell_apart_are_refused() {
    let default = Personality::default();
    let personality = Personality { cap: default.cap.with_nd(0), ..default };
    let grant = |name, spaces| Grant::new(name).tables(64, spaces);
    let grants = [grant("driver", 9).device(DEVICE), grant("other", 7)];
    let machine = Machine::with(&grants, personality, Behaviour::default());
    assert_eq!(does_not_start(machine), StartError::Spaces { granted: 16, there: 15 });
    let grants = [grant("driver", 9).device(DEVICE), grant("other", 6)];
    drop(Machine::with(&grants, personality, Behaviour::default()).start());
}

#[test]
fn what_firmware_reserved_takes_no_address_space_from_anybody() {
    let mut machine = Machine::new(&[Grant::new("driver").device(DEVICE).tables(64, 1024)]);
    machine.add_function(FIRMWARES);
    machine.set_firmware(&tables(&[unit(UNIT, DEVICE), reserved(0x20_3000, 0x20_3fff, FIRMWARES)]));
    drop(machine.start());
}

#[test]
fn memory_that_firmware_reserved_is_reached_by_its_device_alone() {
    // In the machine's memory, where a device can be seen to reach it.
    let (base, limit) = (0x20_3000, 0x20_3fff);
    let mut machine =
        machine(&[unit(UNIT, DEVICE), unit(0xfed9_1000, 0xf8), reserved(base, limit, FIRMWARES)]);
    let service = machine.start();
    let (theirs, ours) = (service.device(FIRMWARES), service.device(DEVICE));
    assert!(theirs.write_from(None, base, 0, 512));
    assert!(!theirs.write_from(None, base - 8, 0, 1) && !theirs.write_from(None, limit + 1, 0, 1));
    assert!(!ours.read_to(None, base, 0, 1));
    drop(service);
    assert!(machine.bus().is_master(FIRMWARES), "it goes on as firmware left it");
}

// SPDX-License-Identifier: BSD-2-Clause
//! What a test of the driver runs on: QEMU's unit and its edu devices, or the fake. The same tests run on all.
use vtd::{Config, Pasid, Quirks, Registers, SourceId, TableMemory, Unit};
use vtd_fake::{Behaviour, Fake, FakeDevice, FakeRegisters, FakeTables, Personality};

use crate::edu::Edu;
use crate::machine::{Machine, Options, Qemu};
use crate::memory::Tables;
use crate::socket::UnitRegisters;

/// Where the unit's registers are (QEMU's q35).
pub const UNIT: u64 = 0xfed9_0000;
/// Where the tables are, and how many frames they have.
pub const TABLES: (u64, usize) = (0x100_0000, 12_288);
/// MiB of memory: room for pages of 1 GiB.
const MEMORY: u64 = 2048;
/// Where BARs go, 1 MiB each.
const BARS: u32 = 0xc000_0000;

/// What the unit can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Second-stage translation.
    Second,
    /// First-stage translation (QEMU has one or the other).
    First,
}

/// A unit with devices behind it.
pub trait Platform: Sized {
    /// How its registers are reached.
    type Registers: Registers;
    /// What its tables are in.
    type Tables: TableMemory;
    /// Its devices.
    type Device: Dma;

    /// Starts one with devices at these places.
    fn start(kind: Kind, devices: &[SourceId]) -> Self;
    /// The registers of the unit.
    fn registers(&self) -> Self::Registers;
    /// The table memory.
    fn tables(&self) -> Self::Tables;
    /// The device at one of the places.
    fn device(&self, index: usize) -> Self::Device;
    /// Reads a word of memory; `phys` is a multiple of 8.
    fn load(&self, phys: u64) -> u64;
    /// Writes a word of memory.
    fn store(&self, phys: u64, value: u64);
    /// The driver's configuration for this unit.
    fn config() -> Config;
    /// Makes the driver's value.
    fn unit(&self) -> Unit<Self::Registers, Self::Tables> {
        Unit::probe(self.registers(), self.tables(), Self::config())
            .expect("a unit that the driver can drive")
    }
}

/// A device that moves words between memory and a buffer of its own, by requests without PASID.
pub trait Dma {
    /// Reads `words` words at a bus address into the buffer at word `to`. What is denied reads as 0.
    fn read(&self, address: u64, to: u64, words: u64);
    /// Writes `words` words of the buffer from word `from` to a bus address. What is denied changes nothing.
    fn write(&self, address: u64, from: u64, words: u64);
}

impl Dma for Edu {
    fn read(&self, address: u64, to: u64, words: u64) {
        Edu::read(self, address, to * 8, words * 8);
    }
    fn write(&self, address: u64, from: u64, words: u64) {
        Edu::write(self, address, from * 8, words * 8);
    }
}

/// QEMU as it is installed: 10.0.
#[derive(Debug)]
pub struct Qemu10(OnQemu);

/// QEMU 7.2, unpacked under `target/ioasid/qemu-7.2`, where `cargo xtask setup` puts it.
#[derive(Debug)]
pub struct Qemu7(OnQemu);

#[derive(Debug)]
struct OnQemu {
    machine: Machine,
    devices: Vec<SourceId>,
}

impl OnQemu {
    fn start(qemu: &Qemu, kind: Kind, places: &[SourceId]) -> Self {
        let mut unit = "intel-iommu,x-scalable-mode=on,x-pasid-mode=on,aw-bits=48".to_owned();
        if kind == Kind::First {
            unit += ",x-flts=on";
        }
        let devices = std::iter::once(unit).chain(places.iter().map(|&place| Edu::argument(place))).collect();
        let machine = Machine::start(qemu, &Options { memory: MEMORY, devices }).expect("QEMU starts");
        Self { machine, devices: places.to_vec() }
    }

    fn device(&self, index: usize) -> Edu {
        let bar = BARS + (u32::try_from(index).expect("few devices") << 20);
        Edu::place(&self.machine.socket, self.devices[index], bar)
    }
}

macro_rules! on_qemu {
    ($platform:ty, $qemu:expr) => {
        impl Platform for $platform {
            type Registers = UnitRegisters;
            type Tables = Tables;
            type Device = Edu;

            fn start(kind: Kind, devices: &[SourceId]) -> Self {
                Self(OnQemu::start(&$qemu, kind, devices))
            }
            fn registers(&self) -> UnitRegisters {
                self.0.machine.socket.unit(UNIT)
            }
            fn tables(&self) -> Tables {
                self.0.machine.memory.tables(TABLES.0, TABLES.1)
            }
            fn device(&self, index: usize) -> Edu {
                self.0.device(index)
            }
            fn load(&self, phys: u64) -> u64 {
                self.0.machine.memory.load(phys)
            }
            fn store(&self, phys: u64, value: u64) {
                self.0.machine.memory.store(phys, value);
            }
            fn config() -> Config {
                Config {
                    quirks: Quirks::QEMU,
                    host_address_bits: 48,
                    poll_limit: 10_000,
                    ..Config::default()
                }
            }
        }
    };
}

on_qemu!(Qemu10, Qemu::default());
on_qemu!(Qemu7, Qemu::unpacked_7_2());

/// The fake: late, speculating, and without snooping.
#[derive(Debug)]
pub struct OnFake {
    /// The unit.
    pub fake: Fake,
    devices: Vec<FakeDevice>,
}

impl OnFake {
    /// A fake unit of this kind.
    #[must_use]
    pub fn with(personality: Personality, behaviour: Behaviour, devices: &[SourceId], seed: u64) -> Self {
        let words = usize::try_from(MEMORY << 17).expect("words of memory");
        let fake = Fake::new(personality, behaviour, words, seed);
        let devices = devices.iter().map(|&place| fake.device(place)).collect();
        Self { fake, devices }
    }
}

impl Dma for FakeDevice {
    fn read(&self, address: u64, to: u64, words: u64) {
        let (to, words) = (usize::try_from(to).expect("small"), usize::try_from(words).expect("small"));
        self.read_to(None, address, to, words);
    }
    fn write(&self, address: u64, from: u64, words: u64) {
        let (from, words) = (usize::try_from(from).expect("small"), usize::try_from(words).expect("small"));
        self.write_from(None, address, from, words);
    }
}

impl Platform for OnFake {
    type Registers = FakeRegisters;
    type Tables = FakeTables;
    type Device = FakeDevice;

    fn start(_: Kind, devices: &[SourceId]) -> Self {
        // Without ESRTPS, ATS and speculation the outcome of every test is one that QEMU gives too.
        let behaviour = Behaviour { late: true, ..Behaviour::default() };
        Self::with(Personality::default(), behaviour, devices, 1)
    }
    fn registers(&self) -> FakeRegisters {
        self.fake.registers()
    }
    fn tables(&self) -> FakeTables {
        self.fake.tables(TABLES.0, TABLES.1)
    }
    fn device(&self, index: usize) -> FakeDevice {
        self.devices[index].clone()
    }
    fn load(&self, phys: u64) -> u64 {
        self.fake.with(|hardware| hardware.memory.load(phys))
    }
    fn store(&self, phys: u64, value: u64) {
        self.fake.with(|hardware| {
            hardware.memory.store(phys, value);
            hardware.memory.flush(phys, 8);
        });
    }
    fn config() -> Config {
        Config { poll_limit: 10_000, ..Config::default() }
    }
}

/// The largest PASID that every platform has.
pub const LARGEST: Pasid = Pasid::MAX;

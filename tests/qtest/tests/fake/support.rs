// SPDX-License-Identifier: BSD-2-Clause
//! A fake unit that is on, and what the tests ask of it.
use qtest::TABLES;
use vtd::{Access, Config, Device, DomainId, Error, Mapping, PageSize, Pasid, SourceId, Stage, Unit};
use vtd_fake::{Behaviour, Fake, FakeRegisters, FakeTables, Hardware, Personality};

/// Words of memory: 256 MiB.
const WORDS: usize = 32 << 20;
/// The first page of data.
pub const PAGES: u64 = 0x800_0000;

/// A fake unit and its driver.
pub struct Setup {
    pub fake: Fake,
    pub unit: Unit<FakeRegisters, FakeTables>,
}

pub fn pasid(value: u32) -> Pasid {
    Pasid::new(value).unwrap()
}

pub fn device(index: u16) -> SourceId {
    SourceId::from(0x78 + index * 8)
}

impl Setup {
    pub fn new(personality: Personality, behaviour: Behaviour, seed: u64) -> Self {
        Self::configured(personality, behaviour, seed, Config::default())
    }

    pub fn configured(personality: Personality, behaviour: Behaviour, seed: u64, config: Config) -> Self {
        let mut setup = Self::off_with(personality, behaviour, seed, config);
        setup.unit.enable().unwrap();
        setup
    }

    /// With translation still off.
    pub fn off(personality: Personality, behaviour: Behaviour, seed: u64) -> Self {
        Self::off_with(personality, behaviour, seed, Config::default())
    }

    fn off_with(personality: Personality, behaviour: Behaviour, seed: u64, config: Config) -> Self {
        let fake = Fake::new(personality, behaviour, WORDS, seed);
        let config = Config { poll_limit: 10_000, domains: 64, ..config };
        let unit = Unit::probe(fake.registers(), fake.tables(TABLES.0, TABLES.1), config).unwrap();
        Self { fake, unit }
    }

    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        self.fake.with(|hardware| change(&mut hardware.behaviour));
    }

    pub fn attach(&mut self, device: SourceId, ats: bool) {
        self.unit.attach(device, Device { pasid_bits: 20, ats }).unwrap();
    }

    /// A second-stage domain that maps one page.
    pub fn domain(&mut self, iova: u64, phys: u64) -> DomainId {
        let domain = self.unit.create_domain(Stage::Second).unwrap();
        self.map(domain, iova, phys).unwrap();
        domain
    }

    pub fn map(&mut self, domain: DomainId, iova: u64, phys: u64) -> Result<(), Error> {
        let (access, largest) = (Access::ReadWrite, PageSize::Small);
        self.unit.map(domain, Mapping { iova, phys, bytes: 4096, access, largest })
    }

    /// Writes a word as a device, and says where it arrived: `None` where it was denied.
    pub fn lands(&self, device: SourceId, pasid: Option<u32>, iova: u64, pages: &[u64]) -> Option<u64> {
        const WORD: u64 = 0x1eaf;
        self.fake.with(|hardware| {
            for &page in pages {
                hardware.memory.write(page, 0);
            }
            let allowed = hardware.dma_write(device, pasid, iova, WORD);
            let page = pages.iter().copied().find(|&page| hardware.memory.read(page) == Some(WORD));
            assert_eq!(allowed, page.is_some(), "an allowed write arrives, a denied one does not");
            page
        })
    }

    /// Asserts that no cache leads to a table that the driver counts as free.
    pub fn assert_no_free_table_is_cached(&self) {
        self.fake.with(|hardware: &mut Hardware| {
            for table in hardware.cached_tables() {
                let frame = (table - TABLES.0) / 4096;
                let used = hardware.memory.load(TABLES.0 + frame / 64 * 8) >> (frame % 64) & 1;
                assert_eq!(used, 1, "the table at {table:#x} is free, and cached");
            }
        });
    }
}

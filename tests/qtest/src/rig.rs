// SPDX-License-Identifier: BSD-2-Clause
//! A unit, devices and pages to send them to: what most tests of the driver need.
use vtd::registers::RTADDR;
use vtd::{Access, Device, Direction, DomainId, Fault, Mapping, PageSize, Pasid, SourceId, Stage, Unit};

use crate::platform::{Dma, Kind, Platform};

/// Where the tests' devices see their page.
pub const DATA: u64 = 0x4000_0000;
/// Where they see their scratch page.
pub const SCRATCH: u64 = 0x7000_0000;
/// The first page of data, and of the pages that devices read their tokens from.
const PAGES: u64 = 0x800_0000;
const SCRATCHES: u64 = 0xc00_0000;
/// Words of the devices' buffers: where the token is, and where reads go.
const TOKEN: u64 = 0;
const READ: u64 = 64;

/// A unit with devices, each of which holds a token of its own that it writes wherever it is told.
pub struct Rig<P: Platform> {
    /// What it all runs on.
    pub platform: P,
    /// The driver.
    pub unit: Unit<P::Registers, P::Tables>,
    /// Where the devices are.
    pub places: Vec<SourceId>,
    devices: Vec<P::Device>,
}

impl<P: Platform> Rig<P> {
    /// A unit that is on, with attached devices at 00:03.0, 00:04.0, … that may do nothing.
    #[must_use]
    pub fn new(devices: u8) -> Self {
        let places = (0..devices).map(|index| SourceId::new(0, 3 + index, 0).expect("a place"));
        Self::at(Kind::Second, &places.collect::<Vec<_>>())
    }

    /// A unit that is still off, with devices at these places that are not attached.
    #[must_use]
    pub fn off(places: &[SourceId]) -> Self {
        Self::still_off(Kind::Second, places)
    }

    fn still_off(kind: Kind, places: &[SourceId]) -> Self {
        let platform = P::start(kind, places);
        let devices: Vec<_> = (0..places.len()).map(|index| platform.device(index)).collect();
        let unit = platform.unit();
        let rig = Self { platform, unit, places: places.to_vec(), devices };
        for index in 0..places.len() {
            // The device reads physical memory.
            rig.platform.store(Self::scratch(index), Self::token(index));
            rig.devices[index].read(Self::scratch(index), TOKEN, 1);
        }
        rig
    }

    /// As [`Self::new`], for devices at these places.
    #[must_use]
    pub fn at(kind: Kind, places: &[SourceId]) -> Self {
        let mut rig = Self::still_off(kind, places);
        rig.unit.enable().expect("the unit comes on");
        for &place in places {
            rig.unit.attach(place, Device::default()).expect("the device is attached");
        }
        rig
    }

    /// Physical address of data page `index`.
    #[must_use]
    pub fn page(index: u64) -> u64 {
        PAGES + index * 4096
    }

    fn scratch(device: usize) -> u64 {
        SCRATCHES + device as u64 * 4096
    }

    /// What a device writes.
    #[must_use]
    pub fn token(device: usize) -> u64 {
        0x7070_0000_0000_0001 + device as u64
    }

    /// A domain that maps data page `index` at [`DATA`], for reading and writing.
    pub fn domain(&mut self, index: u64) -> DomainId {
        let domain = self.unit.create_domain(Stage::Second).expect("a domain");
        self.map(domain, DATA, Self::page(index), Access::ReadWrite);
        domain
    }

    /// Maps one page.
    pub fn map(&mut self, domain: DomainId, iova: u64, phys: u64, access: Access) {
        let mapping = Mapping { iova, phys, bytes: 4096, access, largest: PageSize::Small };
        self.unit.map(domain, mapping).expect("the page is mapped");
    }

    /// Binds a domain, and lets the device's requests run under the PASID.
    pub fn bind(&mut self, device: usize, pasid: u32, domain: DomainId) -> Pasid {
        let pasid = Pasid::new(pasid).expect("a PASID");
        self.unit.bind(self.places[device], pasid, domain).expect("the PASID is bound");
        self.run_as(device, pasid);
        pasid
    }

    /// Lets the device's requests run under a PASID.
    pub fn run_as(&mut self, device: usize, pasid: Pasid) {
        self.unit.set_untagged(self.places[device], pasid).expect("the device's requests are moved");
    }

    /// Lets a device write its token to a bus address, and says whether it came to that word of memory; the word
    /// is cleared before and after.
    pub fn writes(&mut self, device: usize, address: u64, phys: u64) -> bool {
        self.platform.store(phys, 0);
        self.devices[device].write(address, TOKEN, 1);
        let there = self.platform.load(phys) == Self::token(device);
        self.platform.store(phys, 0);
        there
    }

    /// Lets a device write its token to [`DATA`], and says in which of the first 16 data pages it arrived.
    pub fn lands(&mut self, device: usize) -> Option<u64> {
        for page in 0..16 {
            self.platform.store(Self::page(page), 0);
        }
        self.devices[device].write(DATA, TOKEN, 1);
        let mut hit = (0..16).filter(|&page| self.platform.load(Self::page(page)) == Self::token(device));
        let page = hit.next();
        assert_eq!(hit.next(), None, "one write arrives in one page");
        page
    }

    /// Lets a device read a word, and gives what it read. The domain that its requests run in must let it write
    /// to [`SCRATCH`]; see [`Self::map_scratch`].
    pub fn reads(&mut self, device: usize, address: u64) -> u64 {
        self.devices[device].read(address, READ, 1);
        self.devices[device].write(SCRATCH + 8, READ, 1);
        self.platform.load(Self::scratch(device) + 8)
    }

    /// Lets a domain that a device runs in reach its scratch page.
    pub fn map_scratch(&mut self, device: usize, domain: DomainId) {
        self.map(domain, SCRATCH, Self::scratch(device), Access::ReadWrite);
    }

    /// Lets a device write `words` words of its buffer, from the token on.
    pub fn write_words(&mut self, device: usize, address: u64, words: u64) {
        self.devices[device].write(address, TOKEN, words);
    }

    /// The faults that were recorded, behind which the unit is ready for the next ones.
    pub fn faults(&mut self) -> Vec<Fault> {
        let faults = self.unit.faults().collect();
        let event = self.unit.service_fault_event();
        assert!(!event.queue_error, "the queue was in error");
        faults
    }

    /// Asserts that exactly one fault was recorded: of this device, here, in this direction, with one of these
    /// codes.
    pub fn assert_fault(&mut self, device: usize, address: u64, direction: Direction, codes: &[u8]) {
        let faults = self.faults();
        assert_eq!(faults.len(), 1, "{faults:?}");
        let fault = faults[0];
        assert_eq!((fault.device, fault.direction), (self.places[device], direction), "{fault}");
        assert!(codes.contains(&fault.reason.code()), "{fault}");
        assert!(fault.reason.decode().is_some(), "{fault}");
        assert_eq!(fault.address, address & !0xfff, "{fault}");
    }

    /// Where the root entry of a device is.
    #[must_use]
    pub fn root_entry(&mut self, device: usize) -> u64 {
        let place = self.places[device];
        let root = RTADDR.read(self.unit.registers()).frame() << 12;
        root + u64::from(place.bus()) * 16 + u64::from(place.devfn() / 128) * 8
    }

    /// Where its context entry is.
    #[must_use]
    pub fn context_entry(&mut self, device: usize) -> u64 {
        let root = self.root_entry(device);
        self.target(root) + u64::from(self.places[device].devfn() % 128) * 32
    }

    /// Where a directory entry of it is.
    #[must_use]
    pub fn directory_entry(&mut self, device: usize, pasid: Pasid) -> u64 {
        let context = self.context_entry(device);
        self.target(context) + u64::from(pasid.get() >> 6) * 8
    }

    /// Where a PASID entry of it is.
    #[must_use]
    pub fn pasid_entry(&mut self, device: usize, pasid: Pasid) -> u64 {
        let directory = self.directory_entry(device, pasid);
        self.target(directory) + u64::from(pasid.get() & 63) * 64
    }

    /// Where the entry of `level` of a second-stage table is, given where the PASID entry is.
    #[must_use]
    pub fn page_entry(&mut self, pasid_entry: u64, address: u64, level: u32) -> u64 {
        let mut table = self.target(pasid_entry);
        for above in (level + 1..=4).rev() {
            table = self.target(table + (address >> (12 + 9 * (above - 1)) & 511) * 8);
        }
        table + (address >> (12 + 9 * (level - 1)) & 511) * 8
    }

    /// The address in bits 51:12 of a word.
    #[must_use]
    pub fn target(&self, phys: u64) -> u64 {
        self.platform.load(phys) & 0x000f_ffff_ffff_f000
    }

    /// Changes a word behind the driver's back.
    pub fn poke(&mut self, phys: u64, change: impl FnOnce(u64) -> u64) {
        self.platform.store(phys, change(self.platform.load(phys)));
    }
}

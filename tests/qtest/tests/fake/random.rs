// SPDX-License-Identifier: BSD-2-Clause
//! Random operations against a model, on a unit that speculates, answers late, reorders and evicts: after every
//! step each device reaches what the model says, and what was given up is cached nowhere.
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use vtd::{Access, BATCH, Binding, Config, Device, DomainId, Error, Mapping, PageSize, SourceId, Stage};
use vtd_fake::{Behaviour, Personality};

use crate::support::{PAGES, Setup, device, pasid};

const DEVICES: u16 = 8;
const PASIDS: [u32; 6] = [0, 1, 63, 64, 0x12345, 0xfffff];
/// Addresses that share tables at every level, and some that do not; within 39 bits.
const ADDRESSES: [u64; 6] = [0, 0x1000, 0x20_0000, 0x4000_0000, 0x40_0000_0000, 0x7f_ffff_f000];
const DOMAINS: usize = 10;

struct Space {
    id: DomainId,
    stage: Stage,
    mapped: BTreeMap<u64, u64>,
}

#[derive(Default)]
struct Model {
    spaces: Vec<Space>,
    /// By device and PASID: which of the spaces.
    bound: BTreeMap<(SourceId, u32), DomainId>,
    /// Under which PASID a device's untagged requests run; absent where the device is not attached.
    runs_as: BTreeMap<SourceId, u32>,
    /// Every page is used for one mapping at a time.
    free_pages: Vec<u64>,
}

impl Model {
    fn space(&self, id: DomainId) -> &Space {
        self.spaces.iter().find(|space| space.id == id).unwrap()
    }
    fn expected(&self, device: SourceId, tag: Option<u32>, iova: u64) -> Option<u64> {
        let pasid = tag.or(self.runs_as.get(&device).copied())?;
        let domain = *self.bound.get(&(device, pasid))?;
        self.space(domain).mapped.get(&iova).copied()
    }
    fn is_bound(&self, id: DomainId) -> bool {
        self.bound.values().any(|&bound| bound == id)
    }
}

struct Run {
    setup: Setup,
    model: Model,
    random: fastrand::Rng,
}

impl Run {
    fn new(personality: Personality, config: Config, seed: u64) -> Self {
        let behaviour = Behaviour { late: true, speculates: true, ..Behaviour::default() };
        let free_pages = (0..256).map(|page| PAGES + page * 4096).collect();
        let model = Model { free_pages, ..Model::default() };
        Self {
            setup: Setup::configured(personality, behaviour, seed, config),
            model,
            random: fastrand::Rng::with_seed(seed),
        }
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.random.usize(..of.len())]
    }

    fn any_space(&mut self) -> Option<usize> {
        (!self.model.spaces.is_empty()).then(|| self.random.usize(..self.model.spaces.len()))
    }

    fn step(&mut self) {
        let device = device(self.random.u16(..DEVICES));
        let value = self.pick(&PASIDS);
        match self.random.u8(..16) {
            0 => self.create(),
            1 => self.destroy(),
            2..=3 => self.map(),
            4..=5 => self.unmap(),
            6 => self.attach_or_detach(device),
            7..=8 => self.bind(device, value),
            9 => self.replace(device, value),
            10 => self.unbind_some(),
            11 => self.run_as(device, value),
            _ => self.dma(device),
        }
    }

    /// Sends a request through up to three bindings of a domain, so that caches are warm before something changes,
    /// and what they kept shows behind it.
    fn touch(&mut self, id: DomainId, iova: u64) {
        let mut users: Vec<_> =
            self.model.bound.iter().filter(|&(_, &bound)| bound == id).map(|(&user, _)| user).collect();
        self.random.shuffle(&mut users);
        for (device, value) in users.into_iter().take(3) {
            self.request(device, Some(value), iova);
        }
    }

    fn create(&mut self) {
        if self.model.spaces.len() == DOMAINS {
            return;
        }
        let first = self.random.bool() && self.setup.fake.with(|hardware| hardware.personality.ecap.fsts());
        let stage = if first { Stage::First } else { Stage::Second };
        let id = self.setup.unit.create_domain(stage).unwrap();
        self.model.spaces.push(Space { id, stage, mapped: BTreeMap::new() });
    }

    fn destroy(&mut self) {
        let Some(index) = self.any_space() else { return };
        let id = self.model.spaces[index].id;
        let result = self.setup.unit.destroy_domain(id);
        if self.model.is_bound(id) {
            assert_eq!(result, Err(Error::DomainBound));
            return;
        }
        result.unwrap();
        let space = self.model.spaces.remove(index);
        for page in space.mapped.into_values() {
            self.assert_forgotten(page);
            self.model.free_pages.push(page);
        }
    }

    fn map(&mut self) {
        let iova = self.pick(&ADDRESSES);
        let Some(index) = self.any_space() else { return };
        let Some(phys) = self.model.free_pages.pop() else { return };
        let id = self.model.spaces[index].id;
        self.touch(id, iova);
        let space = &mut self.model.spaces[index];
        let (access, largest) = (Access::ReadWrite, PageSize::Huge);
        let result = self.setup.unit.map(space.id, Mapping { iova, phys, bytes: 4096, access, largest });
        if let Entry::Vacant(vacant) = space.mapped.entry(iova) {
            result.unwrap();
            vacant.insert(phys);
        } else {
            assert_eq!(result, Err(Error::AlreadyMapped));
            self.model.free_pages.push(phys);
        }
        self.touch(id, iova);
    }

    fn unmap(&mut self) {
        let iova = self.pick(&ADDRESSES);
        let Some(index) = self.any_space() else { return };
        let id = self.model.spaces[index].id;
        self.touch(id, iova);
        let space = &mut self.model.spaces[index];
        let result = self.setup.unit.unmap(id, iova, 4096);
        match space.mapped.remove(&iova) {
            None => assert_eq!(result, Err(Error::NotMapped)),
            Some(page) => {
                result.unwrap();
                self.assert_forgotten(page);
                self.model.free_pages.push(page);
            }
        }
        self.touch(id, iova);
    }

    /// Memory that was given up is reached by no cache.
    fn assert_forgotten(&self, page: u64) {
        let reached = self.setup.fake.with(|hardware| hardware.reaches(page, 4096));
        assert!(!reached, "{page:#x} was given up, and is still cached");
    }

    fn attach_or_detach(&mut self, device: SourceId) {
        let bound = self.model.bound.keys().any(|&(of, _)| of == device);
        if !self.model.runs_as.contains_key(&device) {
            let ats = device.get().is_multiple_of(16)
                && self.setup.fake.with(|hardware| hardware.personality.ecap.dt());
            self.setup.unit.attach(device, Device { pasid_bits: 20, ats }).unwrap();
            self.model.runs_as.insert(device, 0);
        } else if bound {
            assert_eq!(self.setup.unit.detach(device), Err(Error::DeviceBound));
        } else {
            self.setup.unit.detach(device).unwrap();
            self.model.runs_as.remove(&device);
        }
    }

    /// Whether the model lets a domain be bound under a PASID: a first-stage one has only one.
    fn takes(&self, id: DomainId, value: u32) -> bool {
        let others = self.model.bound.iter().filter(|&(_, &bound)| bound == id);
        self.model.space(id).stage == Stage::Second
            || others.into_iter().all(|(&(_, pasid), _)| pasid == value)
    }

    fn bind(&mut self, device: SourceId, value: u32) {
        let Some(index) = self.any_space() else { return };
        let id = self.model.spaces[index].id;
        let iova = self.mapped_in(id);
        self.request(device, Some(value), iova);
        let result = self.setup.unit.bind(device, pasid(value), id);
        let expected = match () {
            () if !self.model.runs_as.contains_key(&device) => Err(Error::NotAttached),
            () if !self.takes(id, value) => Err(Error::OtherPasid),
            () if self.model.bound.contains_key(&(device, value)) => Err(Error::AlreadyBound),
            () => Ok(()),
        };
        assert_eq!(result, expected);
        if expected.is_ok() {
            self.model.bound.insert((device, value), id);
        }
        self.request(device, Some(value), iova);
    }

    /// An address that a domain maps, if it maps any.
    fn mapped_in(&mut self, id: DomainId) -> u64 {
        let mapped: Vec<_> = self.model.space(id).mapped.keys().copied().collect();
        if mapped.is_empty() { self.pick(&ADDRESSES) } else { self.pick(&mapped) }
    }

    fn replace(&mut self, device: SourceId, value: u32) {
        let Some(index) = self.any_space() else { return };
        let id = self.model.spaces[index].id;
        let iova = self.mapped_in(id);
        self.request(device, Some(value), iova);
        let result = self.setup.unit.replace(device, pasid(value), id);
        if !self.takes(id, value) {
            assert_eq!(result, Err(Error::OtherPasid));
        } else if let Some(bound) = self.model.bound.get_mut(&(device, value)) {
            result.unwrap();
            *bound = id;
        } else {
            assert!(matches!(result, Err(Error::NotBound | Error::NotAttached)), "{result:?}");
        }
        self.request(device, Some(value), iova);
    }

    fn unbind_some(&mut self) {
        let mut keys: Vec<_> = self.model.bound.keys().copied().collect();
        self.random.shuffle(&mut keys);
        keys.truncate(1 + self.random.usize(..BATCH));
        for &(device, value) in keys.iter().take(4) {
            let iova = self.mapped_in(self.model.bound[&(device, value)]);
            self.request(device, Some(value), iova);
        }
        let batch: Vec<_> =
            keys.iter().map(|&(device, value)| Binding { device, pasid: pasid(value) }).collect();
        self.setup.unit.unbind_all(&batch).unwrap();
        for (device, value) in keys {
            let known = self.setup.fake.with(|hardware| hardware.remembers(device, value));
            assert_eq!(known, None, "{device} {value:#x} is free, and still cached");
            self.model.bound.remove(&(device, value));
        }
    }

    fn run_as(&mut self, device: SourceId, value: u32) {
        let result = self.setup.unit.set_untagged(device, pasid(value));
        match self.model.runs_as.get_mut(&device) {
            None => assert_eq!(result, Err(Error::NotAttached)),
            Some(runs_as) => {
                result.unwrap();
                *runs_as = value;
            }
        }
    }

    fn dma(&mut self, device: SourceId) {
        let tag = self.random.bool().then(|| self.pick(&PASIDS));
        let iova = self.pick(&ADDRESSES);
        self.request(device, tag, iova);
    }

    /// Sends a request, and compares where it arrives.
    fn request(&mut self, device: SourceId, tag: Option<u32>, iova: u64) {
        let expected = self.model.expected(device, tag, iova);
        let mapped: Vec<_> =
            self.model.spaces.iter().flat_map(|space| space.mapped.values()).copied().collect();
        assert_eq!(self.setup.lands(device, tag, iova, &mapped), expected, "{device} {tag:x?} {iova:#x}");
        for fault in self.setup.unit.faults() {
            assert_eq!((fault.device, expected), (device, None), "{fault}");
        }
        assert!(!self.setup.unit.service_fault_event().queue_error);
    }
}

fn run(personality: Personality, seed: u64, operations: u32) {
    run_with(personality, Config::default(), seed, operations);
}

fn run_with(personality: Personality, config: Config, seed: u64, operations: u32) {
    let mut run = Run::new(personality, config, seed);
    for operation in 0..operations {
        run.step();
        if operation % 64 == 0 {
            run.setup.assert_no_free_table_is_cached();
        }
    }
}

/// How many operations each personality gets; `VTD_OPERATIONS` asks for more.
fn operations() -> u32 {
    let asked = std::env::var("VTD_OPERATIONS").ok();
    asked.map_or(20_000, |asked| asked.parse().expect("VTD_OPERATIONS is a number"))
}

#[test]
fn a_unit_that_does_not_snoop() {
    run(Personality::default(), 1, operations());
}

#[test]
fn a_unit_that_snoops() {
    let mut personality = Personality::default();
    personality.ecap.set_c(true);
    run(personality, 2, operations());
}

#[test]
fn a_unit_that_caches_what_is_not_present() {
    let mut personality = Personality::default();
    personality.cap.set_cm(true);
    run(personality, 3, operations());
}

#[test]
fn a_unit_with_a_write_buffer() {
    let mut personality = Personality::default();
    personality.cap.set_rwbf(true);
    run(personality, 4, operations());
}

#[test]
fn a_unit_with_three_levels_a_narrow_queue_and_nothing_optional() {
    let mut personality = Personality::default();
    personality.cap = personality.cap.with_psi(false).with_sslps(0).with_nfr(7);
    personality.ecap = personality.ecap.with_dt(false).with_fsts(false).with_nest(false).with_pt(false);
    let config = Config { address_bits: 39, narrow_queue: true, ..Config::default() };
    run_with(personality, config, 5, operations());
}

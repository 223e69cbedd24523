// SPDX-License-Identifier: BSD-2-Clause
//! The guest's side of the virtual command register against the host's (s82, s85, s86, s88): a guest's registry,
//! whose allocator is the register, on a page behind which the host's registry keeps the guest to its set.

use core::sync::atomic::AtomicU64;
use std::cell::RefCell;

use ioasid_core::allocator::vcmd::{Registers, VcmdProvider};
use ioasid_core::allocator::{Allocator, AllocatorId, Helpers};
use ioasid_core::{
    Allocation, Config, Error, Freed, Handle, Memory, Pasid, Progress, Registry, SetConfig, SetId,
};
use virtual_vtd::{Layout, Page, Refusal, Request, WORDS, Width};

/// Ids that a guest may have, and that there are.
const LIMIT: u32 = 24;
const IDS: u32 = 255;

/// A virtual machine: its page, and what its monitor does about requests.
struct Machine<'m> {
    page: Page<'m>,
    set: SetId,
    host: &'m RefCell<Registry<'m>>,
}

impl Registers for Machine<'_> {
    fn read(&mut self, offset: u64) -> u64 {
        self.page.read(offset)
    }

    fn write(&mut self, offset: u64, value: u64) {
        let host = &mut *self.host.borrow_mut();
        let answer = match self.page.write(offset, Width::Eight, value) {
            Some(Request::Alloc) => match host.alloc(self.set, 1..=IDS, 0) {
                Ok(Allocation::Ready(handle)) => Ok(handle.pasid.get()),
                Ok(Allocation::Pending(_)) | Err(_) => Err(Refusal),
            },
            Some(Request::Free(number)) => Pasid::new(number)
                .ok_or(Refusal)
                .and_then(|pasid| host.lookup(self.set, pasid).map_err(|_| Refusal))
                .map(|(handle, _)| {
                    assert_eq!(host.free(self.set, handle), Ok(Freed::Teardown));
                    host.reclaim(handle).expect("it was torn down");
                    0
                }),
            Some(Request::Descriptors) | None => return,
        };
        self.page.answer(answer);
    }
}

fn memory() -> Vec<u64> {
    vec![0; Memory::words_for(256)]
}

fn limits() -> Config {
    Config { max_pasid: Pasid::new(IDS).expect("a PASID"), ..Config::default() }
}

fn up_to(limit: u32) -> SetConfig {
    SetConfig { reservation: 0, limit }
}

/// A linear congruential generator: the same operations in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

fn run(layout: Layout, operations: u32) {
    let mut words = memory();
    let host = Memory { words: &mut words };
    let host = RefCell::new(Registry::new(host, limits()).expect("the memory fits"));
    let set = host.borrow_mut().create_set(up_to(LIMIT)).expect("a set");
    let neighbour = host.borrow_mut().create_set(up_to(LIMIT)).expect("a set");
    let Ok(Allocation::Ready(theirs)) = host.borrow_mut().alloc(neighbour, 3..=3, 0) else {
        panic!("3 is free");
    };

    let page = [const { AtomicU64::new(0) }; WORDS];
    let machine = Machine { page: Page::new(&page, layout), set, host: &host };
    let mut providers = [VcmdProvider::new(machine, layout, 1).expect("the unit says that it can")];
    let mut words = memory();
    let memory = Memory { words: &mut words };
    let mut guest = Registry::with(memory, limits(), &mut providers, ()).expect("the memory fits");
    let vcmd = Allocator { id: AllocatorId(1), helpers: Helpers { alloc: 0, free: 0 }, pdata: 0 };
    guest.register_allocator(vcmd).expect("nothing is allocated");
    let own = guest.create_set(up_to(IDS)).expect("a set");

    let mut random = Random(88);
    let mut live: Vec<Handle> = Vec::new();
    for _ in 0..operations {
        if random.below(2) == 0 || live.is_empty() {
            match guest.alloc(own, 1..=IDS, 0) {
                Ok(Allocation::Ready(handle)) => {
                    assert_ne!(handle.pasid, theirs.pasid);
                    live.push(handle);
                }
                // s85: the host's limit, not the guest's own.
                refused => {
                    assert_eq!((refused, live.len()), (Err(Error::NoSpace), LIMIT as usize));
                }
            }
        } else {
            let handle = live.swap_remove(random.below(live.len()));
            assert_eq!(guest.free(own, handle), Ok(Freed::Teardown));
            assert_eq!(guest.reclaim(handle), Ok(()));
            assert_eq!(host.borrow().lookup(set, handle.pasid), Err(Error::NotFound), "s51");
        }
        assert_eq!(host.borrow().stats(set).expect("a set").used as usize, live.len());
    }
    let mut host_owns: Vec<Pasid> = Vec::new();
    while let Some(next) = host
        .borrow()
        .next_id(set, host_owns.last().map_or(Pasid::RESERVED, |last| last.next().expect("below 256")))
    {
        host_owns.push(next.handle.pasid);
    }
    let mut guest_has: Vec<Pasid> = live.iter().map(|handle| handle.pasid).collect();
    guest_has.sort_unstable();
    assert_eq!(host_owns, guest_has);
    assert_eq!(guest.check(), Ok(()));

    // s86: the machine is reset; what it had comes back to the host, and nobody else's.
    let mut host = host.borrow_mut();
    host.free_set(set).expect("a set");
    let mut out = [theirs; 64];
    loop {
        let drained = host.drain_set(set, &mut out).expect("a set that goes");
        out[..drained.filled].iter().for_each(|&handle| host.reclaim(handle).expect("torn down"));
        if drained.progress == Progress::Gone {
            break;
        }
    }
    assert_eq!(host.stats(neighbour).expect("a set").used, 1);
    assert_eq!(host.find(neighbour, theirs), Ok(0));
    assert_eq!(host.check(), Ok(()));
}

#[test]
fn s88_guest_and_host_agree_over_a_million_operations() {
    run(Layout::REVISION_3_3, 1_000_000);
}

#[test]
fn s88_guest_and_host_agree_in_the_older_layout() {
    run(Layout::OLDER, 100_000);
}

// SPDX-License-Identifier: BSD-2-Clause
//! What a guest does and checks, in order.

use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use guest_kit::edu::Edu;
use guest_kit::events::Events;
use heapless::Vec;
use ioasid_microkit::{
    Access, Batch, Client, Code, Error, Event, EventKind, Extent, FaultDirection, FindReader, Handle,
    PAGE_SIZE, RegionOffset,
};

use crate::IOASID;
use crate::checks::Checks;

/// The guest's one device and one region, in the order of `ioasid.toml`.
const DEVICE: u16 = 0;
const REGION: u16 = 0;

/// Room for a handle.
const NO_HANDLE: Handle = Handle { pasid: 0, generation: 0, epoch: 0 };

/// Where the device sees the buffer's first two pages.
const IOVA: u64 = 0x7_0000;
/// Where the device sees nothing.
const UNMAPPED: u64 = 0x9_0000;
/// What no guest may reach, by physical address as in `system.xml`: both guests' buffers, and the unit's tables.
const FORBIDDEN: [u64; 3] = [0x1040_0000, 0x1041_0000, 0x1000_0000];

/// More ids than any guest's limit.
const MANY: usize = 64;
const ALL_IDS: core::ops::RangeInclusive<u32> = 1..=0xf_ffff;

/// What the server shares with the guest.
pub struct Pages {
    pub events: Events,
    pub find: FindReader<'static>,
    pub batch: &'static [AtomicU64],
}

pub async fn run(mut edu: Edu, buffer: &'static [AtomicU8], pages: Pages, mut checks: Checks) {
    let Pages { mut events, find, batch } = pages;
    match ioasid_microkit::connect(IOASID) {
        Ok(client) => {
            let mut guest = Guest { client, edu: &mut edu, buffer, events: &mut events, checks: &mut checks };
            guest.meet();
            guest.allocate_a_batch(&find, &Batch::new(client, batch));
            if let Some(id) = guest.own_an_id() {
                guest.exceed_the_quota();
                guest.ask_for_what_was_not_granted(id);
                guest.transfer_both_ways(id).await;
                guest.reach_for_the_others(id).await;
                guest.unmap_and_try_again(id).await;
                guest.free_and_try_again(id).await;
            }
        }
        Err(error) => checks.equal("the service answers HELLO", error, Error::Refused(Code::ServerRestarted)),
    }
    checks.equal("no event was lost", events.lost(), 0);
    checks.report();
}

struct Guest<'a> {
    client: Client,
    edu: &'a mut Edu,
    buffer: &'static [AtomicU8],
    events: &'a mut Events,
    checks: &'a mut Checks,
}

/// A refusal, as the client sees it.
fn refused<T>(code: Code) -> Result<T, Error> {
    Err(Error::Refused(code))
}

/// Page number `page` of the buffer.
fn page(page: u64) -> RegionOffset {
    RegionOffset { region: REGION, offset: page * PAGE_SIZE }
}

const READ_WRITE: Access = Access::ReadWrite;

impl Guest<'_> {
    fn meet(&mut self) {
        let welcome = *self.client.welcome();
        self.checks.equal(
            "one device and one region are granted",
            (welcome.devices, welcome.regions),
            (1, 1),
        );
        self.checks.equal("PASIDs have 20 bits", welcome.pasid_bits, 20);
        self.checks.holds("the device is there", self.edu.is_present());
        self.fill(0..self.buffer.len(), 0xa5);
    }

    fn own_an_id(&mut self) -> Option<Handle> {
        let id = match self.client.alloc(ALL_IDS, 0x1234) {
            Ok(id) => id,
            Err(error) => {
                self.checks.holds("an id is allocated", false);
                log::error!("alloc: {error}");
                return None;
            }
        };
        log::info!("allocated PASID {:#x}", id.pasid);
        let found = self.client.find(id.pasid);
        self.checks.equal(
            "it is found, with its data",
            found.map(|found| (found.handle, found.data)),
            Ok((id, 0x1234)),
        );
        self.checks.equal("its data can be replaced", self.client.set_data(id, 0x5678), Ok(()));
        self.checks.equal(
            "and is the new data then",
            self.client.find(id.pasid).map(|found| found.data),
            Ok(0x5678),
        );
        Some(id)
    }

    fn exceed_the_quota(&mut self) {
        let Ok(usage) = self.client.own_usage() else {
            self.checks.holds("the own share can be read", false);
            return;
        };
        let mut ids = Vec::<Handle, MANY>::new();
        let refusal = loop {
            match self.client.alloc(ALL_IDS, 0) {
                // More than MANY ids are more than any limit: the count below is wrong then.
                Ok(id) if ids.push(id).is_ok() => {}
                other => break other,
            }
        };
        self.checks.equal("beyond the limit: QuotaExceeded", refusal, refused(Code::QuotaExceeded));
        let held = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        self.checks.equal("the limit is reached, not passed", usage.used + held, usage.limit);
        let freed = ids.iter().filter(|&&id| self.client.free(id) == Ok(())).count();
        self.checks.equal("all of them can be freed", freed, ids.len());
        let after = self.client.own_usage().map(|after| (after.used, after.peak));
        self.checks.equal("use is as before, the peak is the limit", after, Ok((usage.used, usage.limit)));
        if let Some(&gone) = ids.first() {
            self.checks.equal("a second free: NotFound", self.client.free(gone), refused(Code::NotFound));
        }
    }

    fn ask_for_what_was_not_granted(&mut self, id: Handle) {
        let one = Extent { pages: 1, access: READ_WRITE };
        let other_region = RegionOffset { region: REGION + 1, offset: 0 };
        let map = |source| self.client.map(id, IOVA, source, one);
        let beyond = page(self.buffer.len() as u64 / PAGE_SIZE);
        let (other_region, beyond) = (map(other_region), map(beyond));
        self.checks.equal("another's region: NoSuchRegion", other_region, refused(Code::NoSuchRegion));
        self.checks.equal("beyond the region: OutOfRegion", beyond, refused(Code::OutOfRegion));
        let window = self.client.map(id, 0xfee0_0000, page(0), one);
        self.checks.equal("the interrupt window: BadAddress", window, refused(Code::BadAddress));
        self.checks.equal(
            "another's device: NoSuchDevice",
            self.client.bind(id, DEVICE + 1),
            refused(Code::NoSuchDevice),
        );
        self.checks.equal(
            "another set's counters: NotPermitted",
            self.client.set_usage(0),
            refused(Code::NotPermitted),
        );
        let foreign =
            (1..=0x100).filter(|&pasid| pasid != id.pasid && self.client.find(pasid).is_ok()).count();
        self.checks.equal("no id of another set's is found", foreign, 0);
    }

    fn allocate_a_batch(&mut self, find: &FindReader<'_>, batch: &Batch<'_>) {
        let mut room = [NO_HANDLE; 6];
        let ids = match batch.alloc(ALL_IDS, 77, &mut room) {
            Ok(ids) => ids,
            Err(error) => {
                log::error!("batch: {error}");
                &[]
            }
        };
        self.checks.equal("six ids are allocated by one call", ids.len(), 6);
        let found = ids.iter().filter(|&&id| find.find(id) == Some(77)).count();
        self.checks.equal("each is found in the own page, without a call", found, ids.len());
        self.checks.equal("and freed by one call", batch.free(ids), Ok(6));
        let found = ids.iter().filter(|&&id| find.find(id).is_some()).count();
        self.checks.equal("none is found any more", found, 0);
    }

    async fn transfer_both_ways(&mut self, id: Handle) {
        self.checks.equal("a device is bound", self.client.bind(id, DEVICE), Ok(()));
        let extent = Extent { pages: 2, access: READ_WRITE };
        self.checks.equal("two pages are mapped", self.client.map(id, IOVA, page(0), extent), Ok(()));
        let bytes = Edu::MAX_TRANSFER;
        self.pattern();
        self.edu.read_memory(IOVA, bytes).await;
        self.edu.write_memory(IOVA + PAGE_SIZE, bytes).await;
        let len = usize::try_from(bytes).unwrap_or(0);
        let (from, to) = (&self.buffer[..len], &self.buffer[0x1000..0x1000 + len]);
        let wrong = from
            .iter()
            .zip(to)
            .filter(|(a, b)| a.load(Ordering::Relaxed) != b.load(Ordering::Relaxed))
            .count();
        self.checks.equal("DMA read and wrote every byte", wrong, 0);
        self.checks.equal(
            "and not one more",
            self.count(0x1000 + len..self.buffer.len(), 0xa5),
            self.buffer.len() - 0x1000 - len,
        );
    }

    async fn reach_for_the_others(&mut self, id: Handle) {
        for address in FORBIDDEN {
            self.edu.write_memory(address, 256).await;
            let event = self.events.next(EventKind::Fault).await;
            self.blocked(event, Some(id), address, FaultDirection::Write);
        }
        self.edu.read_memory(UNMAPPED, 256).await;
        let event = self.events.next(EventKind::Fault).await;
        self.blocked(event, Some(id), UNMAPPED, FaultDirection::Read);
    }

    async fn unmap_and_try_again(&mut self, id: Handle) {
        self.fill(0x1000..0x2000, 0xa5);
        self.checks.equal("a page is unmapped", self.client.unmap(id, IOVA + PAGE_SIZE, 1), Ok(()));
        self.edu.write_memory(IOVA + PAGE_SIZE, 256).await;
        let event = self.events.next(EventKind::Fault).await;
        self.blocked(event, Some(id), IOVA + PAGE_SIZE, FaultDirection::Write);
        self.checks.equal("what was unmapped is untouched", self.count(0x1000..0x2000, 0xa5), 0x1000);
    }

    async fn free_and_try_again(&mut self, id: Handle) {
        self.fill(0..0x1000, 0xa5);
        self.checks.equal("the id is freed", self.client.free(id), Ok(()));
        self.edu.write_memory(IOVA, 256).await;
        let event = self.events.next(EventKind::Fault).await;
        self.blocked(event, None, IOVA, FaultDirection::Write);
        self.checks.equal("what it mapped is untouched", self.count(0..0x1000, 0xa5), 0x1000);
        self.checks.equal(
            "the old handle finds nothing",
            self.client.set_data(id, 1),
            refused(Code::NotFound),
        );
    }

    /// Checks that a transfer was blocked, and that the right one was told.
    fn blocked(&mut self, event: Event, id: Option<Handle>, address: u64, direction: FaultDirection) {
        log::info!("blocked: {:?} of {:#x}, reason {:#x}", event.direction, event.address, event.reason);
        self.checks.equal(
            "the fault names id, device, address and direction",
            (event.handle, event.device, event.address, event.direction),
            (id, DEVICE, address, direction),
        );
    }

    fn fill(&self, range: core::ops::Range<usize>, value: u8) {
        self.buffer[range].iter().for_each(|byte| byte.store(value, Ordering::Relaxed));
    }

    fn count(&self, range: core::ops::Range<usize>, value: u8) -> usize {
        self.buffer[range].iter().filter(|byte| byte.load(Ordering::Relaxed) == value).count()
    }

    /// Fills the first page with bytes that are not alike.
    fn pattern(&self) {
        for (value, byte) in (0u32..).zip(&self.buffer[..0x1000]) {
            // The top byte of a multiplicative hash.
            byte.store(value.wrapping_mul(0x9e37_79b1).to_be_bytes()[0], Ordering::Relaxed);
        }
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! What a client with `admin = true` may do: look after every set, and choose the allocators.

use ioasid_api::{self as api, Counters, Health, Progress, Usage};

#[cfg(doc)]
use crate::Code;
use crate::{Client, Peer, Result};

/// How many ids a set is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// That are always there for it.
    pub reservation: u32,
    /// The most.
    pub limit: u32,
}

/// For a channel with `admin = true`; anybody else has [`Code::NotPermitted`]. A set's number is its client's place in
/// `ioasid.toml`, from 0.
///
/// ```
/// # let mut machine = service_rig::Machine::new(&[service_rig::Grant::new("driver"), service_rig::Grant::new("admin").admin()]);
/// # let service = machine.start();
/// # let (driver, admin) = (service.client("driver"), service.client("admin"));
/// use ioasid_client::{Code, Error, Share};
///
/// let id = driver.alloc(1..=1000, 0)?;
/// admin.adjust_set(0, Share { reservation: 1, limit: 1 })?;
/// assert_eq!(driver.alloc(1..=1000, 0), Err(Error::Refused(Code::QuotaExceeded)));
///
/// // The driver has died: all that it had is taken back, in slices, before its set begins anew.
/// while admin.free_set(0)?.more != 0 {}
/// admin.open_set(0, Share { reservation: 1, limit: 8 })?;
/// assert_eq!(admin.set_usage(0)?.used, 0);
/// assert_eq!(driver.find(id.pasid), Err(Error::Refused(Code::ServerRestarted)), "it says HELLO first");
/// # Ok::<(), Error>(())
/// ```
impl<P: Peer> Client<P> {
    /// Another set's share and use.
    ///
    /// # Errors
    /// [`Code::NotPermitted`], [`Code::NoSuchSet`].
    pub fn set_usage(&self, set: u16) -> Result<Usage> {
        self.call(&api::SetUsage { set })
    }

    /// What has happened to a set.
    ///
    /// # Errors
    /// [`Code::NotPermitted`], [`Code::NoSuchSet`].
    pub fn set_counters(&self, set: u16) -> Result<Counters> {
        self.call(&api::SetCounters { set })
    }

    /// The server's health, after a walk through its registry.
    ///
    /// # Errors
    /// [`Code::NotPermitted`], [`Code::Internal`].
    pub fn check(&self) -> Result<Health> {
        self.call(&api::Check {})
    }

    /// Changes a set's share.
    ///
    /// # Errors
    /// [`Code::InUse`]: it has more than the limit; [`Code::NoSpace`]: less than the reservation is free;
    /// [`Code::InvalidRange`], [`Code::NoSuchSet`]. Nothing has changed then.
    pub fn adjust_set(&self, set: u16, share: Share) -> Result<()> {
        let Share { reservation, limit } = share;
        self.call(&api::SetAdjust { set, reservation, limit }).map(drop)
    }

    /// Ends a set: its client's devices are cut off by the first call, and each takes up to 64 ids back. To be called until
    /// there is no more. The client has to say HELLO again, and is given nothing until the set is opened.
    ///
    /// # Errors
    /// [`Code::NoSuchSet`]: there is none of this number, or it has ended.
    pub fn free_set(&self, set: u16) -> Result<Progress> {
        self.call(&api::SetFree { set })
    }

    /// Begins a set anew that has ended, for a client that was restarted.
    ///
    /// # Errors
    /// [`Code::InUse`]: it has not ended; [`Code::NoSpace`], [`Code::InvalidRange`], [`Code::NoSuchSet`].
    pub fn open_set(&self, set: u16, share: Share) -> Result<()> {
        let Share { reservation, limit } = share;
        self.call(&api::SetOpen { set, reservation, limit }).map(drop)
    }

    /// Registers a custom allocator: `alloc` and `free` are the places of its providers among the clients with `provider =
    /// true`, `pdata` is handed to them with each [task](crate::Task). The first that is registered chooses all ids from
    /// then on.
    ///
    /// # Errors
    /// [`Code::AllocatorBusy`]: there are ids of the default allocator's; [`Code::AlreadyRegistered`],
    /// [`Code::RegistryFull`], [`Code::NoSuchPeer`].
    pub fn register_allocator(&self, allocator: u32, alloc: u16, free: u16, pdata: u64) -> Result<()> {
        self.call(&api::RegisterAllocator { allocator, alloc, free, pdata }).map(drop)
    }

    /// Unregisters one; gives how many ids are orphans now.
    ///
    /// # Errors
    /// [`Code::NotRegistered`].
    pub fn unregister_allocator(&self, allocator: u32) -> Result<u32> {
        Ok(self.call(&api::UnregisterAllocator { allocator })?.count)
    }

    /// Takes orphans back, up to 64 a call. To be called until there is no more.
    ///
    /// # Errors
    /// [`Code::UnitTimeout`]: what was not confirmed is kept from everybody for good.
    pub fn reclaim_orphans(&self) -> Result<Progress> {
        self.call(&api::ReclaimOrphans {})
    }
}

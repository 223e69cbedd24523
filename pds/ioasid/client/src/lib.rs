// SPDX-License-Identifier: BSD-2-Clause
//! What talks to the ioasid service: one method for each operation.
//!
//! A [`Client`] is generic over the [`Peer`] that carries its messages. A protection domain uses `ioasid-microkit`, in
//! which that is a Microkit channel; tests put the server itself in its place. Here it is a server with one client, which
//! was granted one device and one region of 16 pages:
//!
//! ```
//! # let mut machine = service_rig::Machine::new(&[service_rig::Grant::new("driver").device(0x18)]);
//! # let service = machine.start();
//! # let peer = service.peer("driver");
//! use ioasid_client::{Access, Client, Code, Error, Extent, RegionOffset};
//!
//! let client = Client::connect(peer)?; // in a domain: ioasid_microkit::connect(Channel::new(1))
//! let id = client.alloc(1..=1000, 0)?;
//! let page = Extent { pages: 1, access: Access::ReadWrite };
//! client.map(id, 0x1000, RegionOffset { region: 0, offset: 0 }, page)?;
//! client.bind(id, 0)?; // device 0 now reaches that page, at 0x1000, and nothing else
//! client.free(id)?; // and now nothing at all
//!
//! assert_eq!(client.bind(id, 0), Err(Error::Refused(Code::NotFound)));
//! # Ok::<(), Error>(())
//! ```
//!
//! What takes a right that `ioasid.toml` gives, `admin = true` or `provider = true`, has its methods in the same place.
#![no_std]
#![forbid(unsafe_code)]

mod admin;
mod batch;
mod provider;

use core::ops::RangeInclusive;

pub use admin::Share;
pub use batch::{BATCH, Batch};
use ioasid_api as api;
pub use ioasid_api::{
    Access, Code, Counters, Event, EventKind, EventReader, Extent, Family, FaultDirection, FindReader, Found,
    Handle, Health, Message, PAGE_SIZE, Progress, RegionOffset, Usage, Welcome,
};
use ioasid_api::{Call, Reply};
pub use provider::Task;

/// Whoever is at the other end: carries one message to the server and hands its answer on.
pub trait Peer {
    /// Sends `request` and gives what `read` makes of the answer: a label, and as many words as came, which may be more
    /// than the protocol has.
    fn call<T>(&self, request: &Message, read: impl FnOnce(u64, &[u64]) -> T) -> T;
}

/// Why a call gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The server said no.
    Refused(Code),
    /// The answer is none of the protocol's: another server is behind the channel, or another version of it.
    BadReply {
        /// The answer's label.
        label: u64,
    },
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Refused(code) => write!(f, "{code}"),
            Self::BadReply { label } => {
                write!(f, "an answer with label {label} is not of protocol version {}", api::VERSION)
            }
        }
    }
}

impl core::error::Error for Error {}

/// What a call gives.
pub type Result<T> = core::result::Result<T, Error>;

/// What a subscriber is to the ids of its set, and so when it is told that one is freed: in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Role {
    /// It submits work with the id.
    Cpu = 0,
    /// It drives a device that runs under the id.
    Device = 1,
    /// It only wants to know.
    Observer = 2,
}

/// A connection to the service. Costs nothing to keep, or to copy where the peer is a channel.
#[derive(Clone, Copy, Debug)]
pub struct Client<P> {
    peer: P,
    welcome: Welcome,
}

impl<P: Peer> Client<P> {
    /// Says HELLO to `peer`, which leads to the ioasid PD. Comes first, and again after [`Code::ServerRestarted`].
    ///
    /// # Errors
    /// [`Code::UnsupportedVersion`]: the server speaks another version.
    pub fn connect(peer: P) -> Result<Self> {
        let welcome = call(&peer, &api::Hello { version: api::VERSION })?;
        Ok(Self { peer, welcome })
    }

    /// What the server said of itself and of what is granted.
    #[must_use]
    pub fn welcome(&self) -> &Welcome {
        &self.welcome
    }

    /// The lowest free id of `range`, with private data that [`Client::find`] gives back.
    ///
    /// # Errors
    /// [`Code::InvalidRange`], [`Code::NoSpace`], [`Code::QuotaExceeded`]; behind a custom allocator also
    /// [`Code::ProviderFault`].
    #[inline(always)]
    pub fn alloc(&self, range: RangeInclusive<u32>, data: u64) -> Result<Handle> {
        let reply = self.call(&api::Alloc { min: *range.start(), max: *range.end(), data })?;
        Ok(reply.handle)
    }

    /// Gives an id up: it is not found any more. When the call returns, no device reaches anything by it; but where
    /// [`Client::get`] took references they are put first, and where a subscriber acknowledges that is waited for, behind
    /// later calls.
    ///
    /// # Errors
    /// [`Code::NotFound`], [`Code::NotOwner`], [`Code::Stale`]: nothing changed. [`Code::UnitTimeout`]: the id is
    /// gone, and kept from everybody for good.
    #[inline(always)]
    pub fn free(&self, handle: Handle) -> Result<()> {
        self.call(&api::Free { handle }).map(drop)
    }

    /// Takes one more reference; gives how many there are.
    ///
    /// # Errors
    /// [`Code::NotFound`], [`Code::NotOwner`], [`Code::Stale`], [`Code::TooManyReferences`].
    pub fn get(&self, handle: Handle) -> Result<u32> {
        Ok(self.call(&api::Get { handle })?.count)
    }

    /// Drops a reference; gives how many are left. The last one frees the id.
    ///
    /// # Errors
    /// As [`Client::free`].
    pub fn put(&self, handle: Handle) -> Result<u32> {
        Ok(self.call(&api::Put { handle })?.count)
    }

    /// Looks up an id of this client's.
    ///
    /// # Errors
    /// [`Code::NotFound`], [`Code::NotOwner`].
    pub fn find(&self, pasid: u32) -> Result<Found> {
        self.call(&api::Find { pasid })
    }

    /// Replaces an id's private data.
    ///
    /// # Errors
    /// [`Code::NotFound`], [`Code::NotOwner`], [`Code::Stale`].
    pub fn set_data(&self, handle: Handle, data: u64) -> Result<()> {
        self.call(&api::SetData { handle, data }).map(drop)
    }

    /// Lets a device of this client's reach what the id maps, by its requests without PASID. One id at a time.
    ///
    /// # Errors
    /// [`Code::NoSuchDevice`], [`Code::AlreadyBound`], those of [`Client::set_data`], and of the unit.
    pub fn bind(&self, handle: Handle, device: u16) -> Result<()> {
        self.call(&api::Bind { handle, device }).map(drop)
    }

    /// Takes it back.
    ///
    /// # Errors
    /// [`Code::NoSuchDevice`], [`Code::NotBound`], those of [`Client::set_data`], and of the unit.
    pub fn unbind(&self, handle: Handle, device: u16) -> Result<()> {
        self.call(&api::Unbind { handle, device }).map(drop)
    }

    /// Lets a device of this client's reach what the id maps, by its requests with the id's number as their PASID. Any
    /// number of ids at a time, and beside [`Client::bind`].
    ///
    /// # Errors
    /// [`Code::NoTaggedRequests`], and those of [`Client::bind`].
    pub fn bind_tagged(&self, handle: Handle, device: u16) -> Result<()> {
        self.call(&api::BindTagged { handle, device }).map(drop)
    }

    /// Takes that back.
    ///
    /// # Errors
    /// As [`Client::unbind`].
    pub fn unbind_tagged(&self, handle: Handle, device: u16) -> Result<()> {
        self.call(&api::UnbindTagged { handle, device }).map(drop)
    }

    /// Maps granted memory at `iova` (bytes, page aligned): all of it or nothing.
    ///
    /// # Errors
    /// [`Code::NoSuchRegion`], [`Code::OutOfRegion`], [`Code::AccessDenied`], [`Code::BadAddress`],
    /// [`Code::AlreadyMapped`], [`Code::NoTableMemory`], and those of [`Client::set_data`].
    pub fn map(&self, handle: Handle, iova: u64, source: RegionOffset, extent: Extent) -> Result<()> {
        self.call(&api::Map { handle, iova, source, extent }).map(drop)
    }

    /// Unmaps `pages` pages of 4 KiB. When the call returns, no device reaches them under this id.
    ///
    /// # Errors
    /// [`Code::NotMapped`], [`Code::BadAddress`], and those of [`Client::set_data`].
    pub fn unmap(&self, handle: Handle, iova: u64, pages: u32) -> Result<()> {
        self.call(&api::Unmap { handle, iova, pages }).map(drop)
    }

    /// This client's own share and use.
    ///
    /// # Errors
    /// None but [`Code::ServerRestarted`].
    pub fn own_usage(&self) -> Result<Usage> {
        self.call(&api::OwnUsage {})
    }

    /// Lets a device run under this id instead of the one that it is [bound](Client::bind) to.
    ///
    /// # Errors
    /// As [`Client::bind`] and [`Code::NotBound`]; the old binding stays then.
    pub fn replace(&self, handle: Handle, device: u16) -> Result<()> {
        self.call(&api::Replace { handle, device }).map(drop)
    }

    /// Names an id by a number of this client's own, below 256.
    ///
    /// # Errors
    /// [`Code::SpidTaken`], [`Code::InvalidRange`], and those of [`Client::set_data`].
    pub fn attach_spid(&self, spid: u32, handle: Handle) -> Result<()> {
        self.call(&api::AttachSpid { spid, handle }).map(drop)
    }

    /// Takes that name away.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub fn detach_spid(&self, spid: u32) -> Result<()> {
        self.call(&api::DetachSpid { spid }).map(drop)
    }

    /// Looks up an id by this client's own number.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub fn find_spid(&self, spid: u32) -> Result<Found> {
        self.call(&api::FindSpid { spid })
    }

    /// The outcome of an allocation that was refused with [`Code::Pending`]. The client is notified when there is one.
    ///
    /// # Errors
    /// [`Code::Pending`]: not yet. [`Code::NotFound`]: nothing was asked. Else those of [`Client::alloc`].
    pub fn alloc_result(&self) -> Result<Handle> {
        Ok(self.call(&api::AllocResult {})?.handle)
    }

    /// Is told of ALLOC, FREE, BIND and UNBIND too, in the event ring.
    ///
    /// # Errors
    /// [`Code::NoSharedPage`], [`Code::InUse`], [`Code::RegistryFull`].
    pub fn subscribe(&self, role: Role, acknowledges: bool) -> Result<()> {
        self.call(&api::Subscribe { role: role as u16, acknowledges: u16::from(acknowledges) }).map(drop)
    }

    /// Is no longer told.
    ///
    /// # Errors
    /// [`Code::NoSuchPeer`].
    pub fn unsubscribe(&self) -> Result<()> {
        self.call(&api::Unsubscribe {}).map(drop)
    }

    /// Says that it has stopped using an id that it was told is freed.
    ///
    /// # Errors
    /// [`Code::NotFound`]: nobody waits for that.
    pub fn acknowledge(&self, handle: Handle) -> Result<()> {
        self.call(&api::Acknowledge { handle }).map(drop)
    }

    /// Any operation of the protocol.
    ///
    /// # Errors
    /// Those of the operation.
    #[inline]
    pub fn call<C: Call>(&self, operation: &C) -> Result<C::Reply> {
        call(&self.peer, operation)
    }
}

#[inline(always)]
fn call<C: Call>(peer: &impl Peer, operation: &C) -> Result<C::Reply> {
    peer.call(&operation.encode(), |label, words| match Code::from_label(label) {
        Ok(None) => C::Reply::decode(words).ok_or(Error::BadReply { label }),
        Ok(Some(code)) => Err(Error::Refused(code)),
        Err(_) => Err(Error::BadReply { label }),
    })
}

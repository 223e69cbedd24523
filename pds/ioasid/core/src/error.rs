// SPDX-License-Identifier: BSD-2-Clause
//! Why the registry refused.

/// A refusal. Nothing has changed where a call returns one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// min > max, a bound that is no PASID, or beyond the width that the hardware supports.
    #[error("the range is not one of PASIDs that are supported here")]
    InvalidRange,
    /// No id is free in the range, or all that are left are reserved for others.
    #[error("no id is free in the range")]
    NoSpace,
    /// The set is at its limit.
    #[error("the set is at its limit")]
    QuotaExceeded,
    /// No live id has this number.
    #[error("no such id")]
    NotFound,
    /// The id is live and another set's.
    #[error("the id belongs to another set")]
    NotOwner,
    /// The handle is not of the id's present generation.
    #[error("the handle is out of date")]
    Stale,
    /// No set has this id (any more).
    #[error("no such set")]
    NoSuchSet,
    /// The set uses more than it is to be left with.
    #[error("in use")]
    InUse,
    /// No room for one more set, allocator or subscriber.
    #[error("no room for one more")]
    RegistryFull,
    /// The reference count is at its top.
    #[error("too many references")]
    TooManyReferences,
    /// An SPID names a live id already.
    #[error("the SPID names an id already")]
    AlreadyAttached,
    /// Ids of the default allocator are outstanding, in quarantine or live.
    #[error("ids of the default allocator are outstanding")]
    AllocatorBusy,
    /// The allocator is registered already.
    #[error("the allocator is registered already")]
    AlreadyRegistered,
    /// The allocator is not registered.
    #[error("the allocator is not registered")]
    NotRegistered,
    /// No provider or subscriber has this place.
    #[error("no such provider or subscriber")]
    NoSuchPeer,
    /// The provider behind the custom allocator answered wrongly, or not in time.
    #[error("the allocator's provider answered wrongly, or not in time")]
    ProviderFault,
    /// The provider cannot take a message now, or the set has an allocation under way already.
    #[error("the allocator's provider is busy")]
    ProviderBusy,
    /// The memory is not of a size that the registry can work with.
    #[error("the memory is too small, or not a whole number of blocks")]
    BadMemory,
}

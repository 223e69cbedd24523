// SPDX-License-Identifier: BSD-2-Clause
//! Why the driver refused, or what hardware failed to do.
use thiserror::Error;

/// Something that a unit must have, and which this one lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Scalable-mode translation (ECAP.SMTS).
    ScalableMode,
    /// Requests with PASID (ECAP.PASID).
    Pasid,
    /// The invalidation queue (ECAP.QI).
    QueuedInvalidation,
    /// Second-stage translation (ECAP.SSTS).
    SecondStage,
    /// First-stage translation (ECAP.FSTS).
    FirstStage,
    /// Nested translation (ECAP.NEST).
    Nested,
    /// Pass-through (ECAP.PT).
    PassThrough,
    /// A page-table depth that the driver builds: 3 or 4 levels (CAP.SAGAW).
    AddressWidth,
    /// The device TLB (ECAP.DT).
    DeviceTlb,
    /// RID_PASID in the context entry (ECAP.RPS).
    RidPasid,
}

/// Why an operation failed. Unless a variant says otherwise nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// The unit lacks what was asked for.
    #[error("the unit has no {0:?}")]
    Missing(Feature),
    /// The table memory is misaligned, or too small for the fixed tables.
    #[error("the table memory is misaligned or too small")]
    BadMemory,
    /// The table memory has no free frame (or no free run for a directory).
    #[error("out of table frames")]
    NoMemory,
    /// No such share, or no room for one more.
    #[error("no such share of the table memory")]
    NoShare,
    /// Every domain of [`crate::Config::domains`] is in use.
    #[error("out of domains")]
    NoDomain,
    /// No such domain is live.
    #[error("no such domain")]
    NoSuchDomain,
    /// The domain is bound, so it cannot be destroyed.
    #[error("the domain is still bound")]
    DomainBound,
    /// The domain is of a stage that has no page table here (pass-through, nested).
    #[error("the domain has no page table of its own")]
    NotTranslated,
    /// A first-stage domain is bound under one PASID only, and this one is bound under another.
    #[error("a first-stage domain has one PASID")]
    OtherPasid,
    /// The device was not attached.
    #[error("the device is not attached")]
    NotAttached,
    /// The device is attached already.
    #[error("the device is attached already")]
    AlreadyAttached,
    /// Something is still bound in the device's directory.
    #[error("the device still has bindings")]
    DeviceBound,
    /// The PASID lies beyond what the device's directory or the unit covers.
    #[error("the PASID is beyond the device's directory")]
    PasidTooWide,
    /// The entry is bound already; use replace.
    #[error("the PASID is bound already")]
    AlreadyBound,
    /// The entry is not bound.
    #[error("the PASID is not bound")]
    NotBound,
    /// A teardown of this entry was never confirmed: unbind it again first.
    #[error("the PASID is in quarantine")]
    Quarantined,
    /// An address or length is misaligned, empty, too wide, in the interrupt range or over the tables.
    #[error("bad address range")]
    InvalidRange,
    /// The access cannot be expressed (write without read, in a first-stage table).
    #[error("access not available in this stage")]
    InvalidAccess,
    /// Part of the range is mapped already.
    #[error("already mapped")]
    AlreadyMapped,
    /// Part of the range is not mapped.
    #[error("not mapped")]
    NotMapped,
    /// More than [`crate::BATCH`] bindings in one teardown.
    #[error("too many bindings for one batch")]
    BatchTooLong,
    /// More devices with a device TLB than the driver tracks.
    #[error("too many devices with a device TLB")]
    TooManyAtsDevices,
    /// The invalidation was not confirmed (time-out, or an error of the queue). Access is already denied in the
    /// tables, but hardware may still use what it cached: nothing of it may be used anew. The same call can be
    /// made again.
    #[error("invalidation not confirmed")]
    Unconfirmed,
    /// A command bit did not appear in the status register within the bound.
    #[error("the unit did not confirm a command")]
    CommandTimeout,
}

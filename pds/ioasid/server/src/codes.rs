// SPDX-License-Identifier: BSD-2-Clause
//! The registry's and the unit's errors as codes of the protocol.

use ioasid_api::Code;

/// What a client is told of the registry's refusal.
pub fn registry(error: ioasid_core::Error) -> Code {
    use ioasid_core::Error;
    match error {
        Error::InvalidRange => Code::InvalidRange,
        Error::NoSpace => Code::NoSpace,
        Error::QuotaExceeded => Code::QuotaExceeded,
        Error::NotFound => Code::NotFound,
        Error::NotOwner => Code::NotOwner,
        Error::Stale => Code::Stale,
        Error::NoSuchSet => Code::NoSuchSet,
        Error::InUse => Code::InUse,
        Error::RegistryFull => Code::RegistryFull,
        Error::TooManyReferences => Code::TooManyReferences,
        Error::AlreadyAttached => Code::SpidTaken,
        Error::AllocatorBusy => Code::AllocatorBusy,
        Error::AlreadyRegistered => Code::AlreadyRegistered,
        Error::NotRegistered => Code::NotRegistered,
        Error::NoSuchPeer => Code::NoSuchPeer,
        Error::ProviderFault => Code::ProviderFault,
        Error::ProviderBusy => Code::ProviderBusy,
        _ => Code::Internal,
    }
}

/// What a client is told of the unit's refusal.
pub fn unit(error: vtd::Error) -> Code {
    use vtd::Error;
    match error {
        Error::NoMemory | Error::NoDomain | Error::NoShare => Code::NoTableMemory,
        Error::AlreadyBound => Code::AlreadyBound,
        Error::NotBound => Code::NotBound,
        Error::InvalidRange => Code::BadAddress,
        Error::InvalidAccess => Code::AccessDenied,
        Error::AlreadyMapped => Code::AlreadyMapped,
        Error::NotMapped => Code::NotMapped,
        Error::Unconfirmed | Error::Quarantined => Code::UnitTimeout,
        Error::CommandTimeout => Code::UnitError,
        // Everything else would be a mistake of the server's own.
        _ => Code::Internal,
    }
}

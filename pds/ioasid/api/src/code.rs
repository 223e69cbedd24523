// SPDX-License-Identifier: BSD-2-Clause
//! Why a call did not succeed: one stable number each, in three families.

/// Whose concern a [`Code`] is. The family is the code's hundreds digit, so that a client in any language can
/// tell them apart without a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// 100…199: the message is not one of the protocol's. The client has a defect.
    Malformed,
    /// 200…299: understood and not granted; nothing has changed.
    Refused,
    /// 300…399: the unit or a provider failed. The client did nothing wrong.
    Hardware,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $value:literal,)*) => {
        /// A refusal, as it stands on the wire. Never 0.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum Code { $($(#[doc = $doc])* $name = $value,)* }

        impl Code {
            /// Every code, in order of its number.
            pub const ALL: &[Code] = &[$(Code::$name,)*];

            /// The code of a reply's label: `Ok(None)` for success.
            ///
            /// # Errors
            /// The label itself, where it is none of this version's.
            #[inline]
            pub fn from_label(label: u64) -> Result<Option<Self>, u64> {
                if label == 0 { Ok(None) } else { Self::of_refusal(label).map(Some) }
            }

            #[cold]
            #[inline(never)]
            fn of_refusal(label: u64) -> Result<Self, u64> {
                match label {
                    $($value => Ok(Code::$name),)*
                    unknown => Err(unknown),
                }
            }

            /// The name; the C header has it in capitals behind `IOASID_`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Code::$name => stringify!($name),)* }
            }

            /// What it means, line by line.
            #[must_use]
            pub fn doc(self) -> &'static [&'static str] {
                match self { $(Code::$name => &[$($doc,)*],)* }
            }
        }
    };
}

codes! {
    /// No operation has this label.
    UnknownOperation = 100,
    /// The operation takes another number of words.
    WrongLength = 101,
    /// A word has bits set that its field does not have.
    BadField = 102,
    /// HELLO asked for a version that this server does not speak.
    UnsupportedVersion = 103,

    /// The channel has no right to this operation.
    NotPermitted = 200,
    /// The id is not live, or not this client's to see.
    NotFound = 201,
    /// The id belongs to another set (s45, s55).
    NotOwner = 202,
    /// The handle is of an earlier generation of the id (s53).
    Stale = 203,
    /// min > max, INVALID_IOASID as a bound, or beyond the width (s27, s29, s31).
    InvalidRange = 204,
    /// No id is free in the range (s28).
    NoSpace = 205,
    /// The set is at its limit (s28).
    QuotaExceeded = 206,
    /// The set uses more than it is to be left with (s72); or the id is bound, or has references.
    InUse = 207,
    /// The server was restarted, or HELLO has not been said: say HELLO (s95).
    ServerRestarted = 208,
    /// The reference count is at its top (s49).
    TooManyReferences = 209,
    /// The device index is none that was granted.
    NoSuchDevice = 210,
    /// The region index is none that was granted.
    NoSuchRegion = 211,
    /// The span leaves the region, wraps around, or is empty.
    OutOfRegion = 212,
    /// The region was granted without this right.
    AccessDenied = 213,
    /// The address is not aligned, beyond the width, or in the interrupt window 0xFEEx_xxxx.
    BadAddress = 214,
    /// A part of the span is mapped already.
    AlreadyMapped = 215,
    /// A part of the span is not mapped.
    NotMapped = 216,
    /// The PASID is bound to this device already.
    AlreadyBound = 217,
    /// The PASID is not bound to this device.
    NotBound = 218,
    /// The SPID names another id already (s73).
    SpidTaken = 219,
    /// Ids are outstanding in the default space (s04).
    AllocatorBusy = 220,
    /// The allocator is registered already (s13).
    AlreadyRegistered = 221,
    /// The allocator is not registered (s16, s17).
    NotRegistered = 222,
    /// No room for one more allocator, set or subscriber (s24).
    RegistryFull = 223,
    /// No set has this number.
    NoSuchSet = 224,
    /// The custom allocator's provider has not answered yet: the id, or why there is none, comes with
    /// `AllocResult` (s42).
    Pending = 225,
    /// The client was granted no batch page or event ring, and the operation needs it.
    NoSharedPage = 226,
    /// The client's share of the memory for the unit's tables is used up, or of the address spaces.
    NoTableMemory = 227,
    /// The span is longer than one call may map or unmap: take several.
    SpanTooLong = 228,
    /// The set has an allocation under way already, or one that was not fetched, or the provider has no room for a question.
    ProviderBusy = 229,
    /// No allocator, provider or subscription has this number.
    NoSuchPeer = 230,
    /// The device sends no requests with a PASID, or none as wide as the id (s31).
    NoTaggedRequests = 231,

    /// The unit did not confirm in time; what it concerns is in quarantine.
    UnitTimeout = 300,
    /// The unit reported an error of the queue or of a table.
    UnitError = 301,
    /// The custom allocator answered wrongly, or not at all (s35, s36).
    ProviderFault = 302,
    /// No remapping unit is there.
    NoUnit = 303,
    /// The server found its own state inconsistent. It refuses rather than guess.
    Internal = 304,
}

impl Code {
    /// The label of a reply that carries this code.
    #[must_use]
    pub fn to_label(self) -> u64 {
        self as u64
    }

    /// Whose concern it is.
    #[must_use]
    pub fn family(self) -> Family {
        match self as u16 / 100 {
            1 => Family::Malformed,
            2 => Family::Refused,
            _ => Family::Hardware,
        }
    }
}

impl core::fmt::Display for Code {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} ({})", self.name(), *self as u16)
    }
}

impl core::error::Error for Code {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_the_wire_and_none_is_success() {
        for &code in Code::ALL {
            assert_ne!(code.to_label(), 0);
            assert_eq!(Code::from_label(code.to_label()), Ok(Some(code)));
        }
        assert_eq!(Code::from_label(0), Ok(None));
        assert_eq!(Code::from_label(99), Err(99));
    }

    #[test]
    fn numbers_ascend_within_their_families() {
        assert!(Code::ALL.windows(2).all(|pair| (pair[0] as u16) < pair[1] as u16));
        assert_eq!(Code::WrongLength.family(), Family::Malformed);
        assert_eq!(Code::NotOwner.family(), Family::Refused);
        assert_eq!(Code::UnitTimeout.family(), Family::Hardware);
    }
}

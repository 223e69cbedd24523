// SPDX-License-Identifier: BSD-2-Clause
//! Events: what the server tells a client of its own accord, as they stand in the client's ring.

use crate::{Field, Handle};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum EventKind {
    /// An id of the set was allocated.
    Alloc = 1,
    /// An id of the set was freed, once for each life of the id.
    Free = 2,
    /// An id was bound to a device.
    Bind = 3,
    /// An id was unbound from a device.
    Unbind = 4,
    /// A device of the set tried what was not mapped.
    Fault = 5,
    /// The server took an id away.
    Revoke = 6,
    /// The set is gone.
    SetGone = 7,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Alloc, Self::Free, Self::Bind, Self::Unbind, Self::Fault, Self::Revoke, Self::SetGone];

    fn from_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|&kind| kind as u64 == number)
    }
}

/// Which kinds of event are wanted: bit n for the kind with number n.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventMask(pub u16);

impl EventMask {
    /// Every kind.
    pub const ALL: Self = Self(0b1111_1110);

    /// Whether this kind is wanted.
    #[must_use]
    pub fn wants(self, kind: EventKind) -> bool {
        self.0 >> kind as u8 & 1 == 1
    }
}

/// Which way a refused access went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultDirection {
    /// The device would have read memory.
    Read,
    /// The device would have written memory.
    Write,
}

/// One event. Three words in the ring, behind the word that numbers it.
///
/// Word 0: kind in bits 7:0, direction in bit 8 (1 = write), device index in 31:16, reason in 47:32. Word 1: the
/// id's handle, or all ones where the event is of no id. Word 2: the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// To which id, where the event is of one.
    pub handle: Option<Handle>,
    /// By or to which of the client's devices, for BIND, UNBIND and FAULT.
    pub device: u16,
    /// The unit's fault reason (VT-d 7.1.3), for FAULT.
    pub reason: u16,
    /// Which way, for FAULT.
    pub direction: FaultDirection,
    /// The address that the device used, page aligned, for FAULT.
    pub address: u64,
}

/// The handle word of an event that is of no id.
const NO_HANDLE: u64 = u64::MAX;

impl Event {
    /// An event of an id and nothing else.
    #[must_use]
    pub fn of(kind: EventKind, handle: Handle) -> Self {
        Self { kind, handle: Some(handle), device: 0, reason: 0, direction: FaultDirection::Read, address: 0 }
    }

    pub(crate) fn to_words(self) -> [u64; 3] {
        let direction = u64::from(self.direction == FaultDirection::Write);
        [
            self.kind as u64 | direction << 8 | u64::from(self.device) << 16 | u64::from(self.reason) << 32,
            self.handle.map_or(NO_HANDLE, Field::to_word),
            self.address,
        ]
    }

    pub(crate) fn from_words(words: [u64; 3]) -> Option<Self> {
        let [head, handle, address] = words;
        let field = |shift: u32| u16::try_from(head >> shift & 0xffff).ok();
        Some(Self {
            kind: EventKind::from_number(head & 0xff)?,
            handle: if handle == NO_HANDLE { None } else { Some(Handle::from_word(handle)?) },
            device: field(16)?,
            reason: field(32)?,
            direction: if head >> 8 & 1 == 1 { FaultDirection::Write } else { FaultDirection::Read },
            address,
        })
    }
}

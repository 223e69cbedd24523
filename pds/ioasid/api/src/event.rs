// SPDX-License-Identifier: BSD-2-Clause
//! Events: what the server tells a client of its own accord, as they stand in the client's ring.

use crate::{Field, Handle, PartInfo, TypeInfo, ValueInfo, WordInfo};

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $name:ident = $value:literal,)*) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum EventKind { $($(#[doc = $doc])* $name = $value,)* }

        impl EventKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            const VALUES: &[ValueInfo] =
                &[$(ValueInfo { name: stringify!($name), value: $value, doc: &[$($doc,)*] },)*];
        }
    };
}

kinds! {
    /// An id of the set was allocated.
    Alloc = 1,
    /// An id of the set was freed, once for each life of the id.
    Free = 2,
    /// An id was bound to a device.
    Bind = 3,
    /// An id was unbound from a device.
    Unbind = 4,
    /// A device of the set tried what was not mapped. Of a device that was neither bound nor unbound since, 1,024 are told.
    Fault = 5,
    /// The server took an id away.
    Revoke = 6,
    /// The set is gone.
    SetGone = 7,
}

impl EventKind {
    fn from_number(number: u64) -> Option<Self> {
        Self::ALL.iter().copied().find(|&kind| kind as u64 == number)
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

/// One event. Three words in the ring ([`Event::WORDS`]), behind the word that numbers it.
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

/// The first word of an event.
const HEAD: TypeInfo = TypeInfo {
    name: "event_head",
    doc: "What happened, and for FAULT which way, by which device and why.",
    bits: 64,
    parts: &[
        PartInfo { name: "event", shift: 0, bits: 8, values: EventKind::VALUES },
        PartInfo { name: "direction", shift: 8, bits: 1, values: FaultDirection::VALUES },
        PartInfo::new("device", 16, 16),
        PartInfo::new("reason", 32, 16),
    ],
};

impl FaultDirection {
    const VALUES: &[ValueInfo] = &[
        ValueInfo { name: "Read", value: 0, doc: &["The device would have read memory."] },
        ValueInfo { name: "Write", value: 1, doc: &["The device would have written memory."] },
    ];
}

impl Event {
    /// How an event stands in the ring.
    pub const WORDS: &[WordInfo] = &[
        WordInfo {
            name: "head",
            ty: &HEAD,
            doc: &[
                "What happened; for BIND, UNBIND and FAULT the client's index of the device;",
                "for FAULT the unit's reason (VT-d 7.1.3).",
            ],
        },
        WordInfo {
            name: "handle",
            ty: &Handle::TYPE,
            doc: &["To which id; all ones where the event is of none."],
        },
        WordInfo {
            name: "address",
            ty: &u64::TYPE,
            doc: &["For FAULT the address that the device used, page aligned."],
        },
    ];

    /// An event of an id and nothing else.
    #[must_use]
    pub fn of(kind: EventKind, handle: Handle) -> Self {
        Self { kind, handle: Some(handle), device: 0, reason: 0, direction: FaultDirection::Read, address: 0 }
    }

    /// As it stands in the ring: the words of [`WORDS`](Self::WORDS).
    #[must_use]
    pub fn to_words(self) -> [u64; 3] {
        let direction = u64::from(self.direction == FaultDirection::Write);
        [
            self.kind as u64 | direction << 8 | u64::from(self.device) << 16 | u64::from(self.reason) << 32,
            self.handle.map_or(NO_HANDLE, Field::to_word),
            self.address,
        ]
    }

    /// What stands in the ring; `None` where it is no event.
    #[must_use]
    pub fn from_words(words: [u64; 3]) -> Option<Self> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_stands_where_the_table_says() {
        let [head, ..] = Event::WORDS else { panic!("an event has words") };
        let shift = |name| head.ty.parts.iter().find(|part| part.name == name).unwrap().shift;
        for &kind in EventKind::ALL {
            let handle = Some(Handle { pasid: 1, generation: 2, epoch: 3 });
            let direction = FaultDirection::Write;
            let event = Event { kind, handle, device: 4, reason: 5, direction, address: 0x6000 };
            let words = event.to_words();
            assert_eq!(words.len(), Event::WORDS.len());
            assert_eq!(
                words[0],
                (kind as u64) << shift("event")
                    | 1 << shift("direction")
                    | 4 << shift("device")
                    | 5 << shift("reason")
            );
            assert_eq!(Event::from_words(words), Some(event));
        }
        let none = Event {
            handle: None,
            ..Event::of(EventKind::SetGone, Handle { pasid: 0, generation: 0, epoch: 0 })
        };
        assert_eq!(none.to_words()[1], u64::MAX);
    }
}

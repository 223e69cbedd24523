// SPDX-License-Identifier: BSD-2-Clause
//! What a record says.

use ioasid_api::{Access, Field, Handle, RegionOffset};

/// Why a set's share is stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareWhy {
    /// The server started, or the ring began a new round.
    Stated = 0,
    /// The set was opened.
    Opened = 1,
    /// It was given another share.
    Adjusted = 2,
    /// It ends: it is given no more ids, and its devices are cut off.
    Ending = 3,
    /// It is gone.
    Gone = 4,
}

/// Which way a refused access went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The device would have read memory.
    Read = 0,
    /// The device would have written memory.
    Write = 1,
}

/// What a provider answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// This number.
    Given(u32),
    /// It has none in the range.
    Nothing,
    /// It failed.
    Failed,
}

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The server started.
    Started {
        /// Which life this is.
        epoch: u16,
        /// Whether it owns a unit.
        unit: bool,
    },
    /// What the set may have and has.
    Share {
        /// Why this is stated.
        why: ShareWhy,
        /// Ids that are always there for it.
        reservation: u32,
        /// The most ids that it may have.
        limit: u32,
        /// Ids that it has.
        used: u32,
        /// The most that it had.
        peak: u32,
        /// Faults of its devices since the server started.
        faults: u32,
        /// Its calls that were refused since the server started.
        refused: u32,
    },
    /// An id was allocated.
    Alloc {
        /// It.
        id: Handle,
    },
    /// An id was freed, and its teardown confirmed: it is bound to no device any more, and its mappings are gone.
    Free {
        /// It.
        id: Handle,
    },
    /// An id was freed and the unit did not confirm: nobody is given the number again, and it stays on the set's account.
    Quarantine {
        /// It.
        id: Handle,
    },
    /// A device was bound to an id.
    Bind {
        /// The id.
        id: Handle,
        /// The device's requester id.
        device: u16,
        /// For requests that carry the id's PASID, rather than for those that carry none.
        tagged: bool,
    },
    /// A device was unbound from an id.
    Unbind {
        /// The id.
        id: Handle,
        /// The device's requester id.
        device: u16,
        /// For requests that carry the id's PASID, rather than for those that carry none.
        tagged: bool,
    },
    /// Memory was mapped.
    Map {
        /// In the space of this id.
        id: Handle,
        /// From this address on, page aligned.
        iova: u64,
        /// So many pages of 4 KiB.
        pages: u16,
        /// What devices may do with it.
        access: Access,
        /// Where it begins in the client's granted memory.
        source: RegionOffset,
    },
    /// Memory was unmapped.
    Unmap {
        /// In the space of this id.
        id: Handle,
        /// From this address on.
        iova: u64,
        /// So many pages of 4 KiB.
        pages: u16,
    },
    /// A device was stopped. The record is of no set where nobody was granted the device.
    Fault {
        /// The device's requester id.
        device: u16,
        /// The unit's reason (VT-d 7.1.3).
        reason: u8,
        /// Which way.
        direction: Direction,
        /// The PASID of the request, where it carried one.
        pasid: Option<u32>,
        /// The address that the device used, page aligned.
        address: u64,
        /// The id that the device was bound to.
        id: Option<Handle>,
    },
    /// The unit had more faults than it could record.
    FaultsLost,
    /// Calls were refused, the same one or more times in a row.
    Refused {
        /// The operation's number.
        operation: u16,
        /// Why: a code of the protocol.
        code: u16,
        /// How often in a row.
        times: u32,
        /// The set's calls that were refused since the server started.
        total: u64,
    },
    /// A custom allocator was registered.
    Registered {
        /// Its number.
        allocator: u32,
    },
    /// A custom allocator was unregistered.
    Unregistered {
        /// Its number.
        allocator: u32,
        /// Ids that it leaves.
        orphans: u32,
    },
    /// A provider fetched a question.
    Asked {
        /// The question's ticket; for a freed id, the id.
        ticket: u64,
        /// Whether an id is wanted, rather than given back.
        alloc: bool,
    },
    /// A provider answered.
    Answered {
        /// The question's ticket.
        ticket: u64,
        /// What.
        choice: Choice,
    },
    /// A provider is gone: its allocators count as unregistered.
    ProviderGone {
        /// Ids that it leaves.
        orphans: u32,
    },
}

/// The id of an event that is of no id.
const NO_ID: u64 = u64::MAX;
/// The PASID of a request that carried none.
const NO_PASID: u64 = 0xfff_ffff;

fn pair(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// The lower half of a word.
fn low(word: u64) -> u32 {
    u32::try_from(word & 0xffff_ffff).unwrap_or(0)
}

fn high(word: u64) -> u32 {
    low(word >> 32)
}

/// An event as it stands in a record. Words beyond `len` are not written: what stands there means nothing.
pub(crate) struct Raw {
    pub kind: u8,
    pub small: u16,
    pub words: [u64; 3],
    pub len: usize,
}

#[inline(always)]
fn raw<const LEN: usize>(kind: u8, small: u16, words: [u64; LEN]) -> Raw {
    let mut all = [0; 3];
    all[..LEN].copy_from_slice(&words);
    Raw { kind, small, words: all, len: LEN }
}

impl Event {
    #[inline(always)]
    pub(crate) fn encode(self) -> Raw {
        match self {
            Self::Started { epoch, unit } => raw(1, epoch, [unit.into()]),
            Self::Share { why, reservation, limit, used, peak, faults, refused } => {
                raw(2, why as u16, [pair(reservation, limit), pair(used, peak), pair(faults, refused)])
            }
            Self::Alloc { id } => raw(3, 0, [id.to_word()]),
            Self::Free { id } => raw(4, 0, [id.to_word()]),
            Self::Quarantine { id } => raw(5, 0, [id.to_word()]),
            Self::Bind { id, device, tagged } => raw(6, device, [id.to_word(), tagged.into()]),
            Self::Unbind { id, device, tagged } => raw(7, device, [id.to_word(), tagged.into()]),
            Self::Map { id, iova, pages, access, source } => {
                raw(8, pages, [id.to_word(), iova & !0xfff | access as u64, source.to_word()])
            }
            Self::Unmap { id, iova, pages } => raw(9, pages, [id.to_word(), iova]),
            Self::Fault { device, reason, direction, pasid, address, id } => {
                let pasid = pasid.map_or(NO_PASID, u64::from);
                let why = u64::from(reason) | (direction as u64) << 8 | pasid << 32;
                raw(10, device, [id.map_or(NO_ID, Handle::to_word), address, why])
            }
            Self::FaultsLost => raw(11, 0, []),
            Self::Refused { operation, code, times, total } => {
                raw(12, operation, [code.into(), times.into(), total])
            }
            Self::Registered { allocator } => raw(13, 0, [allocator.into()]),
            Self::Unregistered { allocator, orphans } => raw(14, 0, [allocator.into(), orphans.into()]),
            Self::Asked { ticket, alloc } => raw(15, alloc.into(), [ticket]),
            Self::Answered { ticket, choice } => match choice {
                Choice::Given(id) => raw(16, 0, [ticket, id.into()]),
                Choice::Nothing => raw(16, 1, [ticket]),
                Choice::Failed => raw(16, 2, [ticket]),
            },
            Self::ProviderGone { orphans } => raw(17, 0, [orphans.into()]),
        }
    }

    /// The event that a record spells, if this version knows it.
    pub(crate) fn decode(kind: u8, small: u16, words: [u64; 3]) -> Option<Self> {
        let [first, second, third] = words;
        let id = Handle::from_word(first);
        Some(match kind {
            1 => Self::Started { epoch: small, unit: first != 0 },
            2 => Self::Share {
                why: match small {
                    0 => ShareWhy::Stated,
                    1 => ShareWhy::Opened,
                    2 => ShareWhy::Adjusted,
                    3 => ShareWhy::Ending,
                    4 => ShareWhy::Gone,
                    _ => return None,
                },
                reservation: low(first),
                limit: high(first),
                used: low(second),
                peak: high(second),
                faults: low(third),
                refused: high(third),
            },
            3 => Self::Alloc { id: id? },
            4 => Self::Free { id: id? },
            5 => Self::Quarantine { id: id? },
            6 => Self::Bind { id: id?, device: small, tagged: second != 0 },
            7 => Self::Unbind { id: id?, device: small, tagged: second != 0 },
            8 => Self::Map {
                id: id?,
                iova: second & !0xfff,
                pages: small,
                access: Access::from_bits(second & 0xfff)?,
                source: RegionOffset::from_word(third)?,
            },
            9 => Self::Unmap { id: id?, iova: second, pages: small },
            10 => Self::Fault {
                device: small,
                reason: u8::try_from(third & 0xff).ok()?,
                direction: if third >> 8 & 1 == 0 { Direction::Read } else { Direction::Write },
                pasid: Some(high(third)).filter(|&pasid| u64::from(pasid) != NO_PASID),
                address: second,
                id: if first == NO_ID { None } else { Some(id?) },
            },
            11 => Self::FaultsLost,
            12 => Self::Refused {
                operation: small,
                code: u16::try_from(first).ok()?,
                times: low(second),
                total: third,
            },
            13 => Self::Registered { allocator: low(first) },
            14 => Self::Unregistered { allocator: low(first), orphans: low(second) },
            15 => Self::Asked { ticket: first, alloc: small != 0 },
            16 => Self::Answered {
                ticket: first,
                choice: match small {
                    0 => Choice::Given(low(second)),
                    1 => Choice::Nothing,
                    2 => Choice::Failed,
                    _ => return None,
                },
            },
            17 => Self::ProviderGone { orphans: low(first) },
            _ => return None,
        })
    }
}

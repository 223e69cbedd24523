// SPDX-License-Identifier: BSD-2-Clause
//! Sets: one client's share of the ids, and the account of what it uses.

use crate::allocator::AllocatorId;
use crate::capacity::SETS;
use crate::slot::Life;
use crate::{Pasid, PasidRange};

/// Which set: an index below [`SETS`] and which life of that index. 1,023 lives are told apart: whoever keeps this
/// forgets it when the set is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SetId(u16);

const INDEX_BITS: u32 = 6;

impl SetId {
    /// That of no set.
    pub const NONE: Self = Self(0);

    pub(crate) const fn from_raw(raw: u16) -> Self {
        Self(raw)
    }

    /// As a number.
    #[must_use]
    pub const fn raw(self) -> u16 {
        self.0
    }

    /// Its place among the sets, below [`SETS`]. Another set may have it after this one is gone.
    #[inline]
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize % SETS
    }

    /// The set that takes the place of `self` at an index.
    pub(crate) fn successor(self, index: u16) -> Self {
        let life = match (self.0 >> INDEX_BITS).wrapping_add(1) << INDEX_BITS {
            0 => 1 << INDEX_BITS,
            life => life,
        };
        Self(life | index)
    }
}

/// A set's share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SetConfig {
    /// How many ids are guaranteed to it.
    pub reservation: u32,
    /// How many it may have at most, where there are more. At least the reservation.
    pub limit: u32,
}

/// A set's share and what it uses of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SetStats {
    /// How many ids are guaranteed to it.
    pub reservation: u32,
    /// How many it may have at most.
    pub limit: u32,
    /// How many are charged to it: those that are live, those whose teardown is not confirmed yet, and one that a
    /// provider was asked for.
    pub used: u32,
    /// The most that ever were charged to it.
    pub peak: u32,
}

/// The registry's record of a set. Its size is a power of two, so that its place is found by a shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(align(128))]
pub(crate) struct Set {
    /// Whose record it is, or was: a vacant one keeps the last, so that the next is told apart.
    pub(crate) id: SetId,
    pub(crate) phase: Phase,
    pub(crate) quick: Quick,
    pub(crate) share: SetConfig,
    pub(crate) used: u32,
    /// The most that was used since the stock last ran short. So many are the set's to use, and to use less of them and
    /// again as many needs no look at what others have.
    pub(crate) granted: u32,
    /// The most that was ever used.
    pub(crate) peak: u32,
    /// Where draining goes on; no PASID where it has come to the end.
    pub(crate) cursor: u32,
    /// The allocation that waits for a provider. It is charged already.
    pub(crate) request: Option<Request>,
    /// The number of the last request.
    pub(crate) sequence: u16,
    /// The ids that wait for acknowledgements: of those who submit, and of those who drive devices.
    pub(crate) stopping: [Queue; 2],
}

/// What the short way through alloc and free compares with. Where somebody else has a say, because a custom allocator is
/// active or somebody listens to the set, nothing compares well, and the long way is taken. Each set has its own, so that
/// none pays for others' subscribers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Quick {
    /// The highest id that can be handed out.
    pub(crate) max: Pasid,
    /// What the life of an id is while it is live.
    pub(crate) live: Life,
}

impl Quick {
    pub(crate) const NEVER: Self = Self { max: Pasid::RESERVED, live: Life::NONE };
}

/// An allocation that waits for a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    pub(crate) allocator: AllocatorId,
    pub(crate) range: PasidRange,
    pub(crate) data: u64,
    pub(crate) deadline: u32,
    /// The allocator is gone.
    pub(crate) failed: bool,
}

/// A queue of ids, each of which knows the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Queue {
    pub(crate) ends: Option<(Pasid, Pasid)>,
}

/// What is becoming of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    Vacant,
    Open,
    /// Freed; its ids are on their way out, and its limit is 0.
    Draining,
}

impl Set {
    pub(crate) const VACANT: Self = Self {
        id: SetId::NONE,
        phase: Phase::Vacant,
        quick: Quick::NEVER,
        share: SetConfig { reservation: 0, limit: 0 },
        used: 0,
        granted: 0,
        peak: 0,
        cursor: 0,
        request: None,
        sequence: 0,
        stopping: [Queue { ends: None }; 2],
    };

    /// What the set takes out of the common stock: what it was granted, and at least what it is guaranteed.
    pub(crate) fn committed(&self) -> u32 {
        self.granted.max(self.share.reservation)
    }

    /// What it cannot do without: what it uses, and at least what it is guaranteed.
    pub(crate) fn due(&self) -> u32 {
        self.used.max(self.share.reservation)
    }

    pub(crate) fn stats(&self) -> SetStats {
        SetStats {
            reservation: self.share.reservation,
            limit: self.share.limit,
            used: self.used,
            peak: self.peak,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_never_names_no_set_however_often_it_is_taken() {
        let mut id = SetId::NONE;
        for _ in 0..3000 {
            let next = id.successor(0);
            assert!(next != id && next != SetId::NONE && next.index() == 0);
            id = next;
        }
        assert_eq!(SetId::from_raw(0xffc3).successor(3), SetId::from_raw(0x0043));
    }
}

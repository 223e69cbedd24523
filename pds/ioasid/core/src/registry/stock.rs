// SPDX-License-Identifier: BSD-2-Clause
//! The common stock of ids, and what sets were granted out of it.
//!
//! A set that gives ids up keeps what it was granted, and uses it again without a look at the stock. Where the stock does
//! not suffice, what sets were granted and do not use is gathered first: what others may have is as if each id went back
//! at once. Where all limits together leave room, the stock always suffices, and nobody's gathering is seen in
//! others' time.

use super::Registry;
use crate::allocator::Provider;
use crate::event::Events;
use crate::set::Set;
use crate::{Error, SetConfig, SetId};

impl<P: Provider, E: Events> Registry<'_, P, E> {
    /// How many ids no set uses or is guaranteed.
    pub(super) fn spare(&self) -> u32 {
        self.totals.spare + self.sets.iter().map(|set| set.committed() - set.due()).sum::<u32>()
    }

    /// How many more ids a set may have: none where it is not open.
    pub(super) fn room(&self, set: SetId) -> u32 {
        let Set { share, used, .. } = self.sets[set.index()];
        share.limit.saturating_sub(used).min(share.reservation.saturating_sub(used) + self.spare())
    }

    /// Whether a set may have one more id.
    #[cold]
    #[inline(never)]
    pub(super) fn may_have_more(&self, set: SetId) -> Result<(), Error> {
        let record = self.open_set(set)?;
        if record.used >= record.share.limit {
            return Err(Error::QuotaExceeded);
        }
        if record.used >= record.share.reservation && self.totals.spare == 0 && self.spare() == 0 {
            return Err(Error::NoSpace);
        }
        Ok(())
    }

    /// Charges a set for ids that it may have.
    #[inline]
    pub(super) fn charge(&mut self, set: SetId, count: u32) {
        let record = &mut self.sets[set.index()];
        record.used += count;
        if record.used > record.granted {
            self.grant(set);
        }
    }

    /// Grants a set what it uses.
    #[cold]
    #[inline(never)]
    fn grant(&mut self, set: SetId) {
        let Set { share, used, granted, .. } = self.sets[set.index()];
        let more = used.max(share.reservation) - granted.max(share.reservation);
        if more > self.totals.spare {
            self.gather();
        }
        self.totals.spare -= more;
        let record = &mut self.sets[set.index()];
        record.granted = used;
        record.peak = record.peak.max(used);
    }

    /// Gives back the charge for an id.
    #[inline(always)]
    pub(super) fn discharge(&mut self, set: SetId) {
        self.sets[set.index()].used -= 1;
    }

    /// Takes what sets were granted and do not use back into the stock.
    fn gather(&mut self) {
        for set in &mut self.sets {
            let before = set.committed();
            set.granted = set.granted.min(set.used);
            self.totals.spare += before - set.committed();
        }
    }

    /// Gives a set another share, if there is enough of everything.
    pub(super) fn commit(&mut self, index: usize, share: SetConfig) -> Result<(), Error> {
        if share.limit < share.reservation {
            return Err(Error::InvalidRange);
        }
        let set = &self.sets[index];
        let due = set.used.max(share.reservation);
        if due > self.spare() + set.due() {
            return Err(Error::NoSpace);
        }
        if due > self.totals.spare + set.committed() {
            self.gather();
        }
        let set = &mut self.sets[index];
        self.totals.spare = self.totals.spare + set.committed() - due;
        (set.granted, set.share) = (set.used, share);
        Ok(())
    }
}

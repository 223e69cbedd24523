// SPDX-License-Identifier: BSD-2-Clause
//! Which domain of the unit is the space of which id.
//!
//! Each client has a stretch of the table to itself, twice as long as it may have spaces, so that looking one up takes as
//! long as the client's own ids make it, whatever others have. In a stretch an id stands at the place that its number
//! gives, or in the next free one behind it.

use core::ops::Range;

use ioasid_config::{MAX_CLIENTS, MAX_SPACES};
use ioasid_core::Pasid;
use vtd::DomainId;

use crate::clients::ClientId;

/// A domain, which has a small number.
pub trait Numbered: Copy {
    /// It, from 1 on.
    fn number(self) -> u16;
}

impl Numbered for DomainId {
    fn number(self) -> u16 {
        self.get()
    }
}

/// The unit's domains: those of the spaces, and of devices that firmware has memory reserved for. The unit's records of
/// these, with one of number 0, fill the frames that those of the spaces alone would begin.
#[expect(clippy::cast_possible_truncation, reason = "there are 1279")]
pub const MAX_DOMAINS: u16 = (MAX_SPACES + 255) as u16;

/// Where a domain's number may stand; 0 where none does.
type Place = u16;

/// Every address space.
#[derive(Debug)]
pub struct Spaces<D = DomainId> {
    places: [Place; 2 * MAX_SPACES],
    /// Where each client's stretch begins, and behind the last where it ends.
    starts: [u16; MAX_CLIENTS + 1],
    /// The id of each domain, by the domain's number.
    ids: [Option<(u32, D)>; MAX_DOMAINS as usize + 1],
}

impl<D: Copy> Default for Spaces<D> {
    fn default() -> Self {
        Self::new()
    }
}

impl<D: Copy> Spaces<D> {
    /// A table in which nobody may have a space. It is too large to be moved about on the stack: a server is lent one
    /// ([`Parts`](crate::Parts)).
    #[must_use]
    pub const fn new() -> Self {
        Self {
            places: [0; 2 * MAX_SPACES],
            starts: [0; MAX_CLIENTS + 1],
            ids: [None; MAX_DOMAINS as usize + 1],
        }
    }
}

impl<D: Numbered> Spaces<D> {
    /// Forgets all spaces. Clients may have so many each from now on; where that is more than there is room for, the last
    /// ones have less.
    pub(crate) fn share_out(&mut self, shares: impl Iterator<Item = u32>) {
        const _: () = assert!(2 * MAX_SPACES <= u16::MAX as usize);
        let last = u16::try_from(2 * MAX_SPACES).unwrap_or(u16::MAX);
        let mut end: u16 = 0;
        let mut shares = shares.map(|share| u16::try_from(2 * u64::from(share)).unwrap_or(last));
        for start in &mut self.starts {
            *start = end;
            end = end.saturating_add(shares.next().unwrap_or(0)).min(last);
        }
        self.places.fill(0);
        self.ids.fill(None);
    }

    fn stretch(&self, client: ClientId) -> Range<usize> {
        let index = client.index();
        let ends = self.starts.get(index).zip(self.starts.get(index + 1));
        ends.map_or(0..0, |(&start, &end)| usize::from(start)..usize::from(end))
    }

    /// The id and the domain whose number stands at a place.
    fn at(&self, place: Place) -> Option<(u32, D)> {
        *self.ids.get(usize::from(place))?
    }

    /// Where an id is, or would be put, in the table; `None` where it is not there and there is no room.
    fn place(&self, stretch: Range<usize>, pasid: u32) -> Option<usize> {
        let home = stretch.start + home(stretch.len(), pasid)?;
        let mut places = (home..stretch.end).chain(stretch.start..home);
        places.find(|&place| {
            let there = self.places.get(place).and_then(|&place| self.at(place));
            there.is_none_or(|(other, _)| other == pasid)
        })
    }

    /// The domain of a client's id.
    pub(crate) fn domain(&self, client: ClientId, pasid: Pasid) -> Option<D> {
        let place = self.place(self.stretch(client), pasid.get())?;
        self.at(*self.places.get(place)?).map(|(_, domain)| domain)
    }

    /// The id whose space a domain is.
    pub(crate) fn id_of(&self, domain: D) -> Option<Pasid> {
        self.at(domain.number()).and_then(|(id, _)| Pasid::new(id))
    }

    /// Remembers a space; false where there is no room.
    pub(crate) fn insert(&mut self, client: ClientId, pasid: Pasid, domain: D) -> bool {
        let place = self.place(self.stretch(client), pasid.get());
        let place = place.and_then(|place| self.places.get_mut(place));
        let Some((place, id)) = place.zip(self.ids.get_mut(usize::from(domain.number()))) else {
            return false;
        };
        (*place, *id) = (domain.number(), Some((pasid.get(), domain)));
        true
    }

    /// Forgets one. Those behind it that would stand nearer to home move up.
    pub(crate) fn remove(&mut self, client: ClientId, pasid: Pasid) {
        let range = self.stretch(client);
        let Some(place) = self.place(range.clone(), pasid.get()) else { return };
        let (mut hole, len) = (place - range.start, range.len());
        let number = core::mem::take(&mut self.places[place]);
        if let Some(id) = self.ids.get_mut(usize::from(number)) {
            *id = None;
        }
        let mut at = hole;
        // Bounded: a stretch is never full.
        for _ in 1..len {
            at = (at + 1) % len;
            let Some((other, _)) = self.at(self.places[range.start + at]) else { break };
            let home = home(len, other).unwrap_or(at);
            if (at + len - home) % len >= (at + len - hole) % len {
                self.places.swap(range.start + at, range.start + hole);
                hole = at;
            }
        }
    }
}

/// The place that a number gives in a stretch, if there is any. Numbers in a row are scattered (Knuth's multiplier): side
/// by side they would make one long run, and to take one out of it all behind it are looked at.
fn home(len: usize, pasid: u32) -> Option<usize> {
    usize::try_from(pasid.wrapping_mul(0x9e37_79b1) >> 8).ok()?.checked_rem(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    impl Numbered for u16 {
        fn number(self) -> u16 {
            self
        }
    }

    #[test]
    fn it_is_a_map_for_each_client_whatever_is_put_in_and_taken_out() {
        let mut spaces = Spaces::<u16>::new();
        spaces.share_out([9, 9, 9].into_iter());
        assert!(spaces.insert(ClientId::nth(1).unwrap(), Pasid::MAX, 1));
        // What an earlier life of the server left is gone.
        spaces.share_out([5, 0, 9].into_iter());
        let clients = [0, 2].map(|place| ClientId::nth(place).unwrap());
        let mut model = BTreeMap::new();
        let mut random = 1_u32;
        for step in 0..20_000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let which = usize::from(random >> 31 == 1);
            let (client, most) = (clients[which], [5, 9][which]);
            let pasid = Pasid::new(1 + (random >> 16) % 40).unwrap();
            let held = model.keys().filter(|(owner, _)| *owner == which).count();
            if model.remove(&(which, pasid)).is_some() {
                spaces.remove(client, pasid);
            } else if held < most {
                let used = |number| model.values().any(|domain| *domain == number);
                let domain = (1..).find(|&number| !used(number)).unwrap();
                assert!(spaces.insert(client, pasid, domain));
                model.insert((which, pasid), domain);
                assert_eq!(spaces.id_of(domain), Some(pasid));
            }
            for (which, &client) in clients.iter().enumerate() {
                for pasid in (1..=40).filter_map(Pasid::new) {
                    let expected = model.get(&(which, pasid)).copied();
                    assert_eq!(spaces.domain(client, pasid), expected, "step {step}");
                }
            }
        }
        assert!(!spaces.insert(ClientId::nth(1).unwrap(), Pasid::MAX, 1), "it has no share");
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! Sets: their shares and their end (s67–s76).

use super::{Model, Phase, Set, SetName};
use ioasid_core::event::EventKind;
use ioasid_core::{Error, Freed, Handle, Progress, SetStats, State, capacity};

impl Model {
    /// Whether a set may be charged one more.
    pub(super) fn may_have_one_more(&self, name: SetName) -> Result<(), Error> {
        let set = self.open(name)?;
        let used = self.used(name);
        if used >= set.limit {
            Err(Error::QuotaExceeded)
        } else if used >= set.reservation && self.spare() == 0 {
            Err(Error::NoSpace)
        } else {
            Ok(())
        }
    }

    fn open(&self, name: SetName) -> Result<&Set, Error> {
        Some(&self.sets[name]).filter(|set| set.phase == Phase::Open).ok_or(Error::NoSuchSet)
    }

    /// The set that has a place.
    pub(crate) fn at(&self, index: usize) -> Option<SetName> {
        self.sets.iter().position(|set| set.phase != Phase::Gone && set.index == index)
    }

    pub(crate) fn create_set(&mut self, reservation: u32, limit: u32) -> Result<SetName, Error> {
        let index = (0..capacity::SETS).find(|&index| self.at(index).is_none()).ok_or(Error::RegistryFull)?;
        if limit < reservation {
            return Err(Error::InvalidRange);
        }
        if reservation > self.spare() {
            return Err(Error::NoSpace);
        }
        self.sets.push(Set {
            index,
            phase: Phase::Open,
            reservation,
            limit,
            peak: 0,
            cursor: 0,
            request: None,
            waiting: Default::default(),
            spids: Default::default(),
        });
        Ok(self.sets.len() - 1)
    }

    pub(crate) fn adjust_set(&mut self, name: SetName, reservation: u32, limit: u32) -> Result<(), Error> {
        let (used, before) = (self.used(name), self.open(name)?.reservation);
        if limit < used {
            return Err(Error::InUse);
        }
        if limit < reservation {
            return Err(Error::InvalidRange);
        }
        if reservation.max(used) > self.spare() + before.max(used) {
            return Err(Error::NoSpace);
        }
        (self.sets[name].reservation, self.sets[name].limit) = (reservation, limit);
        Ok(())
    }

    pub(crate) fn stats(&self, name: SetName) -> Result<SetStats, Error> {
        let set = &self.sets[name];
        if set.phase == Phase::Gone {
            return Err(Error::NoSuchSet);
        }
        let (reservation, limit, peak) = (set.reservation, set.limit, set.peak);
        Ok(SetStats { reservation, limit, used: self.used(name), peak })
    }

    pub(crate) fn free_set(&mut self, name: SetName) -> Result<(), Error> {
        self.open(name)?;
        let set = &mut self.sets[name];
        set.phase = Phase::Ending;
        (set.reservation, set.limit, set.request) = (0, 0, None);
        Ok(())
    }

    /// A slice of a set's end.
    pub(crate) fn drain_set(
        &mut self,
        name: SetName,
        slice: usize,
    ) -> Result<(Vec<Handle>, Progress), Error> {
        if self.sets[name].phase != Phase::Ending {
            return Err(Error::NoSuchSet);
        }
        let mut out = Vec::new();
        let mut more = false;
        let owned: Vec<u32> = self.owned(name).filter(|&number| number >= self.sets[name].cursor).collect();
        for number in owned {
            if out.len() == slice {
                more = true;
                break;
            }
            self.sets[name].cursor = number + 1;
            let handle = self.handle(number, 0);
            let state = self.ids[&number].state;
            match state {
                State::Allocated | State::Pending if self.give_up(handle) == Freed::Teardown => {
                    out.push(handle);
                }
                State::Quarantined => self.lose(Some(name), number),
                _ => {}
            }
        }
        if !more {
            self.sets[name].cursor = u32::MAX;
        }
        if self.used(name) > 0 {
            return Ok((out, if more { Progress::More } else { Progress::Waiting }));
        }
        self.sets[name].phase = Phase::Gone;
        self.tell(EventKind::SetGone, name, None, |_| true);
        for one in &mut self.subscribers {
            one.take_if(|one| one.set == Some(name));
        }
        Ok((out, Progress::Gone))
    }

    /// The numbers that are charged to a set.
    pub(crate) fn owned(&self, name: SetName) -> impl Iterator<Item = u32> {
        self.ids.iter().filter(move |(_, id)| id.owner == Some(name)).map(|(&number, _)| number)
    }

    /// An id in quarantine whose set is ending is nobody's.
    pub(super) fn lose(&mut self, owner: Option<SetName>, number: u32) {
        if let (Some(owner), Some(id)) = (owner, self.ids.get_mut(&number))
            && self.sets[owner].phase == Phase::Ending
        {
            id.owner = None;
        }
    }
}

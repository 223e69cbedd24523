// SPDX-License-Identifier: BSD-2-Clause
//! Everything that can be seen of both, compared.

use super::{Lockstep, Mismatch, same};
use crate::model::{Asked, Told};
use ioasid_core::{Error, Inspection, Pasid, SetId, State, Totals};

impl Lockstep<'_> {
    /// Compares the whole state.
    pub(super) fn observe(&mut self) -> Result<(), Mismatch> {
        self.compare_accounts()?;
        self.compare_ids()?;
        self.compare_sets()?;
        self.compare_allocators()
    }

    /// Lets the registry check itself.
    pub(super) fn check(&self) -> Result<(), Mismatch> {
        same("the registry's own check", &self.registry.check(), &Ok(()))
    }

    /// Compares each set's share and use, and the totals.
    pub(super) fn compare_accounts(&self) -> Result<(), Mismatch> {
        for (name, &set) in self.names.sets.iter().enumerate() {
            same("a set", &self.registry.stats(set), &self.model.stats(name))?;
        }
        same("the totals", &self.registry.totals(), &self.expected_totals())
    }

    /// Drops what came out of the last operation.
    pub(super) fn forget(&mut self) {
        self.registry.events().0.clear();
        self.names.log.borrow_mut().asked.clear();
        self.model.told.clear();
        self.model.asked.clear();
    }

    /// Compares what came out of the last operation.
    pub(super) fn compare_outputs(&mut self) -> Result<(), Mismatch> {
        let sets = &self.names.sets;
        let named = |set: SetId| sets.iter().position(|&other| other == set).unwrap_or(usize::MAX);
        let heard = self.registry.events().0.drain(..);
        let told: Vec<Told> = heard
            .map(|(to, event)| Told { to, kind: event.kind, set: named(event.set), handle: event.handle })
            .collect();
        let asked: Vec<Asked> = std::mem::take(&mut self.names.log.borrow_mut().asked);
        same("the events", &told, &std::mem::take(&mut self.model.told))?;
        same("the calls of providers", &asked, &std::mem::take(&mut self.model.asked))
    }

    fn compare_ids(&mut self) -> Result<(), Mismatch> {
        // Also 0, which is nobody's, and one that there is not.
        for number in 0..=self.model.world.max + 1 {
            let should = self.model.ids.get(&number).map(|id| Inspection {
                handle: self.model.handle(number, 0),
                state: self.model.state(id),
                owner: id.owner.map(|name| self.names.sets[name]),
                references: u16::try_from(id.references).unwrap_or(u16::MAX),
                data: match id.state {
                    State::Allocated | State::Pending => id.data,
                    _ => 0,
                },
            });
            let Some(pasid) = Pasid::new(number) else { continue };
            same("an id", &self.registry.inspect(pasid), &should)?;
        }
        let orphan =
            self.model.orphans().next().and_then(Pasid::new).and_then(|id| self.registry.inspect(id));
        same("the first orphan", &self.registry.next_orphan(Pasid::RESERVED), &orphan.map(Ok))
    }

    fn compare_sets(&mut self) -> Result<(), Mismatch> {
        for name in 0..self.names.sets.len() {
            let set = self.names.sets[name];
            let mut owned = self.model.owned(name);
            let mut from = Some(Pasid::RESERVED);
            loop {
                let found = from.and_then(|from| self.registry.next_id(set, from));
                let number = found.map(|found| found.handle.pasid.get());
                same("a set's next id", &number, &owned.next())?;
                match found {
                    Some(found) => from = found.handle.pasid.next(),
                    None => break,
                }
            }
            drop(owned);
            // Each of a few numbers by itself, whoever's it is.
            for number in 0..self.model.world.max.min(6) {
                let handle = self.model.handle(number, 0);
                let should = match self.model.find(name, handle) {
                    Ok(data) => Ok((handle, data)),
                    Err(Error::Stale) => continue,
                    Err(error) => Err(error),
                };
                same("a look-up", &self.registry.lookup(set, handle.pasid), &should)?;
            }
        }
        let there = (0..ioasid_core::capacity::SETS).filter_map(|index| self.model.at(index));
        let there: Vec<SetId> = there.map(|name| self.names.sets[name]).collect();
        same("the sets", &self.registry.sets().collect(), &there)
    }

    fn compare_allocators(&self) -> Result<(), Mismatch> {
        let real = self.registry.allocators().map(|one| {
            let helpers = one.allocator.helpers;
            (one.allocator.id.0, helpers.alloc, helpers.free, one.allocator.pdata, one.active, one.faults)
        });
        let active = self.model.active();
        let should = self.model.allocators.iter();
        let should =
            should.map(|one| (one.name, one.alloc, one.free, one.pdata, one.group == active, one.faults));
        same("the allocators", &real.collect::<Vec<_>>(), &should.collect())
    }

    fn expected_totals(&self) -> Totals {
        let model = &self.model;
        let count = |state: State| model.ids.values().filter(|id| model.state(id) == state).count();
        let count = |state| u32::try_from(count(state)).unwrap_or(u32::MAX);
        Totals {
            capacity: model.world.max,
            spare: model.spare(),
            quarantined: count(State::Quarantined),
            lost: model.lost(),
            orphaned: count(State::Orphaned),
            provider_faults: model.provider_faults,
            leaked: model.leaked,
            warnings: model.warnings,
        }
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! All sequences of operations in a small world: two sets and those that come after them, three ids, three allocators
//! of which two share their helpers and all the same to free, one provider that is busy at times, two subscribers that
//! acknowledge (or more of each: one drives devices for the first set, one submits for all).
//!
//! Breadth first. A state is what the model knows, except for counters and for what time it is, and a fingerprint of
//! all that the registry keeps: where two sequences lead to the same state, what can follow is the same, and is tried
//! once. A state is reached again by doing its sequence again on a fresh registry, so nothing is trusted to be put back.

use crate::op::{Choice, Id, Op, Scenario, World};
use crate::shrink::Failure;
use crate::{Lockstep, Stage};
use ioasid_core::event::Role;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Ids 1, 2 and 3.
pub const WORLD: World = World { max: 3, start: 0 };

/// Before the search: both sets are there, one with a guarantee; who else is to be there is part of the search.
const BEFORE: [Op; 2] =
    [Op::CreateSet { reservation: 1, limit: 2 }, Op::CreateSet { reservation: 0, limit: 3 }];

/// What was searched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Searched {
    /// States that were reached, the first among them.
    pub states: u64,
    /// Operations that were tried in them: each was compared.
    pub transitions: u64,
}

/// Every operation that is tried in every state.
#[must_use]
pub fn alphabet() -> Vec<Op> {
    let sets = 0..2;
    let ids = || (1..=3).map(|number| Id { number, age: 0 });
    let mut ops = Vec::new();
    for set in sets {
        for choice in [Choice::Lowest, Choice::Later, Choice::Number(1)] {
            ops.push(Op::Alloc { set, min: 1, max: 3, data: 7, choice });
        }
        ops.extend(ids().map(|id| Op::Free { set, id }));
        ops.extend([
            Op::Get { set, id: Id { number: 1, age: 0 } },
            Op::Put { set, id: Id { number: 1, age: 0 } },
        ]);
        ops.extend([Op::FreeSet { set }, Op::DrainSet { set, slice: 2 }]);
        ops.push(Op::AdjustSet { set, reservation: 2, limit: 2 });
    }
    ops.push(Op::CreateSet { reservation: 0, limit: 1 });
    ops.push(Op::AllocMany { set: 0, window: (1, 3), min: 1, max: 3, data: 7, most: 2 });
    ops.push(Op::Free { set: 0, id: Id { number: 1, age: 1 } });
    ops.push(Op::FreeUnbound { set: 0, id: Id { number: 1, age: 0 } });
    ops.push(Op::AttachSpid { set: 0, spid: 0, id: Id { number: 1, age: 0 } });
    ops.extend(ids().map(|id| Op::Reclaim { id }));
    for id in ids().take(2) {
        ops.extend([Op::Quarantine { id }, Op::Revoke { id }]);
    }
    for (name, alloc) in [(0, 0), (1, 0), (2, 1)] {
        ops.extend([Op::Register { name, alloc, free: 0 }, Op::Unregister { name }]);
    }
    ops.extend([0, 1].map(|provider| Op::ProviderGone { provider }));
    ops.extend([true, false].map(|busy| Op::Busy { provider: 0, busy }));
    for choice in [Choice::Lowest, Choice::Number(1)] {
        ops.push(Op::Complete { provider: 0, ticket: 0, choice });
    }
    ops.push(Op::Subscribe { set: Some(0), role: Role::Device, acknowledges: true });
    ops.push(Op::Subscribe { set: None, role: Role::Cpu, acknowledges: true });
    ops.push(Op::Unsubscribe { subscriber: 0 });
    ops.extend([0, 1].map(|subscriber| Op::Acknowledge { subscriber, id: Id { number: 1, age: 0 } }));
    ops.extend([0, World::ACK_BOUND].map(|ticks| Op::Poll { ticks }));
    ops.push(Op::PollSet { set: 0, ticks: World::PROVIDER_BOUND });
    ops
}

/// A state, by a hash of each side.
fn state(lockstep: &Lockstep<'_>, fingerprint: u64) -> (u64, u64) {
    let mut hasher = DefaultHasher::new();
    lockstep.model().essence().hash(&mut hasher);
    (hasher.finish(), fingerprint)
}

/// Tries every sequence of up to `depth` operations; `progress` is told after each depth.
///
/// # Errors
/// The first sequence, and so one of the shortest, after which the two differ.
pub fn run(depth: usize, mut progress: impl FnMut(usize, Searched)) -> Result<Searched, Box<Failure>> {
    let ops = alphabet();
    let mut stage = Stage::new();
    let mut seen = HashSet::new();
    let mut searched = Searched::default();
    let mut first = Lockstep::new(&mut stage, WORLD);
    BEFORE.into_iter().try_for_each(|op| first.replay(op)).expect("two sets can be made");
    // The sequences, by places in the alphabet, that lead to the states that were new, and the registry's fingerprint there.
    let mut front: Vec<(Vec<u8>, u64)> = vec![(Vec::new(), first.fingerprint())];
    for reached in 1..=depth {
        let mut next = Vec::new();
        for &(ref way, print) in &front {
            for (place, &op) in (0..).zip(&ops) {
                let before = BEFORE.into_iter().chain(way.iter().map(|&place| ops[usize::from(place)]));
                let tried = catch_unwind(AssertUnwindSafe(|| {
                    let mut lockstep = Lockstep::new(&mut stage, WORLD);
                    before.clone().try_for_each(|op| lockstep.replay(op)).ok()?;
                    let print = lockstep.step(print, op).ok()?;
                    Some((state(&lockstep, print), print))
                }));
                let Ok(Some((state, print))) = tried else {
                    // Once more, to see what is wrong.
                    let scenario = Scenario { world: WORLD, ops: before.chain([op]).collect() };
                    return Err(Box::new(Failure::of(&mut stage, &scenario).expect_err("it fails again")));
                };
                searched.transitions += 1;
                if seen.insert(state) {
                    next.push((way.iter().copied().chain([place]).collect(), print));
                }
            }
        }
        searched.states = u64::try_from(seen.len()).unwrap_or(u64::MAX);
        progress(reached, searched);
        front = next;
    }
    Ok(searched)
}

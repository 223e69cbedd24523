// SPDX-License-Identifier: BSD-2-Clause
//! The registry and the model, step by step.

mod cast;
mod observe;
mod reply;

pub use cast::Stage;

use crate::model::{Model, Said};
use crate::op::{Choice, Id, Op, Scenario, World};
use cast::{Names, Real};
use ioasid_core::Handle;
use std::fmt;

/// Where the two differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What differs.
    what: &'static str,
    /// What the registry has.
    registry: String,
    /// What the model has.
    model: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, registry, model } = self;
        write!(f, "{what}:\n  the registry has {registry}\n  the model has    {model}")
    }
}

impl std::error::Error for Mismatch {}

/// One thing of both, which has to be the same.
fn same<T: PartialEq + fmt::Debug>(what: &'static str, registry: &T, model: &T) -> Result<(), Mismatch> {
    if registry == model {
        return Ok(());
    }
    Err(Mismatch { what, registry: format!("{registry:?}"), model: format!("{model:?}") })
}

/// A registry and its model in the same state.
#[derive(Debug)]
pub struct Lockstep<'s> {
    registry: Real<'s>,
    model: Model,
    names: Names,
}

impl<'s> Lockstep<'s> {
    /// A fresh registry on a stage, and its model.
    ///
    /// # Panics
    /// Where the registry does not accept its memory.
    pub fn new(stage: &'s mut Stage, world: World) -> Self {
        let (registry, names) = stage.open(world);
        Self { registry, model: Model::new(world), names }
    }

    /// Does a scenario on a stage, and compares replies, events and accounts on the way, and everything at the end. Where
    /// `checks` is not set, the registry does not check itself: that takes longer than all of the rest.
    ///
    /// # Errors
    /// The first difference.
    pub fn run_quickly(stage: &'s mut Stage, scenario: &Scenario, checks: bool) -> Result<(), Mismatch> {
        let mut lockstep = Self::new(stage, scenario.world);
        for &op in &scenario.ops {
            let (real, should) = lockstep.reply(op)?;
            same("the reply", &real, &should)?;
            lockstep.model.settle();
            lockstep.compare_outputs()?;
            lockstep.compare_accounts()?;
        }
        lockstep.observe()?;
        if checks { lockstep.check() } else { Ok(()) }
    }

    /// Does one operation to both and compares everything. `before` is the registry's fingerprint; returns what it is then.
    ///
    /// # Errors
    /// The first difference.
    pub fn step(&mut self, before: u64, op: Op) -> Result<u64, Mismatch> {
        let (real, should) = self.reply(op)?;
        same("the reply", &real, &should)?;
        self.model.settle();
        self.compare_outputs()?;
        self.observe()?;
        self.check()?;
        let after = self.registry.fingerprint();
        if should.is_refusal() {
            same("the state after a refusal", &after, &before)?;
        }
        Ok(after)
    }

    /// Does one operation to both and compares the reply alone: for a way that was compared before.
    ///
    /// # Errors
    /// Where the replies differ.
    pub fn replay(&mut self, op: Op) -> Result<(), Mismatch> {
        let (real, should) = self.reply(op)?;
        self.model.settle();
        self.forget();
        same("the reply", &real, &should)
    }

    /// The model as it is now.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// A hash of the registry's own state.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.registry.fingerprint()
    }

    fn handle(&self, id: Id) -> Handle {
        self.model.handle(id.number, id.age)
    }

    /// What a provider says that chooses so, asked for a number in a range.
    fn said(&self, choice: Choice, min: u32, max: u32) -> Said {
        match choice {
            Choice::Lowest => self.model.lowest(min, max).map_or(Said::Nothing, Said::Given),
            Choice::Number(number) => Said::Given(number),
            Choice::Nothing => Said::Nothing,
            Choice::Failed => Said::Failed,
            Choice::Later => Said::Later,
        }
    }
}

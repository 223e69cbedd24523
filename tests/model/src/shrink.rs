// SPDX-License-Identifier: BSD-2-Clause
//! A failing scenario made short: what can be left out is left out.

use crate::op::Scenario;
use crate::{Lockstep, Stage};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A scenario in which the registry and the model differ, or one of them panics.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The scenario. It ends with the operation that fails.
    pub scenario: Scenario,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}\n{}", self.scenario, self.what)
    }
}

impl std::error::Error for Failure {}

impl Failure {
    /// Runs a scenario. One that fails is cut off behind the operation that fails.
    ///
    /// # Errors
    /// The failure.
    pub fn of(stage: &mut Stage, scenario: &Scenario) -> Result<(), Self> {
        let mut done = 0;
        let run = catch_unwind(AssertUnwindSafe(|| {
            let mut lockstep = Lockstep::new(stage, scenario.world);
            scenario.ops.iter().try_fold(lockstep.fingerprint(), |before, &op| {
                done += 1;
                lockstep.step(before, op)
            })
        }));
        let what = match run {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(mismatch)) => mismatch.to_string(),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                format!("panic: {}", text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("?"))
            }
        };
        Err(Self { scenario: Scenario { ops: scenario.ops[..done].to_vec(), ..*scenario }, what })
    }

    /// The same failure, or another, in as few operations as leaving out by halves, quarters, … finds.
    #[must_use]
    pub fn shrunk(mut self, stage: &mut Stage) -> Self {
        let mut piece = self.scenario.ops.len() / 2;
        while piece > 0 {
            let mut from = self.scenario.ops.len();
            while let Some(start) = from.checked_sub(piece) {
                let mut fewer = self.scenario.clone();
                fewer.ops.drain(start..from);
                if let Err(shorter) = Self::of(stage, &fewer) {
                    self = shorter;
                }
                from = start.min(self.scenario.ops.len());
            }
            piece /= 2;
        }
        self
    }
}

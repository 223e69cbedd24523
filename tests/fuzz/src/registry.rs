// SPDX-License-Identifier: BSD-2-Clause
//! The registry against its model.

use model::{Lockstep, Scenario, Stage};
use std::cell::RefCell;

/// Operations of one input, at the most.
const OPERATIONS: usize = 16;

thread_local! {
    /// Memory is made once: a registry does not mind what it holds.
    static STAGE: RefCell<Stage> = RefCell::new(Stage::new());
}

/// Runs the operations that bytes spell (the first chooses the world, then six for each) on the registry and on
/// its model.
///
/// # Panics
/// Where they differ.
pub fn registry(bytes: &[u8]) {
    let Some(scenario) = Scenario::from_bytes(bytes, OPERATIONS) else { return };
    // The registry's own check takes longer than all of the rest: one input in eight has it.
    let checks = bytes.iter().fold(0, |sum: u8, &byte| sum.wrapping_add(byte)) % 8 == 0;
    STAGE.with_borrow_mut(|stage| {
        if let Err(mismatch) = Lockstep::run_quickly(stage, &scenario, checks) {
            panic!("{scenario:?}\n{mismatch}");
        }
    });
}

// SPDX-License-Identifier: BSD-2-Clause
//! Long random sequences. One that fails is shrunk to a short one.

use crate::Stage;
use crate::op::{Op, RECORD, Scenario, World};
use crate::shrink::Failure;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Scenarios of so many operations.
fn scenarios(length: usize) -> impl Strategy<Value = Scenario> {
    let records = prop::collection::vec(any::<[u8; RECORD]>(), length);
    (any::<u8>().prop_map(World::from_byte), records).prop_map(|(world, records)| Scenario {
        world,
        ops: records.into_iter().map(|record| Op::from_record(world, record)).collect(),
    })
}

/// Runs `runs` scenarios of `length` operations each. Another seed is other scenarios.
///
/// # Errors
/// The first that fails, shrunk.
pub fn run(runs: u32, length: usize, seed: u64) -> Result<(), Box<Failure>> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let scenarios = scenarios(length);
    let mut stage = Stage::new();
    for _ in 0..runs {
        let scenario = scenarios.new_tree(&mut runner).expect("nothing is filtered").current();
        Failure::of(&mut stage, &scenario).map_err(|failure| failure.shrunk(&mut stage))?;
    }
    Ok(())
}

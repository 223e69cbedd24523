// SPDX-License-Identifier: BSD-2-Clause
//! All short sequences; `cargo run --profile proof -p model -- exhaustive` goes further.

use model::exhaustive::{self, Searched};

#[test]
fn the_registry_agrees_with_its_model_in_all_sequences_of_four() {
    match exhaustive::run(4, |_, _| {}) {
        // A search that has shrunk by mistake would find nothing.
        Ok(searched) => assert_eq!(searched, Searched { states: 5913, transitions: 54054 }),
        Err(failure) => panic!("{failure}"),
    }
}

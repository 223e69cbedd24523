// SPDX-License-Identifier: BSD-2-Clause
//! A few of the long random sequences; `cargo run --profile proof -p model -- random` does 10,000 of them.

#[test]
fn the_registry_agrees_with_its_model_in_random_runs() {
    if let Err(failure) = model::random::run(200, 200, 1) {
        panic!("{failure}");
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! The targets' bodies over generated inputs and over the corpus, so that they never rot.

use std::path::Path;

/// Generated inputs.
const INPUTS: u64 = 3_000;

fn over_everything(name: &str, target: fn(&[u8])) {
    for seed in 0..INPUTS {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bytes = vec![0; random.usize(1..300)];
        random.fill(&mut bytes);
        target(&bytes);
    }
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let inputs: Vec<_> = std::fs::read_dir(&corpus).expect("there is a corpus").collect();
    assert!(!inputs.is_empty());
    for input in inputs {
        target(&std::fs::read(input.expect("an entry").path()).expect("a file"));
    }
}

#[test]
fn the_registry_agrees_with_its_model() {
    over_everything("registry", fuzz::registry);
}

#[test]
fn s93_no_message_breaks_the_server_or_changes_what_is_others() {
    over_everything("server", fuzz::server);
}

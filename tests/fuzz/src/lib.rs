// SPDX-License-Identifier: BSD-2-Clause
//! What is fuzzed. Each target is a function of bytes that panics on a finding; `cargo xtask fuzz TARGET` runs it under
//! libFuzzer, and the tests run it over generated inputs and the committed corpus.
#![forbid(unsafe_code)]

mod registry;
mod server;

pub use registry::registry;
pub use server::server;

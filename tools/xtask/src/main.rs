// SPDX-License-Identifier: BSD-2-Clause
//! Everything this workspace does: cargo xtask setup, build, run, test, bench.
fn main() {}

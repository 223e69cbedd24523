// SPDX-License-Identifier: BSD-2-Clause
//! The console: prints the log rings of the other protection domains.
fn main() {}

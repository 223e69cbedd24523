// SPDX-License-Identifier: BSD-2-Clause
//! The supervisor: parent of the guests, reads every set and prints the verdict.
fn main() {}

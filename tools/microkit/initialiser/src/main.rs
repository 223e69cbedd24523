// SPDX-License-Identifier: BSD-2-Clause
//! The root task: builds every object of the packed system.
fn main() {}

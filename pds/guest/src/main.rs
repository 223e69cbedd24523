// SPDX-License-Identifier: BSD-2-Clause
//! A guest that drives a DMA device with PASIDs of its own.
fn main() {}

// SPDX-License-Identifier: BSD-2-Clause
//! The ioasid protection domain: owns the VT-d unit and serves PASIDs and DMA mappings.
fn main() {}

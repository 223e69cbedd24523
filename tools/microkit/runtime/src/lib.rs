// SPDX-License-Identifier: BSD-2-Clause
//! The protection domain runtime of the embedded default, with the names of rust-sel4's crate.
#![cfg_attr(not(test), no_std)]

// SPDX-License-Identifier: BSD-2-Clause
//! `libmicrokit.a` of the embedded default: the runtime, with the C program's entry points left open. A domain's
//! objects are linked with it by `microkit.ld`, as with the Microkit SDK's library of this name.
#![no_std]

use sel4_microkit::{Handler, protection_domain};

#[protection_domain]
fn init() -> impl Handler {
    microkit_c::start()
}

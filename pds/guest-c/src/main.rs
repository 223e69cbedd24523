// SPDX-License-Identifier: BSD-2-Clause
//! A client of the ioasid service that is written in C: see `guest.c`.
#![no_std]
#![no_main]

use sel4_microkit::{Handler, protection_domain};

#[protection_domain]
fn init() -> impl Handler {
    microkit_c::start()
}

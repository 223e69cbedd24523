// SPDX-License-Identifier: BSD-2-Clause
//! A domain without a parent that faults, each in the way that its name says: the monitor reports it. Where it is the
//! runtime that refuses, only the one of a debug kernel does.
#![no_std]
#![no_main]

use core::hint::black_box;

use sel4_microkit::{
    Channel, Handler, NullHandler, get_mr, pd_name, protection_domain, with_msg_regs, with_msg_regs_mut,
};

#[protection_domain]
fn init() -> impl Handler {
    match pd_name() {
        // SAFETY: no memory is mapped there, so nothing can be changed: the store faults.
        Ok("null_writer") => unsafe { core::ptr::null_mut::<u64>().write_volatile(black_box(1)) },
        Ok("deep") => assert_ne!(deep(u64::MAX), 1),
        Ok("signaller") => with_msg_regs(|_| Channel::new(1).notify()),
        Ok("borrower") => with_msg_regs_mut(|registers| registers[0] = get_mr(0)),
        _ => panic!("this domain is to panic"),
    }
    NullHandler::new()
}

/// Takes a stack frame for each of `depth` calls.
fn deep(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    if depth == 0 { 0 } else { black_box(deep(depth - 1)) + frame[0] }
}

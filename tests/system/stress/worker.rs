// SPDX-License-Identifier: BSD-2-Clause
//! Loads FPU state, computes, calls `echo`, and looks whether the state is still its own; until it is told to stop.
#![no_std]
#![no_main]

use sel4_microkit::{
    Channel, Handler, MessageInfo, NullHandler, get_mr, memory_region_symbol, protection_domain, set_mr, var,
};
use system_test::{
    Registers,
    desk::{Desk, Work},
    fpu,
};

const ECHO: Channel = Channel::new(10);
/// How long a round counts between the calls.
const SPINS: u64 = 300;

#[protection_domain]
fn init() -> impl Handler {
    // SAFETY: the region is a page.
    let desk = Desk::new(unsafe { Registers::new(memory_region_symbol!(desk: *mut u8)) });
    let me = Channel::new(*var!(me: usize = 62));
    let mut work = Work { rounds: 0, wrong: 0 };
    while !desk.stopped() {
        let seed = (me.index() as u64) << 32 | work.rounds;
        let held = fpu::hold(seed, SPINS);
        fpu::load(!seed);
        set_mr(0, seed);
        let reply = ECHO.pp_call(MessageInfo::new(0, 1));
        let kept = !fpu::UNTOUCHED || fpu::matches(!seed);
        let echoed = reply.count() == 2 && get_mr(0) == seed + me.index() as u64 - 10 && get_mr(1) == 0;
        work.rounds += 1;
        work.wrong += u64::from(!(held && kept && echoed));
    }
    desk.put(me, work);
    me.notify();
    NullHandler::new()
}

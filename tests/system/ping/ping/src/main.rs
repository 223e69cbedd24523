// SPDX-License-Identifier: BSD-2-Clause
//! Calls `pong` many times with every message register in use, then waits for its notification.
#![no_std]
#![no_main]

use microkit_ioport::IoPort;
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, debug_println, pd_name, protection_domain,
    with_msg_regs, with_msg_regs_mut,
};

const PONG: Channel = Channel::new(3);
const EXIT: IoPort = IoPort::new(0);
const ROUNDS: u64 = 1000;
const WORDS: usize = 120;

struct Ping {
    passed: u32,
    failed: u32,
}

impl Ping {
    fn check(&mut self, name: &str, ok: bool) {
        debug_println!("{}: {name}", if ok { "ok" } else { "FAIL" });
        *(if ok { &mut self.passed } else { &mut self.failed }) += 1;
    }
}

#[protection_domain]
fn init() -> impl Handler {
    let mut ping = Ping { passed: 0, failed: 0 };
    ping.check("the domain knows its name", pd_name() == Ok("ping"));
    let mut wrong = 0;
    for round in 0..ROUNDS {
        with_msg_regs_mut(|regs| regs.iter_mut().zip(round..).for_each(|(reg, word)| *reg = word));
        let reply = PONG.pp_call(MessageInfo::new(round, WORDS));
        let echoed = with_msg_regs(|regs| regs.iter().zip(round..).all(|(reg, word)| *reg == word + 1));
        wrong += u64::from(!echoed || reply.label() != round + 1 || reply.count() != WORDS);
    }
    ping.check("a thousand calls of 120 words each way", wrong == 0);
    PONG.notify();
    ping
}

impl Handler for Ping {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        self.check("a notification there and back", channels.iter().eq([PONG]));
        debug_println!("ioasid: {} checks passed, {} failed", self.passed, self.failed);
        let _ = EXIT.out32(0xf4, 0);
        Ok(())
    }
}

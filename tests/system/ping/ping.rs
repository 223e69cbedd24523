// SPDX-License-Identifier: BSD-2-Clause
//! Calls `pong` many times with every message register in use, then waits for its notification.
#![no_std]
#![no_main]

use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, pd_is_passive, pd_name, protection_domain,
    with_msg_regs, with_msg_regs_mut,
};
use system_test::Checks;

const PONG: Channel = Channel::new(3);
const ROUNDS: u64 = 1000;
const WORDS: usize = 120;

struct Ping {
    checks: Checks,
}

#[protection_domain]
fn init() -> impl Handler {
    let mut checks = Checks::new();
    checks.check("the domain knows its name", pd_name() == Ok("ping"));
    checks.check("the domain is not passive", !pd_is_passive());
    let mut wrong = 0;
    for round in 0..ROUNDS {
        with_msg_regs_mut(|regs| regs.iter_mut().zip(round..).for_each(|(reg, word)| *reg = word));
        let reply = PONG.pp_call(MessageInfo::new(round, WORDS));
        let echoed = with_msg_regs(|regs| regs.iter().zip(round..).all(|(reg, word)| *reg == word + 1));
        wrong += u64::from(!echoed || reply.label() != round + 1 || reply.count() != WORDS);
    }
    checks.check("a thousand calls of 120 words each way", wrong == 0);
    PONG.notify();
    Ping { checks }
}

impl Handler for Ping {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        self.checks.check("a notification there and back", channels.iter().eq([PONG]));
        self.checks.finish();
        Ok(())
    }
}

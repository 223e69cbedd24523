// SPDX-License-Identifier: BSD-2-Clause
//! Answers calls, and keeps FPU state of its own from one call to the next.
#![no_std]
#![no_main]

use sel4_microkit::{Channel, Handler, Infallible, MessageInfo, get_mr, protection_domain, set_mr};
use system_test::fpu;

struct Echo {
    calls: u64,
}

#[protection_domain]
fn init() -> impl Handler {
    fpu::load(0);
    Echo { calls: 0 }
}

impl Handler for Echo {
    type Error = Infallible;

    /// One word each way; the second word of the reply is 1 when the state was lost.
    fn protected(&mut self, channel: Channel, _: MessageInfo) -> Result<MessageInfo, Infallible> {
        let lost = fpu::UNTOUCHED && !fpu::matches(self.calls);
        self.calls += 1;
        fpu::load(self.calls);
        set_mr(0, get_mr(0) + channel.index() as u64);
        set_mr(1, lost.into());
        Ok(MessageInfo::new(0, 2))
    }
}

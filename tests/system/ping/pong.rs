// SPDX-License-Identifier: BSD-2-Clause
//! Answers each call with its words and its label plus one, and a notification with a notification.
#![no_std]
#![no_main]

use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, protection_domain, with_msg_regs_mut,
};

struct Pong;

#[protection_domain]
fn init() -> impl Handler {
    Pong
}

impl Handler for Pong {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, msg_info: MessageInfo) -> Result<MessageInfo, Infallible> {
        with_msg_regs_mut(|regs| regs[..msg_info.count()].iter_mut().for_each(|reg| *reg += 1));
        Ok(MessageInfo::new(msg_info.label() + 1, msg_info.count()))
    }

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        channels.iter().for_each(|channel| channel.notify());
        Ok(())
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! Answers each call with its words: the least that a protection domain can do for a client.
#![no_std]
#![no_main]

use sel4_microkit::{Channel, Handler, Infallible, MessageInfo, protection_domain};

struct Null;

#[protection_domain]
fn init() -> impl Handler {
    Null
}

impl Handler for Null {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, message: MessageInfo) -> Result<MessageInfo, Infallible> {
        Ok(message)
    }
}

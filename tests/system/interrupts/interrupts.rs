// SPDX-License-Identifier: BSD-2-Clause
//! Interrupts of three kinds as notifications: edge- and level-triggered through the I/O APIC from the HPET, and
//! messages from a PCI function.
#![no_std]
#![no_main]

mod edu;

use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, memory_region_symbol, protection_domain};
use system_test::{Checks, Registers, hpet::Hpet};

use crate::edu::Edu;

const EDGE: Channel = Channel::new(3);
const LEVEL: Channel = Channel::new(4);
const MESSAGE: Channel = Channel::new(60);
/// Interrupts of each kind.
const COUNT: u32 = 50;
/// The message of vector 7 (the kernel's first vector for users is 0x30).
const MESSAGE_DATA: u32 = 0x30 + 7;

struct Interrupts {
    checks: Checks,
    hpet: Hpet,
    edu: Edu,
    edges: u32,
    levels: u32,
    messages: u32,
}

/// The area that a symbol of system.xml names.
macro_rules! area {
    // SAFETY: system.xml maps the page.
    ($symbol:ident) => { unsafe { Registers::new(memory_region_symbol!($symbol: *mut u8)) } };
}

#[protection_domain]
fn init() -> impl Handler {
    let mut checks = Checks::new();
    let hpet = Hpet::new(area!(hpet));
    let edu = Edu::new(area!(config), area!(edu), 0xe000_0000, MESSAGE_DATA);
    checks.check("the device answers where its BAR was put", edu.is_there());
    hpet.start(0, 20, false, 100);
    hpet.run();
    Interrupts { checks, hpet, edu, edges: 0, levels: 0, messages: 0 }
}

impl Handler for Interrupts {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        for channel in channels.iter() {
            let count = match channel {
                EDGE => &mut self.edges,
                LEVEL => {
                    self.hpet.clear(1);
                    &mut self.levels
                }
                MESSAGE => {
                    self.edu.clear();
                    &mut self.messages
                }
                _ => {
                    self.checks.check("no interrupt without a source", false);
                    continue;
                }
            };
            *count += 1;
            let done = *count == COUNT;
            let acknowledged = channel.irq_ack().is_ok();
            match (channel, done) {
                (EDGE, true) => {
                    self.hpet.stop(0);
                    self.checks.check("edge-triggered interrupts", acknowledged);
                    self.hpet.start(1, 21, true, 100);
                }
                (LEVEL, true) => {
                    self.hpet.stop(1);
                    self.checks.check("level-triggered interrupts", acknowledged);
                    self.edu.raise(1);
                }
                (MESSAGE, false) => self.edu.raise(self.messages + 1),
                (MESSAGE, true) => {
                    self.checks.check("message-signalled interrupts", acknowledged);
                    self.checks.finish();
                }
                _ => {}
            }
        }
        Ok(())
    }
}

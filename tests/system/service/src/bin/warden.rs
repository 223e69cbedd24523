// SPDX-License-Identifier: BSD-2-Clause
//! The service's parent, of higher priority than the service: it restarts the service when the director asks, at once
//! or by a timer's interrupt in the middle of whatever the service is doing.
#![no_std]
#![no_main]

use sel4_microkit::{
    Channel, ChannelSet, Child, Handler, Infallible, MessageInfo, debug_println, get_mr,
    memory_region_symbol, protection_domain,
};
use service_scenarios::program;
use service_scenarios::warden::{ANSWER, RESTART};
use system_test::Registers;
use system_test::hpet::Hpet;

const TIMER_IRQ: Channel = Channel::new(0);
const DIRECTOR: Channel = Channel::new(2);
/// The service's number as a child.
const SERVICE: usize = 0;
/// The pin of the I/O APIC that the timer uses.
const PIN: u64 = 20;

struct Warden {
    timer: Hpet,
}

#[protection_domain]
fn init() -> impl Handler {
    // SAFETY: the region is the HPET's page, mapped uncached.
    let registers = unsafe { Registers::new(memory_region_symbol!(hpet: *mut u8)) };
    let timer = Hpet::new(registers);
    timer.run();
    Warden { timer }
}

fn restart() {
    if !program::restart(Child::new(SERVICE)) {
        debug_println!("FAIL: the service cannot be restarted");
    }
}

impl Handler for Warden {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, message: MessageInfo) -> Result<MessageInfo, Infallible> {
        match (message.label(), get_mr(0)) {
            (RESTART, 0) => restart(),
            (RESTART, us) => self.timer.once(0, PIN, us),
            (ANSWER, _) => DIRECTOR.notify(),
            _ => {}
        }
        Ok(MessageInfo::new(0, 0))
    }

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.iter().any(|channel| channel == TIMER_IRQ) {
            self.timer.stop(0);
            restart();
            DIRECTOR.notify();
            // The interrupt is this domain's own.
            let _ = TIMER_IRQ.irq_ack();
        }
        Ok(())
    }
}

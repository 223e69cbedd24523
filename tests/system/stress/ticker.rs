// SPDX-License-Identifier: BSD-2-Clause
//! Takes interrupts of three timers that always come together, while workers compute and call.
//!
//! An interrupt that is pending when the kernel returns from another one is handled on the way out; the kernel's
//! stack has to be aligned for that.
#![no_std]
#![no_main]

use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, get_mr, memory_region_symbol, protection_domain,
    set_mr,
};
use system_test::{Checks, Registers, desk::Desk, fpu, hpet::Hpet};

const TIMERS: usize = 3;
const FIRST_PIN: u64 = 20;
const PERIOD_US: u64 = 30;
/// Interrupts to take.
const INTERRUPTS: u64 = 21_000;
/// Further interrupts of one timer for which the workers are waited for.
const PATIENCE: u64 = 4_000;
/// A call for so many wake-ups, to leave the workers time.
const CALL_EVERY: u64 = 8;
const ECHO: Channel = Channel::new(10);
const WORKERS: [Channel; 2] = [Channel::new(11), Channel::new(12)];

struct Ticker {
    checks: Checks,
    hpet: Hpet,
    desk: Desk,
    /// Interrupts of each timer.
    interrupts: [u64; TIMERS],
    wakeups: u64,
    /// Wake-ups at which FPU state or a reply was wrong.
    wrong: u64,
    finished: usize,
}

#[protection_domain]
fn init() -> impl Handler {
    // SAFETY: both regions are pages.
    let (hpet, desk) = unsafe {
        (
            Registers::new(memory_region_symbol!(hpet: *mut u8)),
            Registers::new(memory_region_symbol!(desk: *mut u8)),
        )
    };
    let hpet = Hpet::new(hpet);
    (0..TIMERS).for_each(|timer| hpet.start(timer, FIRST_PIN + timer as u64, false, PERIOD_US));
    fpu::load(0);
    hpet.run();
    let (checks, desk) = (Checks::new(), Desk::new(desk));
    Ticker { checks, hpet, desk, interrupts: [0; TIMERS], wakeups: 0, wrong: 0, finished: 0 }
}

impl Ticker {
    /// Looks at the state of the last wake-up, calls, and loads a new one.
    fn wake_up(&mut self) {
        let kept = !fpu::UNTOUCHED || fpu::matches(self.wakeups);
        let echoed = !self.wakeups.is_multiple_of(CALL_EVERY) || {
            set_mr(0, self.wakeups);
            let reply = ECHO.pp_call(MessageInfo::new(0, 1));
            reply.count() == 2 && get_mr(0) == self.wakeups && get_mr(1) == 0
        };
        self.wrong += u64::from(!(kept && echoed));
        self.wakeups += 1;
        fpu::load(self.wakeups);
    }

    fn report(&mut self) {
        self.checks.check("21,000 interrupts were taken", self.interrupts.iter().sum::<u64>() >= INTERRUPTS);
        self.checks.check("each timer's", self.interrupts.iter().all(|count| *count >= INTERRUPTS / 10));
        self.checks.check("no FPU state or reply was lost at an interrupt", self.wrong == 0);
        let work = WORKERS.map(|worker| self.desk.get(worker));
        self.checks.check("every worker worked", work.iter().all(|work| work.rounds > 500));
        self.checks
            .check("no FPU state or reply was lost in a worker", work.iter().all(|work| work.wrong == 0));
        self.checks.finish();
    }
}

impl Handler for Ticker {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        self.wake_up();
        for channel in channels.iter() {
            if let Some(count) = self.interrupts.get_mut(channel.index()) {
                *count += 1;
                let acknowledged = channel.irq_ack();
                self.wrong += u64::from(acknowledged.is_err());
            } else {
                self.finished += 1;
            }
        }
        let taken = self.interrupts.iter().sum::<u64>();
        if taken >= INTERRUPTS && !self.desk.stopped() {
            (1..TIMERS).for_each(|timer| self.hpet.stop(timer));
            self.desk.stop();
        }
        if self.finished == WORKERS.len() || taken >= INTERRUPTS + PATIENCE {
            self.hpet.stop(0);
            self.checks.check("every worker stopped", self.finished == WORKERS.len());
            self.report();
        }
        Ok(())
    }
}

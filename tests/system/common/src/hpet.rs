// SPDX-License-Identifier: BSD-2-Clause
//! The HPET, as a source of interrupts (IA-PC HPET specification 1.0a, section 2.3).

use crate::Registers;

const CAPABILITIES: usize = 0x00;
const CONFIGURATION: usize = 0x10;
const INTERRUPT_STATUS: usize = 0x20;
const COUNTER: usize = 0xf0;

/// Timer configuration: level-triggered.
const LEVEL: u64 = 1 << 1;
/// Timer configuration: interrupts enabled.
const ENABLE: u64 = 1 << 2;
/// Timer configuration: periodic.
const PERIODIC: u64 = 1 << 3;
/// Timer configuration: the next write of the comparator sets the first time, and the one after it the period.
const SET_VALUE: u64 = 1 << 6;

/// The HPET's registers.
#[derive(Debug)]
pub struct Hpet(Registers);

impl Hpet {
    /// Stops the counter, sets it to zero and every timer to silence.
    #[must_use]
    pub fn new(registers: Registers) -> Self {
        registers.write64(CONFIGURATION, 0);
        registers.write64(COUNTER, 0);
        let hpet = Self(registers);
        (0..3).for_each(|timer| hpet.stop(timer));
        hpet
    }

    /// Lets the counter run.
    pub fn run(&self) {
        self.0.write64(CONFIGURATION, 1);
    }

    /// Has a timer interrupt every `period_us` microseconds through a pin of the I/O APIC. Timers that are started
    /// before [`run`](Self::run) with the same period interrupt together.
    pub fn start(&self, timer: usize, pin: u64, level: bool, period_us: u64) {
        let period = period_us * 1_000_000_000 / (self.0.read64(CAPABILITIES) >> 32);
        let first = self.0.read64(COUNTER) + period;
        let trigger = if level { LEVEL } else { 0 };
        self.0.write64(configuration(timer), pin << 9 | SET_VALUE | PERIODIC | ENABLE | trigger);
        self.0.write64(comparator(timer), first);
        self.0.write64(comparator(timer), period);
    }

    /// Has a silent timer interrupt once, by an edge, when `us` microseconds have gone by.
    pub fn once(&self, timer: usize, pin: u64, us: u64) {
        let ticks = us * 1_000_000_000 / (self.0.read64(CAPABILITIES) >> 32);
        // A comparator that is set before the timer is enabled cannot fire for what it was before.
        self.0.write64(comparator(timer), self.0.read64(COUNTER) + ticks);
        self.0.write64(configuration(timer), pin << 9 | ENABLE);
    }

    /// Silences a timer.
    pub fn stop(&self, timer: usize) {
        self.0.write64(configuration(timer), 0);
        self.clear(timer);
    }

    /// Lowers a level-triggered timer's line.
    pub fn clear(&self, timer: usize) {
        self.0.write64(INTERRUPT_STATUS, 1 << timer);
    }
}

const fn configuration(timer: usize) -> usize {
    0x100 + 0x20 * timer
}

const fn comparator(timer: usize) -> usize {
    0x108 + 0x20 * timer
}

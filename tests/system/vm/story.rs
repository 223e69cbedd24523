// SPDX-License-Identifier: BSD-2-Clause
//! What a monitor here hears of its guest: checks, figures, and how each life ended.

use system_test::fpu;
use vmm::{Call, Listener, Reason};
use vmm_guest::hypercall;

use crate::{Checks, JUDGE, Word};

/// The longest text that a guest may say, in bytes.
const TEXT: usize = 96;
/// The most lines that a guest may say in a life: others' logs are printed by the same console.
const LINES: u32 = 24;

/// How a life of a machine is to end.
#[derive(Clone, Copy, Debug)]
pub struct End {
    reason: Reason,
    freed: usize,
    word: Word,
}

impl End {
    /// Sooner than others can be told from standing still, with so many ids.
    #[must_use]
    pub const fn soon(reason: Reason, freed: usize) -> Self {
        Self { reason, freed, word: Word::LifeEnded }
    }

    /// After so long that others must have gone on meanwhile.
    #[must_use]
    pub const fn late(reason: Reason, freed: usize) -> Self {
        Self { reason, freed, word: Word::LongLifeEnded }
    }
}

/// How each life of a machine is to end, and what has been of it.
#[derive(Debug)]
pub struct Story {
    ends: &'static [End],
    life: usize,
    checks: Checks,
    lines: u32,
    /// Counts the calls that loaded the monitor's own floating-point state.
    state: u64,
    state_lost: u64,
}

impl Story {
    pub(crate) fn new(ends: &'static [End]) -> Self {
        fpu::load(0);
        Self { ends, life: 0, checks: Checks::default(), lines: 0, state: 0, state_lost: 0 }
    }

    /// The monitor has floating-point state of its own, as its guest and the other domains have: each call finds what
    /// the last one left.
    fn state(&mut self) {
        if fpu::UNTOUCHED && !fpu::matches(self.state) {
            self.state_lost += 1;
        }
        self.state += 1;
        fpu::load(self.state);
    }
}

impl Listener for Story {
    fn call(&mut self, call: &mut Call<'_>) -> Result<(), Reason> {
        let number = |word: u64| word & 0xffff_ffff;
        match number(call.registers.eax) {
            hypercall::SAY | hypercall::CHECK if self.lines >= LINES => self.lines += 1,
            kind @ (hypercall::SAY | hypercall::CHECK) => {
                self.state();
                self.lines += 1;
                let mut bytes = [0; TEXT];
                let bytes = call.ram.copy(number(call.registers.ebx), &mut bytes);
                let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
                let text = core::str::from_utf8(text).unwrap_or("?");
                let (ecx, edx) = (number(call.registers.ecx), number(call.registers.edx));
                if kind == hypercall::CHECK {
                    self.checks.check(text, ecx != 0);
                } else {
                    log::info!("      {text}: {ecx}, {edx}");
                }
            }
            hypercall::DONE => return Err(Reason::Done),
            hypercall::RESET => return Err(Reason::Reset),
            hypercall::TAKE_ALL => drop(Word::TakeAll.say()),
            hypercall::COUNT_EXITS => call.registers.eax = number(call.exits),
            _ => {}
        }
        Ok(())
    }

    fn ended(&mut self, reason: Reason, freed: usize) {
        if let Some(unheard @ 1..) = self.lines.checked_sub(LINES) {
            log::info!("      and {unheard} lines more, which nobody hears");
        }
        log::info!("      life {} ended: {reason:?}, {freed} PASIDs given back", self.life);
        let end = self.ends.get(self.life).copied();
        let expected = end.is_some_and(|end| (end.reason, end.freed) == (reason, freed));
        self.checks.check("it ended as it was meant to, and all its PASIDs came back", expected);
        self.life += 1;
        self.lines = 0;
        let _ = end.map_or(Word::LifeEnded, |end| end.word).say();
        if self.life == self.ends.len() {
            self.checks.check("its monitor lost no floating-point state", self.state_lost == 0);
            supervisor_api::send(JUDGE, self.checks.report());
        }
    }
}

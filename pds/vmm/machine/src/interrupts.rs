// SPDX-License-Identifier: BSD-2-Clause
//! Interrupts on their way into the guest: vectors that wait, and when the guest can take one.

use vcpu_state::{Entry, Exit};

use crate::exits::{BLOCKED_BY_STI_OR_MOV_SS, INJECT_INTERRUPT, INTERRUPTS_ON, ON_HLT, ON_INTERRUPT_WINDOW};

/// The vectors that wait, each once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Interrupts([u64; 4]);

impl Interrupts {
    /// One more that waits.
    pub fn add(&mut self, vector: u8) {
        self.0[usize::from(vector / 64)] |= 1 << (vector % 64);
    }

    /// Whether none waits.
    pub fn is_empty(self) -> bool {
        self.0 == [0; 4]
    }

    /// Has the guest take the highest one at this entry if it can, or come out as soon as it can take another.
    ///
    /// `exit` is what the guest just came out with; without one nothing is known of it but that it may not be able to.
    pub fn inject(&mut self, entry: &mut Entry, exit: Option<&Exit>) {
        let able = exit.is_some_and(|exit| {
            exit.rflags & INTERRUPTS_ON != 0 && exit.interruptibility & BLOCKED_BY_STI_OR_MOV_SS == 0
        });
        // What was to be injected and has not been, because a notification came first, goes first.
        if able
            && entry.injection == 0
            && let Some(vector) = self.take()
        {
            entry.injection = INJECT_INTERRUPT | u64::from(vector);
        }
        entry.controls = if self.is_empty() { ON_HLT } else { ON_HLT | ON_INTERRUPT_WINDOW };
    }

    fn take(&mut self) -> Option<u8> {
        let (index, word) = self.0.iter_mut().enumerate().rev().find(|(_, word)| **word != 0)?;
        let bit = word.ilog2();
        *word &= !(1 << bit);
        u8::try_from(index * 64 + bit as usize).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(rflags: u64, interruptibility: u64) -> Exit {
        Exit {
            reason: 0,
            qualification: 0,
            instruction_len: 0,
            guest_physical: 0,
            rflags,
            interruptibility,
            cr3: 0,
            registers: Default::default(),
        }
    }

    #[test]
    fn the_highest_vector_goes_first_and_the_window_is_asked_for_while_more_wait() {
        let mut interrupts = Interrupts::default();
        [0x21, 0xff, 0x21, 0x80].into_iter().for_each(|vector| interrupts.add(vector));
        let mut seen = Vec::new();
        while !interrupts.is_empty() {
            let mut entry = Entry::default();
            interrupts.inject(&mut entry, Some(&exit(INTERRUPTS_ON, 0)));
            assert_eq!(entry.controls & ON_INTERRUPT_WINDOW != 0, !interrupts.is_empty());
            seen.push(entry.injection ^ INJECT_INTERRUPT);
        }
        assert_eq!(seen, [0xff, 0x80, 0x21]);
    }

    #[test]
    fn a_guest_that_cannot_take_it_comes_out_when_it_can() {
        let unable = [exit(0, 0), exit(INTERRUPTS_ON, 1), exit(INTERRUPTS_ON, 2)];
        for exit in unable.iter().map(Some).chain([None]) {
            let mut interrupts = Interrupts::default();
            interrupts.add(0x30);
            let mut entry = Entry::default();
            interrupts.inject(&mut entry, exit);
            assert_eq!((entry.injection, entry.controls), (0, ON_HLT | ON_INTERRUPT_WINDOW));
        }
    }

    #[test]
    fn what_was_not_injected_yet_is_not_overwritten() {
        let mut interrupts = Interrupts::default();
        interrupts.add(0x30);
        let mut entry = Entry { injection: INJECT_INTERRUPT | 0x40, ..Entry::default() };
        interrupts.inject(&mut entry, Some(&exit(INTERRUPTS_ON, 0)));
        assert_eq!(entry.injection, INJECT_INTERRUPT | 0x40);
        assert!(!interrupts.is_empty());
    }
}

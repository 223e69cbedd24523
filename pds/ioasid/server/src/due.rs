// SPDX-License-Identifier: BSD-2-Clause
//! What is left until a call is over: while its message registers are borrowed, nobody can be notified.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::clients::MAX_CHANNELS;

/// A bit for each channel whose other end is to be notified, and more above them. Most of the time none is set, so behind a
/// call one question is asked for all that may be due.
#[derive(Clone, Copy, Debug)]
pub struct Due<'m>(&'m AtomicU64);

const CHANNELS: u64 = (1 << MAX_CHANNELS) - 1;
/// A round of the trace has begun, and what each set has is to be stated.
const ROUND: u64 = 1 << 62;
/// There may be something else to do. Stays where there are providers: whether they are asked something is looked at behind
/// each call.
const LOOK: u64 = 1 << 63;

const _: () = assert!(CHANNELS & (ROUND | LOOK) == 0, "a bit for each");

impl<'m> Due<'m> {
    /// What is due in `word`. What others have left there stays.
    pub fn new(word: &'m AtomicU64, has_providers: bool) -> Self {
        let due = Self(word);
        due.add(if has_providers { LOOK } else { 0 });
        due
    }

    fn add(self, bits: u64) {
        self.0.fetch_or(bits, Ordering::Relaxed);
    }

    fn take(self, bits: u64) -> u64 {
        self.0.fetch_and(!bits, Ordering::Relaxed) & bits
    }

    /// The other end of a channel is to be notified.
    pub fn notify(self, channel: u32) {
        self.add(1_u64.checked_shl(channel).unwrap_or(0) & CHANNELS);
    }

    /// The channels whose other ends are to be notified. They are forgotten.
    pub fn take_channels(self) -> impl Iterator<Item = usize> + use<> {
        let mut left = self.take(CHANNELS);
        core::iter::from_fn(move || {
            let lowest = usize::try_from(left.trailing_zeros()).ok();
            let channel = lowest.filter(|&channel| channel < MAX_CHANNELS)?;
            left &= left - 1;
            Some(channel)
        })
    }

    /// There is something left to do when the next call is over.
    pub fn look(self) {
        self.add(LOOK);
    }

    /// It is done.
    pub fn has_looked(self) {
        self.take(LOOK);
    }

    /// A round of the trace has begun.
    pub fn begin_round(self) {
        self.add(ROUND);
    }

    /// Whether a round of the trace has begun. It is forgotten.
    pub fn take_round(self) -> bool {
        self.take(ROUND) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_is_taken_once() {
        let word = AtomicU64::new(0);
        let due = Due::new(&word, false);
        assert_eq!(word.load(Ordering::Relaxed), 0, "mostly nothing is");
        due.notify(61);
        due.begin_round();
        due.notify(0);
        assert!(due.take_channels().eq([0, 61]) && due.take_round());
        assert!(due.take_channels().eq([]) && !due.take_round());
        assert_eq!(word.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_others_have_left_is_there_too() {
        let word = AtomicU64::new(1 << 7);
        assert!(Due::new(&word, true).take_channels().eq([7]));
    }

    #[test]
    fn providers_are_always_looked_at() {
        let word = AtomicU64::new(0);
        let due = Due::new(&word, true);
        assert!(due.take_channels().eq([]) && !due.take_round());
        assert_ne!(word.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_number_that_is_no_channels_is_nobodys() {
        let word = AtomicU64::new(0);
        [62, 63, 64, u32::MAX].into_iter().for_each(|channel| Due::new(&word, false).notify(channel));
        assert_eq!(word.load(Ordering::Relaxed), 0);
    }
}

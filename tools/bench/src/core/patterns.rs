// SPDX-License-Identifier: BSD-2-Clause
//! What is done with a subject: the loops that are measured.

use super::subject::{IDS, Subject};
use crate::noise::Noise;
use std::hint::black_box;

/// What the names of the measured functions contain.
pub const MEASURED: &str = "measured_loop";
/// And that of the one which is measured call by call.
pub const SINGLE: &str = "measured_single";

/// The most instructions that a pair may take in a pattern that is against the registry.
pub const ADVERSARIAL: f64 = 185.0;

/// A pattern of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    PairOf1k,
    PairOf1M,
    FreeLow,
    FullButOne,
    Fragmented,
    TwoRanges,
    Failing,
    Find,
}

impl Pattern {
    pub const ALL: [Self; 8] = [
        Self::PairOf1k,
        Self::PairOf1M,
        Self::FreeLow,
        Self::FullButOne,
        Self::Fragmented,
        Self::TwoRanges,
        Self::Failing,
        Self::Find,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::PairOf1k => "pair1k",
            Self::PairOf1M => "pair1M",
            Self::FreeLow => "freelow",
            Self::FullButOne => "fullm1",
            Self::Fragmented => "frag",
            Self::TwoRanges => "altrange",
            Self::Failing => "fail",
            Self::Find => "find",
        }
    }

    pub fn what(self) -> &'static str {
        match self {
            Self::PairOf1k => "1,000 live: alloc any and free it",
            Self::PairOf1M => "1,000,000 live: alloc any and free it",
            Self::FreeLow => "1,000,000 live: free the lowest, alloc",
            Self::FullButOne => "one hole: alloc it, free a random one",
            Self::Fragmented => "every other id free: alloc any and free it",
            Self::TwoRanges => "both halves full but for their last id: alloc and free in each by turns",
            Self::Failing => "all full: alloc fails",
            Self::Find => "1,000,000 live: look up a random one",
        }
    }

    /// The most instructions that the registry may take for a turn.
    pub fn target(self) -> f64 {
        match self {
            Self::PairOf1k | Self::PairOf1M => 105.0,
            Self::FreeLow | Self::FullButOne | Self::Fragmented | Self::TwoRanges => ADVERSARIAL,
            Self::Failing => 25.0,
            Self::Find => 12.0,
        }
    }

    pub fn suits<S: Subject>(self) -> bool {
        match self {
            Self::TwoRanges => S::RANGES,
            Self::Failing => S::ENDS,
            Self::Find => S::FINDS,
            _ => true,
        }
    }
}

/// A subject in the state that a pattern begins with.
pub struct Prepared<S: Subject> {
    subject: S,
    live: Vec<S::Id>,
    noise: Noise,
}

impl<S: Subject> Prepared<S> {
    pub fn new(pattern: Pattern) -> Self {
        let mut subject = S::new();
        let live = match pattern {
            Pattern::PairOf1k => subject.fill(1000),
            Pattern::PairOf1M | Pattern::FreeLow | Pattern::Find => subject.fill(1_000_000),
            Pattern::FullButOne => {
                let mut live = subject.fill(S::CAPACITY);
                let hole = live.swap_remove(S::CAPACITY as usize / 2);
                subject.free(hole);
                live
            }
            Pattern::Fragmented => {
                let live = subject.fill(S::CAPACITY);
                live.iter().step_by(2).for_each(|&id| subject.free(id));
                live.into_iter().skip(1).step_by(2).collect()
            }
            Pattern::TwoRanges => {
                let mut live = subject.fill(S::CAPACITY);
                // The last id of the lower half and the last of all.
                let middle = live.len() - IDS as usize / 2 - 1;
                for hole in [live.len() - 1, middle] {
                    let hole = live.remove(hole);
                    subject.free(hole);
                }
                live
            }
            Pattern::Failing => subject.fill(S::CAPACITY),
        };
        Self { subject, live, noise: Noise::new() }
    }

    pub fn run(&mut self, pattern: Pattern, turns: usize) {
        let Self { subject, live, noise } = self;
        match pattern {
            Pattern::PairOf1k | Pattern::PairOf1M | Pattern::Fragmented => measured_loop_pair(subject, turns),
            Pattern::FreeLow => measured_loop_free_low(subject, live, turns),
            Pattern::FullButOne => measured_loop_full_but_one(subject, live, noise, turns),
            Pattern::TwoRanges => measured_loop_two_ranges(subject, turns),
            Pattern::Failing => measured_loop_failing(subject, turns),
            Pattern::Find => measured_loop_find(subject, live, noise, turns),
        }
    }
}

#[inline(never)]
fn measured_loop_pair<S: Subject>(subject: &mut S, turns: usize) {
    for _ in 0..turns {
        if let Some(id) = subject.alloc(black_box(0), black_box(IDS - 1)) {
            subject.free(black_box(id));
        }
    }
}

#[inline(never)]
fn measured_loop_free_low<S: Subject>(subject: &mut S, live: &mut [S::Id], turns: usize) {
    let lowest = &mut live[0];
    for _ in 0..turns {
        subject.free(black_box(*lowest));
        if let Some(id) = subject.alloc(black_box(0), black_box(IDS - 1)) {
            *lowest = id;
        }
    }
}

#[inline(never)]
fn measured_loop_full_but_one<S: Subject>(
    subject: &mut S,
    live: &mut [S::Id],
    noise: &mut Noise,
    turns: usize,
) {
    for _ in 0..turns {
        if let Some(id) = subject.alloc(black_box(0), black_box(IDS - 1)) {
            let place = noise.below(IDS as usize / 2);
            subject.free(core::mem::replace(&mut live[place], id));
        }
    }
}

/// A turn is one pair; they go to the lower and the upper half alternately.
#[inline(never)]
fn measured_loop_two_ranges<S: Subject>(subject: &mut S, turns: usize) {
    for _ in 0..turns / 2 {
        for (min, max) in [(0, IDS / 2 - 1), (IDS / 2, IDS - 1)] {
            if let Some(id) = subject.alloc(black_box(min), black_box(max)) {
                subject.free(black_box(id));
            }
        }
    }
}

#[inline(never)]
fn measured_loop_failing<S: Subject>(subject: &mut S, turns: usize) {
    for _ in 0..turns {
        assert!(subject.alloc(black_box(0), black_box(IDS - 1)).is_none(), "everything is taken");
    }
}

#[inline(never)]
fn measured_loop_find<S: Subject>(subject: &S, live: &[S::Id], noise: &mut Noise, turns: usize) {
    for _ in 0..turns {
        black_box(subject.find(live[noise.below(IDS as usize / 2)]));
    }
}

/// An operation by itself.
enum Single<I> {
    Alloc(u32, u32),
    Free(I),
}

#[inline(never)]
fn measured_single<S: Subject>(subject: &mut S, single: Single<S::Id>) -> Option<S::Id> {
    match single {
        Single::Alloc(min, max) => subject.alloc(min, max),
        Single::Free(id) => {
            subject.free(id);
            None
        }
    }
}

/// Single operations in states from empty to full: around each boundary of a tree of any usual width, and with the free
/// id as far away as it can be.
pub fn singles<S: Subject>() {
    let mut subject = S::new();
    let mut live: Vec<S::Id> = Vec::new();
    for boundary in [0, 16, 64, 256, 4096, 65_536, 262_144, S::CAPACITY - 8] {
        let missing = usize::try_from(boundary).unwrap_or(0).saturating_sub(4 + live.len());
        live.extend((0..missing).filter_map(|_| subject.alloc(0, IDS - 1)));
        for _ in 0..8 {
            let Some(id) = measured_single(&mut subject, Single::Alloc(0, IDS - 1)) else { break };
            measured_single(&mut subject, Single::Free(id));
            live.extend(measured_single(&mut subject, Single::Alloc(0, IDS - 1)));
        }
        for place in [0, live.len() / 2, live.len() - 1] {
            measured_single(&mut subject, Single::Free(live[place]));
            live[place] = match measured_single(&mut subject, Single::Alloc(0, IDS - 1)) {
                Some(id) => id,
                None => return,
            };
        }
    }
    while let Some(id) = subject.alloc(0, IDS - 1) {
        live.push(id);
        if live.len() > IDS as usize {
            // It never ends.
            break;
        }
    }
    for place in [live.len() - 1, live.len() / 2, 0] {
        measured_single(&mut subject, Single::Free(live[place]));
        measured_single(&mut subject, Single::Alloc(0, IDS - 1));
    }
}

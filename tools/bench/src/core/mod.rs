// SPDX-License-Identifier: BSD-2-Clause
//! The registry and its peers, on the same patterns.

mod patterns;
mod peers;
mod registry;
mod subject;

use crate::callgrind;
use anyhow::bail;
use patterns::{Pattern, Prepared};
use std::time::{Duration, Instant};
use subject::{Nothing, Subject};

/// Calls `$act` with the type of the subject of this name.
macro_rules! with_subject {
    ($name:expr, $act:ident ( $($argument:expr),* )) => {
        match $name {
            Nothing::NAME => $act::<Nothing>($($argument),*),
            registry::Ours::NAME => $act::<registry::Ours>($($argument),*),
            peers::BitmapAllocator::NAME => $act::<peers::BitmapAllocator>($($argument),*),
            peers::OffsetAllocator::NAME => $act::<peers::OffsetAllocator>($($argument),*),
            peers::VmAllocator::NAME => $act::<peers::VmAllocator>($($argument),*),
            peers::IdAlloc::NAME => $act::<peers::IdAlloc>($($argument),*),
            peers::Bitvec::NAME => $act::<peers::Bitvec>($($argument),*),
            peers::Roaring::NAME => $act::<peers::Roaring>($($argument),*),
            peers::Slab::NAME => $act::<peers::Slab>($($argument),*),
            peers::Slotmap::NAME => $act::<peers::Slotmap>($($argument),*),
            other => bail!("no subject is called {other}"),
        }
    };
}

const SUBJECTS: [&str; 9] = [
    registry::Ours::NAME,
    peers::BitmapAllocator::NAME,
    peers::OffsetAllocator::NAME,
    peers::VmAllocator::NAME,
    peers::IdAlloc::NAME,
    peers::Bitvec::NAME,
    peers::Roaring::NAME,
    peers::Slab::NAME,
    peers::Slotmap::NAME,
];

/// What is known of a subject before it is measured.
struct Profile {
    patterns: Vec<Pattern>,
    bytes: Option<f64>,
}

fn profile<S: Subject>() -> anyhow::Result<Profile> {
    let patterns = Pattern::ALL.into_iter().filter(|pattern| pattern.suits::<S>()).collect();
    Ok(Profile { patterns, bytes: S::new().bytes_per_id() })
}

/// The least time that a turn takes, in nanoseconds.
fn time<S: Subject>(pattern: Pattern) -> anyhow::Result<f64> {
    let mut prepared = Prepared::<S>::new(pattern);
    let mut turns = 1;
    let mut best = f64::MAX;
    let begin = Instant::now();
    // Bounded: the turns double until a run is long enough to be timed, and then there are five.
    let mut runs = 0;
    while runs < 5 {
        let start = Instant::now();
        prepared.run(pattern, turns);
        let taken = start.elapsed();
        if taken > Duration::from_millis(10) || turns >= 1 << 22 {
            best = best.min(taken.as_secs_f64() * 1e9 / turns as f64);
            runs += 1;
        } else {
            turns *= 2;
        }
        if begin.elapsed() > Duration::from_secs(10) {
            break;
        }
    }
    Ok(best)
}

/// Runs a loop, for callgrind.
pub fn run_loop(subject: &str, pattern: &str, turns: usize) -> anyhow::Result<()> {
    fn go<S: Subject>(pattern: Pattern, turns: usize) -> anyhow::Result<()> {
        Prepared::<S>::new(pattern).run(pattern, turns);
        Ok(())
    }
    if let Some(&(_, ids, stride, crowded)) = registry::LAYOUTS.iter().find(|layout| layout.0 == pattern) {
        let (mut registry, set) = registry::set_to_free(ids, stride, crowded);
        registry::measured_loop_end(&mut registry, set);
        return Ok(());
    }
    let Some(pattern) = Pattern::ALL.into_iter().find(|one| one.name() == pattern) else {
        bail!("no pattern is called {pattern}")
    };
    with_subject!(subject, go(pattern, turns))
}

/// Runs single operations, for callgrind.
pub fn run_single(subject: &str) -> anyhow::Result<()> {
    fn go<S: Subject>() -> anyhow::Result<()> {
        patterns::singles::<S>();
        Ok(())
    }
    with_subject!(subject, go())
}

fn count(subject: &str, pattern: Pattern, turns: usize) -> anyhow::Result<f64> {
    let turns_text = turns.to_string();
    let total = callgrind::total(patterns::MEASURED, &["loop", subject, pattern.name(), &turns_text])?;
    Ok(total as f64 / turns as f64)
}

/// Measures everything and prints it.
pub fn report(only: &str) -> anyhow::Result<()> {
    println!(
        "Instructions (callgrind, less those of the same loop around nothing) / nanoseconds, for one turn."
    );
    for pattern in Pattern::ALL {
        println!("  {:<8} {}", pattern.name(), pattern.what());
    }
    println!("  {:<8} the most instructions of any single operation seen, from empty to full", "worst");
    println!(
        "Not run here: Linux 6.1 ioasid, measured elsewhere: pair1k 1078, pair1M 1514, freelow 1400, fullm1 1451,"
    );
    println!("frag 1336, altrange 1448, fail 379, find 199, worst 4113, 73.3 bytes an id.\n");
    print!("{:<18}", "");
    Pattern::ALL.iter().for_each(|pattern| print!("{:>16}", pattern.name()));
    println!("{:>9}{:>10}", "worst", "bytes/id");
    for subject in SUBJECTS.into_iter().filter(|subject| subject.contains(only)) {
        let profile = with_subject!(subject, profile())?;
        print!("{subject:<18}");
        for pattern in Pattern::ALL {
            if !profile.patterns.contains(&pattern) {
                print!("{:>16}", "–");
                continue;
            }
            let nanoseconds = with_subject!(subject, time(pattern))?;
            // As many turns as take 20 ms natively: seconds under callgrind.
            let turns = [2000, 200, 20].into_iter().find(|&turns| f64::from(turns) * nanoseconds < 2e7);
            let turns = usize::try_from(turns.unwrap_or(4))?;
            let instructions = count(subject, pattern, turns)? - count(Nothing::NAME, pattern, turns)?;
            print!("{:>16}", format!("{instructions:.0}/{nanoseconds:.1}"));
        }
        let singles = callgrind::each(patterns::SINGLE, &["single", subject])?;
        let nothing = callgrind::each(patterns::SINGLE, &["single", Nothing::NAME])?;
        let worst = singles.iter().max().copied().unwrap_or(0);
        let empty = nothing.iter().max().copied().unwrap_or(0);
        print!("{:>9}", worst.saturating_sub(empty));
        println!("{:>10}", profile.bytes.map_or("varies".into(), |bytes| format!("{bytes:.2}")));
    }
    registry::report_sets(only)
}

// SPDX-License-Identifier: BSD-2-Clause
//! The registry and its peers, on the same patterns.

mod bitmap;
mod page;
mod patterns;
mod peers;
mod registry;
mod subject;

use crate::callgrind;
use anyhow::bail;
use patterns::{ADVERSARIAL, Pattern, Prepared};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use subject::{Nothing, Subject};

/// Calls `$act` with the type of the subject of this name.
macro_rules! with_subject {
    ($name:expr, $act:ident ( $($argument:expr),* )) => {
        match $name {
            Nothing::NAME => $act::<Nothing>($($argument),*),
            registry::Ours::NAME => $act::<registry::Ours>($($argument),*),
            registry::Unbound::NAME => $act::<registry::Unbound>($($argument),*),
            peers::BitmapAllocator::NAME => $act::<peers::BitmapAllocator>($($argument),*),
            peers::OffsetAllocator::NAME => $act::<peers::OffsetAllocator>($($argument),*),
            peers::VmAllocator::NAME => $act::<peers::VmAllocator>($($argument),*),
            peers::IdAlloc::NAME => $act::<peers::IdAlloc>($($argument),*),
            peers::Bitvec::NAME => $act::<peers::Bitvec>($($argument),*),
            peers::Roaring::NAME => $act::<peers::Roaring>($($argument),*),
            peers::Slab::NAME => $act::<peers::Slab>($($argument),*),
            peers::Slotmap::NAME => $act::<peers::Slotmap>($($argument),*),
            bitmap::Bitmap::NAME => $act::<bitmap::Bitmap>($($argument),*),
            other => bail!("no subject is called {other}"),
        }
    };
}

const SUBJECTS: [&str; 11] = [
    registry::Ours::NAME,
    registry::Unbound::NAME,
    peers::BitmapAllocator::NAME,
    peers::OffsetAllocator::NAME,
    peers::VmAllocator::NAME,
    peers::IdAlloc::NAME,
    peers::Bitvec::NAME,
    peers::Roaring::NAME,
    peers::Slab::NAME,
    peers::Slotmap::NAME,
    bitmap::Bitmap::NAME,
];

/// Linux 6.1's ioasid in the order of [`Pattern::ALL`], then its worst operation and its bytes an id. It cannot be a
/// dependency; this was measured elsewhere, built for user space.
const LINUX: ([u32; 8], u32, f64) = ([1078, 1514, 1400, 1451, 1336, 1448, 379, 199], 4113, 73.3);

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
    if pattern == registry::GATHERING {
        let (mut registry, set) = registry::set_without_stock();
        registry::measured_loop_gathering(&mut registry, set);
        return Ok(());
    }
    if page::LOOPS.contains(&pattern) {
        page::run(pattern);
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

/// The most instructions of any single operation.
fn worst(subject: &str) -> anyhow::Result<u64> {
    Ok(callgrind::each(patterns::SINGLE, &["single", subject])?.into_iter().max().unwrap_or(0))
}

/// A target, and whether a figure meets it.
fn verdict(figure: f64, target: f64) -> String {
    let met = if figure <= target + 0.5 { "met" } else { "NOT MET" };
    format!("target {target}: {met}")
}

/// What was counted of a subject.
struct Row {
    name: &'static str,
    /// Instructions and nanoseconds, in the order of [`Pattern::ALL`].
    cells: [Option<(f64, f64)>; 8],
    worst: u64,
    bytes: Option<f64>,
}

/// What a loop around nothing takes, for each pattern and number of turns.
#[derive(Default)]
struct Empty(HashMap<(&'static str, usize), f64>);

impl Empty {
    fn count(&mut self, pattern: Pattern, turns: usize) -> anyhow::Result<f64> {
        let key = (pattern.name(), turns);
        if let Some(&known) = self.0.get(&key) {
            return Ok(known);
        }
        let counted = count(Nothing::NAME, pattern, turns)?;
        self.0.insert(key, counted);
        Ok(counted)
    }
}

fn measure(name: &'static str, empty: &mut Empty, nothing: u64) -> anyhow::Result<Row> {
    let profile = with_subject!(name, profile())?;
    let mut cells = [None; 8];
    for (cell, pattern) in cells.iter_mut().zip(Pattern::ALL) {
        if !profile.patterns.contains(&pattern) {
            continue;
        }
        let nanoseconds = with_subject!(name, time(pattern))?;
        // As many turns as take 20 ms natively: seconds under callgrind.
        let turns = [2000, 200, 20].into_iter().find(|&turns| f64::from(turns) * nanoseconds < 2e7);
        let turns = usize::try_from(turns.unwrap_or(4))?;
        *cell = Some((count(name, pattern, turns)? - empty.count(pattern, turns)?, nanoseconds));
    }
    Ok(Row { name, cells, worst: worst(name)?.saturating_sub(nothing), bytes: profile.bytes })
}

impl Row {
    fn print(&self) {
        print!("{:<18}", self.name);
        for cell in self.cells {
            let text = cell.map_or("–".into(), |(count, time)| format!("{count:.0}/{time:.1}"));
            print!("{text:>16}");
        }
        let bytes = self.bytes.map_or("–".into(), |bytes| format!("{bytes:.2}"));
        println!("{:>9}{bytes:>10}", self.worst);
    }

    /// The targets, and whether this row meets them.
    fn print_verdicts(&self) {
        print!("{:<18}", "    target");
        let mut adversarial = 0.0_f64;
        for (cell, pattern) in self.cells.into_iter().zip(Pattern::ALL) {
            let Some((count, _)) = cell else {
                print!("{:>16}", "");
                continue;
            };
            if pattern.target() == ADVERSARIAL {
                adversarial = adversarial.max(count);
            }
            let met = if count <= pattern.target() + 0.5 { "met" } else { "NOT MET" };
            print!("{:>16}", format!("{} {met}", pattern.target()));
        }
        // At most twice the pair of the worst pattern.
        let met = if self.worst as f64 <= 2.0 * adversarial { "met" } else { "NOT" };
        println!("{:>9}", format!("{:.0} {met}", 2.0 * adversarial));
    }
}

/// Measures everything and prints it.
pub fn report(only: &str) -> anyhow::Result<()> {
    println!(
        "Instructions (callgrind, less those of the same loop around nothing) / nanoseconds, for one turn."
    );
    for pattern in Pattern::ALL {
        println!("  {:<8} {}", pattern.name(), pattern.what());
    }
    println!("  {:<8} the most instructions of any single operation seen, from empty to full\n", "worst");
    print!("{:<18}", "");
    Pattern::ALL.iter().for_each(|pattern| print!("{:>16}", pattern.name()));
    println!("{:>9}{:>10}", "worst", "bytes/id");
    let (mut empty, nothing) = (Empty::default(), worst(Nothing::NAME)?);
    for subject in SUBJECTS.into_iter().filter(|subject| subject.contains(only)) {
        let row = measure(subject, &mut empty, nothing)?;
        row.print();
        if [registry::Ours::NAME, registry::Unbound::NAME].contains(&subject) {
            row.print_verdicts();
        }
    }
    let (patterns, worst, bytes) = LINUX;
    print!("{:<18}", "Linux ioasid *");
    patterns.iter().for_each(|count| print!("{count:>16}"));
    println!("{worst:>9}{bytes:>10}");
    println!("* Linux 6.1, built for user space: measured elsewhere (docs/performance.md), not in this run.");
    registry::report_sets(only)?;
    page::report()
}

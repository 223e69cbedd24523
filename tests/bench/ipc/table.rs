// SPDX-License-Identifier: BSD-2-Clause
//! How figures are printed: each beside the null call of the same image, and where there is a target beside that.

use crate::clock::Stopwatch;

/// Prints rows, with what a null call takes.
#[derive(Clone, Copy)]
pub struct Table {
    null: u64,
}

/// What a figure is held against.
pub enum Target {
    /// Nothing.
    None,
    /// Hundredths of a null call, at the most.
    Null(u64),
    /// Instructions, at the most.
    Ticks(u64),
}

/// A ratio in hundredths, as text is made of it.
fn hundredths(part: u64, whole: u64) -> u64 {
    part * 100 / whole.max(1)
}

/// Whether a target is met, for people.
fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}

impl Table {
    /// A table that compares with this null call.
    pub fn new(null: &Stopwatch) -> Self {
        log::info!("{:<32}{:>8}{:>8}{:>8}  target", "ticks a call", "least", "mean", "x null");
        let table = Self { null: null.least() };
        table.row("null, two words", null, Target::None);
        table
    }

    /// A row.
    pub fn row(&self, name: &str, watch: &Stopwatch, target: Target) {
        let (least, mean) = (watch.least(), watch.mean());
        let ratio = hundredths(least, self.null);
        let (whole, rest) = (ratio / 100, ratio % 100);
        match target {
            Target::None => log::info!("{name:<32}{least:>8}{mean:>8}{whole:>5}.{rest:02}"),
            Target::Null(most) => log::info!(
                "{name:<32}{least:>8}{mean:>8}{whole:>5}.{rest:02}  {}.{:02} {}",
                most / 100,
                most % 100,
                verdict(least * 100 <= most * self.null)
            ),
            Target::Ticks(most) => log::info!(
                "{name:<32}{least:>8}{mean:>8}{whole:>5}.{rest:02}  {most} {}",
                verdict(least <= most)
            ),
        }
    }

    /// A batch beside as many single calls.
    pub fn batch(&self, name: &str, batch: &Stopwatch, single: &Stopwatch, count: u64) {
        let (least, each) = (batch.least(), batch.least() / count);
        let ratio = hundredths(least, single.least() * count);
        log::info!(
            "{name:<32}{least:>8}{each:>8}{:>5}.{ratio:02}  0.10 {}",
            0,
            verdict(least * 10 <= single.least() * count)
        );
    }

    /// A longest call.
    pub fn longest(name: &str, watch: &Stopwatch) {
        log::info!("{name:<48}{:>8}", watch.most());
    }
}

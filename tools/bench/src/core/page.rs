// SPDX-License-Identifier: BSD-2-Clause
//! The look-up by a client's page, without a call.

use super::verdict;
use crate::callgrind;
use crate::noise::Noise;
use ioasid_api::{FindReader, FindWriter, Handle};
use std::hint::black_box;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

/// What the loops are called, for callgrind.
pub const LOOPS: [&str; 2] = ["page", "no-page"];
/// As many ids as a page of 4 KiB holds.
const IDS: u16 = 256;
const TURNS: usize = 10_000;

fn handle(noise: &mut Noise) -> Handle {
    let pasid = u32::try_from(noise.below(usize::from(IDS))).unwrap_or(0);
    Handle { pasid: 1000 + pasid, generation: 3, epoch: 1 }
}

#[inline(never)]
fn measured_loop_page(reader: &FindReader<'_>, noise: &mut Noise) {
    for _ in 0..TURNS {
        black_box(reader.find(black_box(handle(noise))));
    }
}

#[inline(never)]
fn measured_loop_no_page(noise: &mut Noise) {
    for _ in 0..TURNS {
        black_box(Some(u64::from(black_box(handle(noise)).pasid)));
    }
}

/// Runs one of [`LOOPS`]. Gives nanoseconds a turn.
pub fn run(name: &str) -> f64 {
    let memory: Vec<AtomicU64> = (0..512).map(|_| AtomicU64::new(0)).collect();
    let mut writer = FindWriter::new(&memory);
    for pasid in 1000..1000 + u32::from(IDS) {
        writer.insert(Handle { pasid, generation: 3, epoch: 1 }, 7);
    }
    let reader = FindReader::new(&memory);
    let start = Instant::now();
    if name == LOOPS[0] {
        measured_loop_page(&reader, &mut Noise::new());
    } else {
        measured_loop_no_page(&mut Noise::new());
    }
    start.elapsed().as_secs_f64() * 1e9 / TURNS as f64
}

/// Prints what a look-up costs.
pub fn report() -> anyhow::Result<()> {
    let count = |name: &str| callgrind::total(super::patterns::MEASURED, &["loop", "page", name, "1"]);
    let instructions = count(LOOPS[0])?.saturating_sub(count(LOOPS[1])?) as f64 / TURNS as f64;
    let nanoseconds = run(LOOPS[0]);
    println!(
        "\nA look-up by the client's page of 256 ids: {instructions:.0}/{nanoseconds:.1}, {}",
        verdict(instructions, 25.0)
    );
    Ok(())
}

// SPDX-License-Identifier: BSD-2-Clause
//! The registry as a subject: with sets, quotas, generations and quarantine, as it is always.

use super::subject::{IDS, Subject};
use super::verdict;
use ioasid_core::{Allocation, Config, Handle, Memory, Pasid, Progress, Registry, SetConfig, SetId};
use std::hint::black_box;
use std::time::Instant;

/// The registry with one set that may have everything.
pub struct Ours {
    registry: Registry<'static>,
    set: SetId,
}

fn registry() -> Registry<'static> {
    // One for each process that measures, and it lives as long.
    let words = vec![0; Memory::words_for(IDS as usize)].leak();
    Registry::new(Memory { words }, Config::default()).expect("the memory fits")
}

impl Subject for Ours {
    const NAME: &'static str = "ioasid-core";
    const RANGES: bool = true;
    const FINDS: bool = true;
    /// PASID 0 is reserved.
    const CAPACITY: u32 = IDS - 1;
    type Id = Handle;

    fn new() -> Self {
        let mut registry = registry();
        let everything = SetConfig { reservation: 0, limit: IDS };
        let set = registry.create_set(everything).expect("there is room for a set");
        Self { registry, set }
    }

    #[inline(always)]
    fn alloc(&mut self, min: u32, max: u32) -> Option<Handle> {
        match self.registry.alloc(self.set, min..=max, 7).ok()? {
            Allocation::Ready(handle) => Some(handle),
            Allocation::Pending(_) => None,
        }
    }

    #[inline(always)]
    fn free(&mut self, handle: Handle) {
        if self.registry.free(self.set, handle).is_ok() {
            let _ = self.registry.reclaim(handle);
        }
    }

    #[inline(always)]
    fn find(&self, handle: Handle) -> u64 {
        self.registry.find(self.set, handle).unwrap_or(u64::MAX)
    }

    fn bytes_per_id(&self) -> Option<f64> {
        let bytes = Memory::words_for(IDS as usize) * 8;
        Some(bytes as f64 / f64::from(IDS))
    }
}

/// The same where nothing is bound to the ids, so that freeing one is one call.
pub struct Unbound(Ours);

impl Subject for Unbound {
    const NAME: &'static str = "  nothing bound";
    const RANGES: bool = true;
    const CAPACITY: u32 = Ours::CAPACITY;
    type Id = Handle;

    fn new() -> Self {
        Self(Ours::new())
    }

    #[inline(always)]
    fn alloc(&mut self, min: u32, max: u32) -> Option<Handle> {
        self.0.alloc(min, max)
    }

    #[inline(always)]
    fn free(&mut self, handle: Handle) {
        let _ = self.0.registry.free_unbound(self.0.set, handle);
    }
}

const NO_HANDLE: Handle = Handle { pasid: Pasid::RESERVED, generation: ioasid_core::Generation::from_raw(0) };

/// A set that has `ids` ids, each `stride` apart, with others' ids between them where `crowded`.
pub fn set_to_free(ids: u32, stride: u32, crowded: bool) -> (Registry<'static>, SetId) {
    let mut registry = registry();
    let share = SetConfig { reservation: 0, limit: IDS };
    let set = registry.create_set(share).expect("there is room for a set");
    let other = registry.create_set(share).expect("there is room for a set");
    for id in (1..=ids).map(|place| place * stride) {
        registry.alloc(set, id..=id, 7).expect("it is free");
    }
    if crowded {
        while registry.alloc(other, 1..=ids * stride, 7).is_ok() {}
    }
    (registry, set)
}

/// Frees a whole set in slices of 64, with each teardown confirmed at once.
#[inline(never)]
pub fn measured_loop_end(registry: &mut Registry<'static>, set: SetId) {
    let _ = registry.free_set(set);
    let mut out = [NO_HANDLE; 64];
    while let Ok(drained) = registry.drain_set(black_box(set), &mut out) {
        for &handle in &out[..drained.filled] {
            let _ = registry.reclaim(handle);
        }
        if drained.progress == Progress::Gone {
            break;
        }
    }
}

/// How the ids of a set lie when it is freed.
pub const LAYOUTS: [(&str, u32, u32, bool); 4] = [
    ("set-alone", 65_536, 1, false),
    ("set-of-2", 65_536, 2, true),
    ("set-of-16", 65_535, 16, true),
    ("set-of-64", 16_000, 64, true),
];

/// What the loop is called in which a set is given an id that another one gave up.
pub const GATHERING: &str = "gathering";

/// As many sets as there can be, of which the last was granted what was left of the stock, and does not use it; and
/// one that was granted nothing.
pub fn set_without_stock() -> (Registry<'static>, SetId) {
    let mut registry = registry();
    let share = |reservation| SetConfig { reservation, limit: IDS };
    registry.create_set(share(IDS - 2)).expect("there is room for a set");
    let sets: Vec<_> = std::iter::from_fn(|| registry.create_set(share(0)).ok()).collect();
    let (&first, &last) = (sets.first().expect("a set"), sets.last().expect("a set"));
    if let Ok(Allocation::Ready(handle)) = registry.alloc(last, 0..=IDS - 1, 7) {
        registry.free_unbound(last, handle).expect("it is free again");
    }
    (registry, first)
}

/// One allocation.
#[inline(never)]
pub fn measured_loop_gathering(registry: &mut Registry<'static>, set: SetId) {
    registry.alloc(black_box(set), black_box(0)..=black_box(IDS - 1), 7).expect("one was given up");
}

/// Prints what freeing a whole set costs.
pub fn report_sets(only: &str) -> anyhow::Result<()> {
    if !Ours::NAME.contains(only) {
        return Ok(());
    }
    println!(
        "\nFreeing a whole set in slices of 64, for each id: instructions / nanoseconds (target 80 for a set alone)"
    );
    for (name, ids, stride, crowded) in LAYOUTS {
        let (mut registry, set) = set_to_free(ids, stride, crowded);
        let start = Instant::now();
        measured_loop_end(&mut registry, set);
        let nanoseconds = start.elapsed().as_secs_f64() * 1e9 / f64::from(ids);
        let total = crate::callgrind::total(super::patterns::MEASURED, &["loop", Ours::NAME, name, "1"])?;
        let instructions = total as f64 / f64::from(ids);
        let verdict =
            if stride == 1 { verdict(instructions, 80.0) } else { "with others' ids between".into() };
        println!("  one id of {stride:>2}: {instructions:.0}/{nanoseconds:.1}, {verdict}");
    }
    let gathering =
        crate::callgrind::total(super::patterns::MEASURED, &["loop", Ours::NAME, GATHERING, "1"])?;
    println!(
        "\nAn allocation that finds the stock empty, where the last of {} sets gave an id up: {gathering}",
        ioasid_core::capacity::SETS
    );
    let fixed = Memory::words_for(0) * size_of::<u64>();
    let each = (Memory::words_for(IDS as usize) * size_of::<u64>() - fixed) as f64 / f64::from(IDS);
    println!(
        "\nMemory: {each:.2} bytes an id, {}; and {fixed} bytes whatever their number",
        verdict(each, 16.2)
    );
    Ok(())
}

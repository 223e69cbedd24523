// SPDX-License-Identifier: BSD-2-Clause
//! Rules between elements, checked on a system whose elements are right in themselves.

mod ids;
mod memory;
mod names;
mod pages;

use std::collections::HashMap;
use std::hash::Hash;

use crate::error::Error;
use crate::model::System;
use crate::source::Place;

/// Checks every rule between elements of `system`, after settling its page sizes.
pub(crate) fn rules(system: &mut System, errors: &mut Vec<Error>) {
    pages::settle(system);
    let system = &*system;
    names::check(system, errors);
    ids::check(system, errors);
    memory::check(system, errors);
}

/// What may be used once only, and where each was used.
struct Once<K>(HashMap<K, Place>);

impl<K: Eq + Hash> Once<K> {
    fn new() -> Self {
        Self(HashMap::new())
    }

    /// Uses `key` at `place`; when it was used already, reports so with the message and remedy that `says` gives.
    fn claim(&mut self, key: K, place: Place, errors: &mut Vec<Error>, says: impl FnOnce() -> Taken) {
        if let Some(first) = self.0.get(&key) {
            let Taken { element, message, help } = says();
            errors.push(Error::new(place, element, message, help).also(*first, "first used here"));
            return;
        }
        self.0.insert(key, place);
    }
}

/// What [`Once`] reports.
struct Taken {
    element: &'static str,
    message: String,
    help: String,
}

/// A half-open range of addresses that may not overlap another.
struct Range {
    start: u64,
    end: u64,
    /// Element that it comes from, and what is its own in a message, as `memory region 'a'`.
    element: &'static str,
    what: String,
    place: Place,
}

/// Reports every range that overlaps one before it; `kind` is what they are ranges of.
fn no_overlaps(mut ranges: Vec<Range>, kind: &str, help: &str, errors: &mut Vec<Error>) {
    ranges.sort_by_key(|range| range.start);
    let mut reach: Option<&Range> = None;
    for range in &ranges {
        if let Some(other) = reach.filter(|other| other.end > range.start) {
            let (first, second) = if other.place < range.place { (other, range) } else { (range, other) };
            let message = format!(
                "{} has {kind} {:#x}..{:#x}, which overlap {:#x}..{:#x} of {}",
                second.what, second.start, second.end, first.start, first.end, first.what
            );
            errors.push(
                Error::new(second.place, second.element, message, help).also(first.place, "overlaps this"),
            );
        }
        if reach.is_none_or(|other| other.end < range.end) {
            reach = Some(range);
        }
    }
}

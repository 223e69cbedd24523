// SPDX-License-Identifier: BSD-2-Clause
//! The server's end.

use core::slice;
use core::sync::atomic::{AtomicU64, Ordering, fence};

use crate::event::{Event, Raw};
use crate::{ENTRY_WORDS, HEADER_ENTRIES, MAGIC, NO_SET, Name, VERSION};

type Entry = [AtomicU64; ENTRY_WORDS];

/// What the server writes its trace with. Where the memory is too small for one record nothing is written.
#[derive(Debug)]
pub struct Writer<'m> {
    records: &'m [Entry],
    /// What is left of this round.
    rest: slice::Iter<'m, Entry>,
    /// How many records there were, in the header.
    count: &'m AtomicU64,
}

/// Counts what is written nowhere.
static NOWHERE: AtomicU64 = AtomicU64::new(0);

fn store(entry: &[AtomicU64], words: &[u64]) {
    entry.iter().zip(words).for_each(|(word, value)| word.store(*value, Ordering::Relaxed));
}

fn head(time: u32, set: Option<u8>, raw: &Raw) -> u64 {
    u64::from(raw.kind)
        | u64::from(set.unwrap_or(NO_SET)) << 8
        | u64::from(raw.small) << 16
        | u64::from(time) << 32
}

impl<'m> Writer<'m> {
    /// A trace of these sets and devices (with requester id and number of the set) in `memory`, which only this writer
    /// changes. Goes on where an earlier life of the server stopped, if there was one.
    #[must_use]
    pub fn new<S, D>(memory: &'m [AtomicU64], sets: S, devices: D) -> Self
    where
        S: IntoIterator<Item = Name, IntoIter: ExactSizeIterator>,
        D: IntoIterator<Item = (Name, u16, u16), IntoIter: ExactSizeIterator>,
    {
        let (sets, devices) = (sets.into_iter(), devices.into_iter());
        let counts = [sets.len() as u64, devices.len() as u64, 0, 0];
        let (entries, _) = memory.as_chunks();
        let tables = HEADER_ENTRIES + sets.len() + devices.len();
        let Some((tables, records)) = entries.split_at_checked(tables) else { return Self::nowhere() };
        let [header, numbers, names @ ..] = tables else { return Self::nowhere() };
        let [magic, version, count, room] = header;

        let load = |word: &AtomicU64| word.load(Ordering::Relaxed);
        let known = load(magic) == MAGIC
            && [load(version), load(room)] == [VERSION, records.len() as u64]
            && numbers.each_ref().map(load) == counts;
        let written = if known { load(count) } else { 0 };

        let sets = sets.map(|name| (name, 0));
        let devices = devices.map(|(name, source, set)| (name, u64::from(source) | u64::from(set) << 16));
        for (entry, (name, word)) in names.iter().zip(sets.chain(devices)) {
            let [first, second, third] = name.to_words();
            store(entry, &[first, second, third, word]);
        }
        store(numbers, &counts);
        version.store(VERSION, Ordering::Relaxed);
        room.store(records.len() as u64, Ordering::Relaxed);
        count.store(written, Ordering::Relaxed);
        // Whoever finds the magic finds the rest.
        magic.store(MAGIC, Ordering::Release);
        let next = written.checked_rem(records.len() as u64).and_then(|next| usize::try_from(next).ok());
        let rest = records.get(next.unwrap_or(0)..).unwrap_or_default().iter();
        Self { records, rest, count }
    }

    /// A trace that nobody reads.
    #[must_use]
    pub fn nowhere() -> Self {
        Self { records: &[], rest: [].iter(), count: &NOWHERE }
    }

    /// Writes that something happened, by `time`, in or to the set of that number. Never waits and never fails.
    pub fn push(&mut self, time: u32, set: Option<u8>, event: Event) {
        self.push_with(time, set, event, || ());
    }

    /// The same, and does what belongs to the begin of a round where one begins with it: what each set has is to be stated
    /// then.
    #[inline(always)]
    pub fn push_with(&mut self, time: u32, set: Option<u8>, event: Event, begun: impl FnOnce()) {
        let raw = event.encode();
        let Some([first, others @ ..]) = self.rest.next().or_else(|| self.begin_round(begun)) else { return };
        // A reader that sees the new words below also sees that all records before them were counted.
        fence(Ordering::Release);
        first.store(head(time, set, &raw), Ordering::Relaxed);
        store(others, &raw.words[..raw.len]);
        self.count.store(self.count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
    }

    #[cold]
    fn begin_round(&mut self, begun: impl FnOnce()) -> Option<&'m Entry> {
        self.rest = self.records.iter();
        self.rest.next().inspect(|_| begun())
    }

    /// Writes that a call was refused, as [`push_with`](Self::push_with) does. A call that is refused again and again takes
    /// one record.
    pub fn refused(
        &mut self,
        time: u32,
        set: u8,
        operation: u64,
        code: u16,
        total: u64,
        begun: impl FnOnce(),
    ) {
        let operation = u16::try_from(operation).unwrap_or(u16::MAX);
        let event = |times| Event::Refused { operation, code, times, total };
        let last =
            (self.records.len() - self.rest.len()).checked_sub(1).and_then(|last| self.records.get(last));
        let load = |word: &AtomicU64| word.load(Ordering::Relaxed);
        let raw = event(1).encode();
        let same_head = |entry: &Entry| head(0, Some(set), &raw) == load(&entry[0]) & 0xffff_ffff;
        match last.filter(|entry| same_head(entry) && load(&entry[1]) == u64::from(code)) {
            Some([word, _, times, sum]) => {
                word.store(head(time, Some(set), &raw), Ordering::Relaxed);
                times.store((load(times) + 1).min(u32::MAX.into()), Ordering::Relaxed);
                sum.store(total, Ordering::Relaxed);
            }
            None => self.push_with(time, Some(set), event(1), begun),
        }
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! A tool's end: a copy of the region, read outside the machine.

use crate::event::Event;
use crate::{ENTRY_BYTES, ENTRY_WORDS, HEADER_ENTRIES, MAGIC, NO_SET, Name, VERSION};

type Entry = [u64; ENTRY_WORDS];

/// Why memory holds no trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It begins with something else: the server has not started yet, or writes its trace elsewhere.
    #[error("no trace is there yet")]
    Magic,
    /// It is of another version.
    #[error("the trace is of version {0}, and this tool reads version {VERSION}")]
    Version(u64),
    /// It ends before what its header names.
    #[error("the trace is cut short: its header names {0} bytes")]
    Short(u64),
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number, from 1.
    pub number: u64,
    /// The server's time: calls and interrupts since it started.
    pub time: u32,
    /// The set that it is of.
    pub set: Option<u8>,
    /// What happened; `None` where this version does not know.
    pub event: Option<Event>,
}

/// A device that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its name.
    pub name: Name,
    /// Its requester id: bus 15:8, device 7:3, function 2:0.
    pub source: u16,
    /// The number of the set of the client that it belongs to.
    pub set: u16,
}

/// A copy of a trace.
#[derive(Clone, Copy, Debug)]
pub struct Trace<'a> {
    written: u64,
    sets: &'a [Entry],
    devices: &'a [Entry],
    records: &'a [Entry],
}

impl<'a> Trace<'a> {
    /// The trace in a copy of its memory.
    ///
    /// # Errors
    /// [`Error`], where it holds none that can be read.
    pub fn read(words: &'a [u64]) -> Result<Self, Error> {
        let (entries, _) = words.as_chunks::<ENTRY_WORDS>();
        let [[magic, version, written, room], [sets, devices, ..], rest @ ..] = entries else {
            return Err(Error::Magic);
        };
        if *magic != MAGIC {
            return Err(Error::Magic);
        }
        if *version != VERSION {
            return Err(Error::Version(*version));
        }
        let entries =
            [*sets, *devices, *room, HEADER_ENTRIES as u64].into_iter().fold(0, u64::saturating_add);
        let short = || Error::Short(entries.saturating_mul(ENTRY_BYTES as u64));
        let split = |entries: &'a [Entry], count: u64| {
            let count = usize::try_from(count).map_err(|_| short())?;
            entries.split_at_checked(count).ok_or_else(short)
        };
        let (sets, rest) = split(rest, *sets)?;
        let (devices, rest) = split(rest, *devices)?;
        let (records, _) = split(rest, *room)?;
        Ok(Self { written: *written, sets, devices, records })
    }

    /// Records that had ever been written when the copy was begun.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// How many records there is room for.
    #[must_use]
    pub fn room(&self) -> u64 {
        self.records.len() as u64
    }

    /// The names of the sets, by number.
    pub fn sets(&self) -> impl ExactSizeIterator<Item = Name> + use<'a> {
        self.sets.iter().map(|&[first, second, third, _]| Name::from_words([first, second, third]))
    }

    /// The devices.
    pub fn devices(&self) -> impl ExactSizeIterator<Item = Device> + use<'a> {
        self.devices.iter().map(|&[first, second, third, word]| Device {
            name: Name::from_words([first, second, third]),
            source: u16::try_from(word & 0xffff).unwrap_or(0),
            set: u16::try_from(word >> 16 & 0xffff).unwrap_or(0),
        })
    }

    /// The records that are whole, oldest first. `written_since` is what the header counted after the copy was made:
    /// what may have been overwritten meanwhile is left out, and with it the record whose place is the next to be
    /// written. Of a system that stands still it is [`written`](Self::written).
    pub fn records(&self, written_since: u64) -> impl Iterator<Item = Record> + use<'a> {
        let records = self.records;
        let room = records.len() as u64;
        let newest = written_since.max(self.written);
        let oldest = newest.saturating_add(1).saturating_sub(room).saturating_add(1);
        (oldest..=self.written).filter_map(move |number| {
            let place = usize::try_from((number - 1).checked_rem(room)?).ok()?;
            let &[head, first, second, third] = records.get(place)?;
            let byte = |shift: u32| u8::try_from(head >> shift & 0xff).unwrap_or(0);
            let small = u16::try_from(head >> 16 & 0xffff).unwrap_or(0);
            Some(Record {
                number,
                time: u32::try_from(head >> 32).unwrap_or(0),
                set: Some(byte(8)).filter(|&set| set != NO_SET),
                event: Event::decode(byte(0), small, [first, second, third]),
            })
        })
    }
}

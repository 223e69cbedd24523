// SPDX-License-Identifier: BSD-2-Clause
//! A copy of the trace's memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use ioasid_trace::Trace;
use thiserror::Error;

use crate::Place;

/// No region of a trace is longer than this: a file that is something else is not read to its end.
const MOST_BYTES: u64 = 1 << 30;

/// A copy of the trace's memory, and how far the server had come when it was complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    words: Vec<u64>,
    /// Records that had been written when the copy was complete.
    written_since: u64,
}

/// Why there is no copy.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file ends before the region does.
    #[error("the file has {0:#x} bytes, and the trace lies behind its end")]
    Short(u64),
    /// The file is longer than any trace.
    #[error("the file has {0:#x} bytes: no trace is that long")]
    Long(u64),
    /// There is no trace in it that can be read.
    #[error(transparent)]
    Trace(#[from] ioasid_trace::Error),
}

/// Where the header counts records, in bytes.
const COUNT_AT: u64 = 16;

impl Snapshot {
    /// The trace in the file of a machine's memory, which may change at any time.
    ///
    /// # Errors
    /// [`SnapshotError`]; [`SnapshotError::Trace`] where the server has not begun.
    pub fn of_memory(file: &File, place: Place) -> Result<Self, SnapshotError> {
        let length = file.metadata()?.len();
        if place.address.checked_add(place.bytes).is_none_or(|end| end > length) {
            return Err(SnapshotError::Short(length));
        }
        if place.bytes > MOST_BYTES {
            return Err(SnapshotError::Long(place.bytes));
        }
        let mut bytes = vec![0; usize::try_from(place.bytes).unwrap_or(0)];
        file.read_exact_at(&mut bytes, place.address)?;
        let mut count = [0; 8];
        file.read_exact_at(&mut count, place.address + COUNT_AT)?;
        let words: Vec<u64> = bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
        Trace::read(&words)?;
        Ok(Self { words, written_since: u64::from_le_bytes(count) })
    }

    /// The trace in a file that holds its region and nothing else.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn of_dump(file: &File) -> Result<Self, SnapshotError> {
        Self::of_memory(file, Place { address: 0, bytes: file.metadata()?.len() })
    }

    /// The trace.
    ///
    /// # Errors
    /// None after the snapshot was made.
    pub fn trace(&self) -> Result<Trace<'_>, ioasid_trace::Error> {
        Trace::read(&self.words)
    }

    /// Records that had been written when the copy was complete.
    #[must_use]
    pub fn written_since(&self) -> u64 {
        self.written_since
    }

    /// The region's bytes: a dump.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }
}

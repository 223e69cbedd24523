// SPDX-License-Identifier: BSD-2-Clause
//! The run that is watched.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use system_trace::{History, Place, Snapshot, SnapshotError};

/// How the run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// There is none yet.
    Waiting,
    /// It has begun, and the server has not.
    Booting,
    /// It is under way.
    Running,
    /// It has ended; what is shown is how it ended.
    Ended,
    /// Its memory cannot be read.
    Unreadable(String),
}

/// Where runs keep their memory, and the one that is watched.
#[derive(Debug)]
pub struct Source {
    memory: PathBuf,
    place: Place,
    /// The memory of the run that is watched. It can be read when the run has ended and its file is gone.
    run: Option<File>,
}

impl Source {
    /// Runs that keep their memory in the file `memory`, with the trace at `place`.
    #[must_use]
    pub fn new(memory: PathBuf, place: Place) -> Self {
        Self { memory, place, run: None }
    }

    /// How the run is now, and what its trace tells where there is one.
    pub fn look(&mut self) -> (State, Option<History>) {
        let now = File::open(&self.memory).ok();
        let id = |file: &File| file.metadata().ok().map(|data| (data.dev(), data.ino()));
        let same = matches!((&self.run, &now), (Some(run), Some(now)) if id(run) == id(now));
        let under_way = now.is_some();
        if under_way && !same {
            self.run = now;
        }
        let Some(run) = &self.run else { return (State::Waiting, None) };
        match Snapshot::of_memory(run, self.place) {
            Ok(snapshot) => {
                let history =
                    snapshot.trace().ok().map(|trace| History::of(&trace, snapshot.written_since()));
                (if under_way { State::Running } else { State::Ended }, history)
            }
            // QEMU gives the file its length after it has made it.
            Err(SnapshotError::Trace(ioasid_trace::Error::Magic) | SnapshotError::Short(_)) => {
                (if under_way { State::Booting } else { State::Ended }, None)
            }
            Err(error) => (State::Unreadable(error.to_string()), None),
        }
    }
}

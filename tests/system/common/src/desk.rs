// SPDX-License-Identifier: BSD-2-Clause
//! The page that the domains of the scenario `stress` share.

use sel4_microkit::Channel;

use crate::Registers;

const STOP: usize = 0;

/// The shared page.
#[derive(Debug, Clone, Copy)]
pub struct Desk(Registers);

/// What a worker did. Each worker has its own line of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Rounds.
    pub rounds: u64,
    /// Rounds in which FPU state or a reply was wrong.
    pub wrong: u64,
}

impl Desk {
    /// The page that `page` is.
    #[must_use]
    pub const fn new(page: Registers) -> Self {
        Self(page)
    }

    /// Tells the workers to stop.
    pub fn stop(self) {
        self.0.write64(STOP, 1);
    }

    /// Whether the workers are to stop.
    #[must_use]
    pub fn stopped(self) -> bool {
        self.0.read64(STOP) != 0
    }

    /// States the work of the worker whose channel is `worker`.
    pub fn put(self, worker: Channel, work: Work) {
        self.0.write64(worker.index() * 64, work.rounds);
        self.0.write64(worker.index() * 64 + 8, work.wrong);
    }

    /// The work of the worker whose channel is `worker`.
    #[must_use]
    pub fn get(self, worker: Channel) -> Work {
        let rounds = self.0.read64(worker.index() * 64);
        Work { rounds, wrong: self.0.read64(worker.index() * 64 + 8) }
    }
}

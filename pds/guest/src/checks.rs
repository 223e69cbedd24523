// SPDX-License-Identifier: BSD-2-Clause
//! What was checked: a line of the log each, and a count for the supervisor.

use core::fmt::Debug;

use sel4_microkit::Channel;
use supervisor_api::Report;

pub struct Checks {
    supervisor: Channel,
    report: Report,
}

impl Checks {
    pub fn new(supervisor: Channel) -> Self {
        Self { supervisor, report: Report::default() }
    }

    /// Checks that a statement holds.
    pub fn holds(&mut self, statement: &str, holds: bool) {
        self.equal(statement, holds, true);
    }

    /// Checks that what was found is what was expected.
    pub fn equal<T: PartialEq + Debug>(&mut self, statement: &str, found: T, expected: T) {
        if found == expected {
            self.report.passed += 1;
            log::info!("ok    {statement}");
        } else {
            self.report.failed += 1;
            log::error!("FAIL  {statement}: found {found:?}, expected {expected:?}");
        }
    }

    /// Tells the supervisor. Ends the checks.
    pub fn report(self) {
        supervisor_api::send(self.supervisor, self.report);
    }
}

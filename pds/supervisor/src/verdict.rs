// SPDX-License-Identifier: BSD-2-Clause
//! What the run comes to: the sets' table and the line that tells success from failure.

use ioasid_microkit::{Client, Usage};
use sel4_microkit::Channel;
use supervisor_api::Report;

use crate::Guest;

/// All checks so far.
#[derive(Default)]
pub struct Verdict {
    total: Report,
}

impl Verdict {
    pub fn add(&mut self, report: Report) {
        self.total.passed += report.passed;
        self.total.failed += report.failed;
    }

    pub fn check(&mut self, statement: &str, holds: bool) {
        if holds {
            log::info!("ok    {statement}");
            self.total.passed += 1;
        } else {
            log::error!("FAIL  {statement}");
            self.total.failed += 1;
        }
    }

    pub fn is_good(&self) -> bool {
        self.total.failed == 0 && self.total.passed > 0
    }

    /// Looks at every guest's set, then prints the table and the summary line.
    pub fn print(&mut self, server: Channel, guests: &[Guest]) {
        match ioasid_microkit::connect(server) {
            Ok(client) => self.sets(&client, guests),
            Err(error) => {
                log::error!("HELLO: {error}");
                self.check("the service answers the supervisor", false);
            }
        }
        log::info!("ioasid: {} checks passed, {} failed", self.total.passed, self.total.failed);
    }

    /// Looks at every guest's set; the table comes behind the checks.
    fn sets(&mut self, client: &Client, guests: &[Guest]) {
        let sets =
            (0..).zip(guests).map(|(set, guest)| (guest, client.set_usage(set), client.set_counters(set)));
        for (guest, usage, counters) in sets.clone() {
            log::info!("{}'s set:", guest.name);
            self.check("it is empty again", usage.is_ok_and(|usage| usage.used == 0));
            let faulted = counters.is_ok_and(|counters| (counters.faults > 0) == guest.drives);
            self.check("its faults were counted, and nobody else's", faulted);
        }
        let health = client.check();
        let healthy = health.is_ok_and(|health| health.quarantined == 0);
        self.check("the registry is consistent, and nothing is in quarantine", healthy);
        log::info!("set         reservation  limit   used   peak  faults");
        for (guest, usage, counters) in sets {
            if let (Ok(usage), Ok(counters)) = (usage, counters) {
                let (Usage { reservation, limit, used, peak }, faults) = (usage, counters.faults);
                log::info!("{:<12}{reservation:>11}{limit:>7}{used:>7}{peak:>7}{faults:>8}", guest.name);
            }
        }
    }
}

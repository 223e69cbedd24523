// SPDX-License-Identifier: BSD-2-Clause
//! Hears every report, looks at what the service says of each set, and ends the run.
#![no_std]
#![no_main]

use console_logger::LogRing;
use ioasid_microkit::Client;
use microkit_ioport::IoPort;
use sel4_microkit::{Channel, Handler, Infallible, MessageInfo, memory_region_symbol, protection_domain};
use test_vm::{CONSOLE, Checks, IOASID};

/// Whose reports are awaited: the channel here; the set is the place in this list, as in ioasid.toml.
const CLIENTS: [(&str, Channel); 3] =
    [("calm", Channel::new(2)), ("rogue", Channel::new(3)), ("neighbour", Channel::new(4))];

/// Bochs ends when it has read this at its port.
const END: (IoPort, u16, &[u8]) = (IoPort::new(0), 0x8900, b"Shutdown");

struct Judge {
    checks: Checks,
    heard: [bool; CLIENTS.len()],
}

#[protection_domain]
fn init() -> impl Handler {
    // SAFETY: the region is mapped readable and writable, and the console, which maps it too, only reads.
    unsafe { console_logger::install(memory_region_symbol!(log_ring: *mut LogRing), CONSOLE) };
    Judge { checks: Checks::default(), heard: [false; CLIENTS.len()] }
}

impl Judge {
    fn end(&mut self) {
        match ioasid_microkit::connect(IOASID) {
            Ok(client) => self.sets(&client),
            Err(error) => {
                log::error!("HELLO: {error}");
                self.checks.check("the service answers", false);
            }
        }
        let total = self.checks.report();
        log::info!("ioasid: {} checks passed, {} failed", total.passed, total.failed);
        let (port, address, word) = END;
        word.iter().for_each(|byte| {
            // Where there is no such port the run ends with the summary line alone.
            let _ = port.out8(address, *byte);
        });
    }

    fn sets(&mut self, client: &Client) {
        for (set, (name, _)) in (0..).zip(CLIENTS) {
            log::info!("{name}'s set:");
            let usage = client.set_usage(set);
            let (empty, full) =
                usage.map_or((false, false), |usage| (usage.used == 0, usage.peak == usage.limit));
            self.checks.check("it is empty again", empty);
            self.checks.check("it had been at its limit and never beyond", full);
        }
        let healthy = client.check().is_ok_and(|health| health.quarantined == 0);
        self.checks.check("the registry is consistent, and nothing is in quarantine", healthy);
    }
}

impl Handler for Judge {
    type Error = Infallible;

    fn protected(&mut self, channel: Channel, message: MessageInfo) -> Result<MessageInfo, Infallible> {
        let place = CLIENTS.iter().position(|(_, other)| *other == channel);
        if let (Some(place), Some(report)) = (place, supervisor_api::receive(&message)) {
            log::info!("{}: {} checks passed, {} failed", CLIENTS[place].0, report.passed, report.failed);
            self.checks.add(report);
            self.heard[place] = true;
            if self.heard.iter().all(|&heard| heard) {
                self.end();
            }
        }
        Ok(MessageInfo::default())
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! The supervisor: the guests' parent, and the one client that may look at every set.
//!
//! It starts the guests, hears what each of them checked, notices when one faults, and ends the run with a table
//! of the sets and the verdict.
#![no_std]
#![no_main]

mod verdict;

use console_logger::LogRing;
use microkit_ioport::IoPort;
use sel4_microkit::{
    Channel, Child, Handler, Infallible, MessageInfo, memory_region_symbol, protection_domain,
};

use verdict::Verdict;

/// This domain's channels, as in `system.xml`.
const CONSOLE: Channel = Channel::new(0);
const IOASID: Channel = Channel::new(1);

/// A guest: its name, its channel here, its number as a child, whether it drives a device; its set is its place in
/// this list and in `ioasid.toml`.
struct Guest {
    name: &'static str,
    channel: Channel,
    child: usize,
    drives: bool,
}

const GUESTS: [Guest; 3] = [
    Guest { name: "guest_a", channel: Channel::new(2), child: 0, drives: true },
    Guest { name: "guest_b", channel: Channel::new(3), child: 1, drives: true },
    Guest { name: "guest_c", channel: Channel::new(4), child: 2, drives: false },
];

/// QEMU's isa-debug-exit: the ioport's id in `system.xml` and its port.
const DEBUG_EXIT: IoPort = IoPort::new(0);
const DEBUG_EXIT_PORT: u16 = 0xf4;

struct Supervisor {
    verdict: Verdict,
    finished: [bool; GUESTS.len()],
}

#[protection_domain]
fn init() -> impl Handler {
    // SAFETY: the region is mapped readable and writable, and the console, which maps it too, only reads.
    unsafe { console_logger::install(memory_region_symbol!(log_ring: *mut LogRing), CONSOLE) };
    for guest in &GUESTS {
        log::info!("starting {}", guest.name);
        guest.channel.notify();
    }
    Supervisor { verdict: Verdict::default(), finished: [false; GUESTS.len()] }
}

impl Supervisor {
    /// Guest number `guest` is done; with the last one, the run is.
    fn finish(&mut self, guest: usize) {
        self.finished[guest] = true;
        if self.finished.iter().all(|&finished| finished) {
            self.verdict.print(IOASID, &GUESTS);
            let status = u8::from(!self.verdict.is_good());
            // Where there is no such port the run ends with the summary line alone.
            let _ = DEBUG_EXIT.out8(DEBUG_EXIT_PORT, status);
        }
    }
}

impl Handler for Supervisor {
    type Error = Infallible;

    fn protected(&mut self, channel: Channel, message: MessageInfo) -> Result<MessageInfo, Infallible> {
        let guest = GUESTS.iter().position(|guest| guest.channel == channel);
        if let (Some(guest), Some(report)) = (guest, supervisor_api::receive(&message)) {
            log::info!("{}: {} checks passed, {} failed", GUESTS[guest].name, report.passed, report.failed);
            self.verdict.add(report);
            if !self.finished[guest] {
                self.finish(guest);
            }
        }
        Ok(MessageInfo::default())
    }

    fn fault(&mut self, child: Child, _message: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        let guest = GUESTS.iter().position(|guest| guest.child == child.index());
        if let Some(guest) = guest.filter(|&guest| !self.finished[guest]) {
            log::error!("{} faulted before it had reported", GUESTS[guest].name);
            self.verdict.check("a guest runs to its end", false);
            self.finish(guest);
        }
        // No answer: the child stays stopped.
        Ok(None)
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! Hears of every end of a machine's life, looks at what the service says of each set then, takes a set away, and ends
//! the run.
#![no_std]
#![no_main]

use console_logger::LogRing;
use ioasid_microkit::{Client, Result, Share};
use microkit_ioport::IoPort;
use sel4_microkit::{Channel, Handler, Infallible, MessageInfo, memory_region_symbol, protection_domain};
use test_vm::{CONSOLE, Checks, IOASID, Word};

/// Who is judged: the set is the place in this list, as in ioasid.toml; the channel here is two more.
const CLIENTS: [&str; 3] = ["first machine", "second machine", "neighbour"];
const NEIGHBOUR: u16 = 2;
const FIRST: usize = 2;
/// Everybody's limit in ioasid.toml.
const QUOTA: u32 = 16;

/// Pieces of work that the neighbour does at least while a machine hangs or floods.
const PIECES: u64 = 10;

/// Bochs ends when it has read this at its port.
const END: (IoPort, u16, &[u8]) = (IoPort::new(0), 0x8900, b"Shutdown");

#[derive(Default)]
struct Judge {
    client: Option<Client>,
    checks: Checks,
    heard: [bool; CLIENTS.len()],
    /// The set that is to be ended, and the one that is.
    to_end: Option<u16>,
    ended: Option<u16>,
    /// Pieces that the neighbour has done, and had done when each one's present life began.
    pieces: u64,
    before: [u64; CLIENTS.len()],
}

#[protection_domain]
fn init() -> impl Handler {
    // SAFETY: the region is mapped readable and writable, and the console, which maps it too, only reads.
    unsafe { console_logger::install(memory_region_symbol!(log_ring: *mut LogRing), CONSOLE) };
    let client = ioasid_microkit::connect(IOASID);
    if let Err(error) = client {
        log::error!("HELLO: {error}");
    }
    Judge { client: client.ok(), ..Judge::default() }
}

impl Judge {
    /// What the service is asked for; an error is a failed check.
    fn ask<T>(&mut self, what: &str, question: impl FnOnce(&Client) -> Result<T>) -> Option<T> {
        let answer = self.client.as_ref().map(question);
        if !matches!(answer, Some(Ok(_))) {
            self.checks.check(what, false);
        }
        answer?.ok()
    }

    /// Whether nothing is left of the ids of `set`, the neighbour has all of its own but the one that it may just be
    /// changing, and has gone on if there was time.
    fn life_ended(&mut self, set: u16, long: bool) {
        let name = CLIENTS[usize::from(set)];
        if self.ended == Some(set) {
            self.ask("the set can be opened anew", |client| {
                client.open_set(set, Share { reservation: QUOTA, limit: QUOTA })
            });
            log::info!("the {name} begins anew: its set is opened again");
            self.ended = None;
        }
        let used = |client: &Client, set| Ok(client.set_usage(set)?.used);
        let left = self.ask("the machine's set", |client| used(client, set));
        let others = self.ask("the neighbour's set", |client| used(client, NEIGHBOUR));
        let before = core::mem::replace(&mut self.before[usize::from(set)], self.pieces);
        let pieces = self.pieces - before;
        log::info!("a life of the {name} ended; meanwhile the neighbour did {pieces} pieces of work");
        self.checks.check("s86: nothing is left of its ids", left == Some(0));
        let untouched = others.is_some_and(|used| (QUOTA - 1..=QUOTA).contains(&used));
        self.checks.check("s86: the neighbour has its own", untouched);
        if long {
            self.checks.check("and went on working", pieces >= PIECES);
        }
    }

    /// Ends a set with whatever is allocated in it.
    fn end_set(&mut self, set: u16) {
        let used = self.ask("the set to be ended", |client| client.set_usage(set)).map(|usage| usage.used);
        let freed = self.ask("the end of a set", |client| {
            let mut freed = 0;
            loop {
                let progress = client.free_set(set)?;
                freed += progress.done;
                if progress.more == 0 {
                    return Ok(freed);
                }
            }
        });
        self.checks.check("a set was ended with its quota allocated", [used, freed] == [Some(QUOTA); 2]);
        self.ended = Some(set);
    }

    fn progress(&mut self) -> u64 {
        self.pieces += 1;
        // The machine that wanted it is waiting for it by now.
        if let Some(set) = self.to_end.take() {
            self.end_set(set);
        }
        u64::from(self.heard[0] && self.heard[1])
    }

    fn end(&mut self) {
        for (set, name) in (0..).zip(CLIENTS) {
            let usage = self.ask("a set", |client| client.set_usage(set));
            let (used, peak) = usage.map_or((u32::MAX, 0), |usage| (usage.used, usage.peak));
            log::info!("the {name}'s set: {used} ids, at most {peak}");
            self.checks
                .check("it is empty, and had been at its limit and never beyond", (used, peak) == (0, QUOTA));
        }
        let healthy = self.ask("the registry", Client::check).is_some_and(|health| health.quarantined == 0);
        self.checks.check("the registry is consistent, and nothing is in quarantine", healthy);
        let total = self.checks.report();
        log::info!("ioasid: {} checks passed, {} failed", total.passed, total.failed);
        let (port, address, word) = END;
        word.iter().for_each(|byte| {
            // Where there is no such port the run ends with the summary line alone.
            let _ = port.out8(address, *byte);
        });
    }
}

impl Handler for Judge {
    type Error = Infallible;

    fn protected(
        &mut self,
        channel: Channel,
        message: MessageInfo,
    ) -> core::result::Result<MessageInfo, Infallible> {
        let place = channel.index() - FIRST;
        let set = u16::try_from(place).unwrap_or(u16::MAX);
        let mut answer = 0;
        match (Word::of(&message), supervisor_api::receive(&message)) {
            (Some(Word::LifeEnded), _) => self.life_ended(set, false),
            (Some(Word::LongLifeEnded), _) => self.life_ended(set, true),
            (Some(Word::TakeAll), _) => self.to_end = Some(set),
            (Some(Word::Progress), _) => answer = self.progress(),
            (None, Some(report)) => {
                log::info!(
                    "the {}: {} checks passed, {} failed",
                    CLIENTS[place],
                    report.passed,
                    report.failed
                );
                self.checks.add(report);
                self.heard[place] = true;
                if self.heard.iter().all(|&heard| heard) {
                    self.end();
                }
            }
            (None, None) => self.checks.check("a message that means something", false),
        }
        Ok(MessageInfo::new(answer, 0))
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! What the domains of the systems with machines share: channels, checks that are counted, and a machine with its story.
#![no_std]

mod story;

use core::ptr::NonNull;
use core::sync::atomic::AtomicU64;

use console_logger::LogRing;
use sel4_microkit::{Channel, MessageInfo};
use supervisor_api::Report;
use virtual_vtd::WORDS;
use vmm::{Bounds, Monitor, Program, Regions};

pub use story::{End, Story};

/// The channels of every domain here but the judge.
pub const CONSOLE: Channel = Channel::new(0);
/// To the service.
pub const IOASID: Channel = Channel::new(1);
/// To the judge.
pub const JUDGE: Channel = Channel::new(2);

/// What is said to the judge beside reports: labels of calls without words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Word {
    /// A life of the caller's machine has ended, and what it had is given back.
    LifeEnded = 0x10,
    /// As that, and it was a long one.
    LongLifeEnded = 0x13,
    /// The set of the caller is to be ended, later.
    TakeAll = 0x11,
    /// The caller has done a piece of its work. The answer's label says whether it is to stop.
    Progress = 0x12,
}

impl Word {
    /// Says it; gives the answer's label.
    pub fn say(self) -> u64 {
        JUDGE.pp_call(MessageInfo::new(self as u64, 0)).label()
    }

    /// What a message says, if it is one of these.
    #[must_use]
    pub fn of(message: &MessageInfo) -> Option<Self> {
        let words = [Self::LifeEnded, Self::LongLifeEnded, Self::TakeAll, Self::Progress];
        words.into_iter().find(|word| (message.label(), message.count()) == (*word as u64, 0))
    }
}

/// Checks, counted; each is a line of the log.
#[derive(Debug, Default)]
pub struct Checks(Report);

impl Checks {
    /// States whether something holds.
    pub fn check(&mut self, text: &str, holds: bool) {
        if holds {
            log::info!("ok    {text}");
            self.0.passed += 1;
        } else {
            log::error!("FAIL  {text}");
            self.0.failed += 1;
        }
    }

    /// Counts what another domain reported.
    pub fn add(&mut self, report: Report) {
        self.0.passed += report.passed;
        self.0.failed += report.failed;
    }

    /// The count.
    #[must_use]
    pub fn report(&self) -> Report {
        self.0
    }
}

/// The machine of this domain, whose guest plays `part`, and whose lives are to end like `ends` says.
///
/// # Safety
/// `log` is this domain's log ring, and the regions its machine's: all mapped, those that are written readable and
/// writable, for as long as the domain lives. The guest's memory is as large as its crate says.
pub unsafe fn machine(
    log: NonNull<LogRing>,
    ram: NonNull<u8>,
    unit: NonNull<[AtomicU64; WORDS]>,
    events: NonNull<[AtomicU64]>,
    part: u64,
    ends: &'static [End],
) -> Monitor<Story> {
    let lives = u32::try_from(ends.len()).unwrap_or(u32::MAX);
    let program =
        Program { image: vmm_guest::image(), base: vmm_guest::BASE, stack: vmm_guest::STACK, argument: part };
    let bounds = Bounds { lives, timer: 200_000, idle_looks: 20 };
    // SAFETY: the caller vouches for the mappings; those who share them do so by atomics alone.
    unsafe {
        console_logger::install(log, CONSOLE);
        let regions = Regions { ram: (ram, vmm_guest::MEMORY), unit, events };
        Monitor::new(regions, IOASID, program, bounds, Story::new(ends))
    }
}

/// What a monitor's `main` is: its own regions, and what its guest does.
#[macro_export]
macro_rules! monitor {
    ($part:expr, $ends:expr) => {
        #[sel4_microkit::protection_domain]
        fn init() -> impl sel4_microkit::Handler {
            use sel4_microkit::memory_region_symbol;
            const ENDS: &[$crate::End] = $ends;
            // SAFETY: the regions are mapped so in system.xml.
            unsafe {
                $crate::machine(
                    memory_region_symbol!(log_ring: *mut console_logger::LogRing),
                    memory_region_symbol!(guest_ram: *mut u8),
                    memory_region_symbol!(unit: *mut [core::sync::atomic::AtomicU64; virtual_vtd::WORDS]),
                    memory_region_symbol!(events: *mut [core::sync::atomic::AtomicU64], n = virtual_vtd::WORDS),
                    $part,
                    ENDS,
                )
            }
        }
    };
}

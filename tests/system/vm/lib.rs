// SPDX-License-Identifier: BSD-2-Clause
//! What the domains of this scenario share: channels, checks that are counted, and a machine of two parts.
#![no_std]

use core::ptr::NonNull;
use core::sync::atomic::AtomicU64;

use console_logger::LogRing;
use microkit_vcpu::Vcpu;
use sel4_microkit::Channel;
use supervisor_api::Report;
use virtual_vtd::{Layout, Page, WORDS};
use vmm::{Bounds, GuestRam, Ids, Listener, Monitor, Program, Reason};

/// The channels of every domain here but the judge.
pub const CONSOLE: Channel = Channel::new(0);
/// To the service.
pub const IOASID: Channel = Channel::new(1);
/// To the judge.
pub const JUDGE: Channel = Channel::new(2);

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

/// How each life of a machine is to end, and with how many ids.
#[derive(Debug)]
pub struct Story {
    ends: &'static [(Reason, usize)],
    life: usize,
    checks: Checks,
}

impl Listener for Story {
    fn said(&mut self, text: &str, value: u64) {
        log::info!("      {text}: {value}");
    }

    fn checked(&mut self, text: &str, holds: bool) {
        self.checks.check(text, holds);
    }

    fn ended(&mut self, reason: Reason, freed: usize) {
        log::info!("      life {} ended: {reason:?}, {freed} PASIDs given back", self.life);
        let expected = self.ends.get(self.life) == Some(&(reason, freed));
        self.checks.check("it ended as it was meant to, and all its PASIDs came back", expected);
        self.life += 1;
    }

    fn off(&mut self) {
        supervisor_api::send(JUDGE, self.checks.report());
    }
}

/// A machine whose guest plays `part`.
///
/// # Safety
/// `log` is this domain's log ring, `ram` as much of the guest's memory as `ram_bytes` says, and `page` the page of its
/// unit's registers: all mapped, readable and writable, for as long as the domain lives.
pub unsafe fn machine(
    log: NonNull<LogRing>,
    (ram, ram_bytes): (NonNull<u8>, usize),
    page: NonNull<[AtomicU64; WORDS]>,
    part: u64,
    ends: &'static [(Reason, usize)],
) -> Monitor<Story> {
    // SAFETY: the caller vouches for the mappings; guest and console share them by atomics alone.
    let (ram, words) = unsafe {
        console_logger::install(log, CONSOLE);
        (GuestRam::new(ram, ram_bytes), page.as_ref())
    };
    let client = ioasid_microkit::connect(IOASID).expect("the service speaks this version");
    Monitor {
        vcpu: Vcpu::new(0),
        ram,
        page: Page::new(words, Layout::REVISION_3_3),
        ids: Ids::new(client),
        program: Program {
            image: vmm_guest::image(),
            base: vmm_guest::BASE,
            stack: vmm_guest::STACK,
            argument: part,
        },
        bounds: Bounds { lives: 3, timer: 1_000_000, idle_looks: 50 },
        listener: Story { ends, life: 0, checks: Checks::default() },
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! A client without a machine that takes interrupts of the real-time clock, and changes an id of its own at each.
#![no_std]
#![no_main]

use console_logger::LogRing;
use ioasid_microkit::{Client, Error, Handle};
use microkit_ioport::IoPort;
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, memory_region_symbol, protection_domain};
use system_test::fpu;
use test_vm::{CONSOLE, Checks, IOASID, JUDGE, Word};

/// The clock's index and data ports, and its interrupt.
const CLOCK: (IoPort, u16, u16) = (IoPort::new(0), 0x70, 0x71);
const TICK: Channel = Channel::new(10);
/// Registers of the clock, and what makes it interrupt 2,048 times a second.
const REGISTER_A: (u8, u8) = (0x0a, 0x25);
const REGISTER_B: (u8, u8) = (0x0b, 0x42);
const REGISTER_C: u8 = 0x0c;
/// Interrupts between two words to the judge.
const PIECE: u64 = 100;
/// Interrupts that there must have been to the end.
const ENOUGH: u64 = 20_000;
/// Its limit in ioasid.toml.
const QUOTA: usize = 16;

struct Ticker {
    client: Option<Client>,
    checks: Checks,
    ids: [Option<Handle>; QUOTA],
    ticks: u64,
    /// Ticks at which a call was refused or floating-point state was lost.
    wrong: u64,
    stopped: bool,
}

fn read(register: u8) -> u8 {
    let (ports, index, data) = CLOCK;
    // A port that is not there shows in the number of ticks.
    let _ = ports.out8(index, register);
    ports.in8(data).unwrap_or(0)
}

fn write((register, value): (u8, u8)) {
    let (ports, index, data) = CLOCK;
    let _ = ports.out8(index, register);
    let _ = ports.out8(data, value);
}

/// Lets the next interrupt in, and only then has the clock lower its line, so that no rise of it is missed.
fn take_interrupt() -> bool {
    let let_in = TICK.irq_ack().is_ok();
    let _ = read(REGISTER_C);
    let_in
}

#[protection_domain]
fn init() -> impl Handler {
    // SAFETY: the region is mapped readable and writable, and the console, which maps it too, only reads.
    unsafe { console_logger::install(memory_region_symbol!(log_ring: *mut LogRing), CONSOLE) };
    let client = ioasid_microkit::connect(IOASID).ok();
    let mut ids = [None; QUOTA];
    for id in &mut ids {
        *id = client.and_then(|client| client.alloc(1..=0xf_ffff, 0).ok());
    }
    fpu::load(0);
    write(REGISTER_A);
    write(REGISTER_B);
    let _ = take_interrupt();
    Ticker { client, checks: Checks::default(), ids, ticks: 0, wrong: 0, stopped: false }
}

impl Ticker {
    fn change(&mut self) -> Result<(), Error> {
        let (Some(client), Some(oldest)) = (self.client, self.ids.first_mut()) else { return Ok(()) };
        if let Some(id) = oldest.take() {
            client.free(id)?;
        }
        *oldest = Some(client.alloc(1..=0xf_ffff, self.ticks)?);
        self.ids.rotate_left(1);
        Ok(())
    }

    fn tick(&mut self) {
        let lost = fpu::UNTOUCHED && !fpu::matches(self.ticks);
        self.wrong += u64::from(self.change().is_err() || lost);
        self.ticks += 1;
        fpu::load(self.ticks);
    }

    fn report(&mut self) {
        write((REGISTER_B.0, 0x02));
        let freed = self
            .ids
            .iter_mut()
            .filter_map(Option::take)
            .filter(|id| self.client.is_some_and(|client| client.free(*id).is_ok()));
        let freed = freed.count();
        log::info!("      {} interrupts", self.ticks);
        self.checks.check("there were 20000 interrupts at least", self.ticks >= ENOUGH);
        self.checks.check("at none of them a call was refused or state was lost", self.wrong == 0);
        self.checks.check("its ids were all its own to the end", freed == QUOTA);
        supervisor_api::send(JUDGE, self.checks.report());
    }
}

impl Handler for Ticker {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if self.stopped || !channels.iter().any(|channel| channel == TICK) {
            return Ok(());
        }
        self.tick();
        self.wrong += u64::from(!take_interrupt());
        if self.ticks.is_multiple_of(PIECE) && Word::Progress.say() != 0 {
            self.stopped = true;
            self.report();
        }
        Ok(())
    }
}

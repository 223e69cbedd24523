// SPDX-License-Identifier: BSD-2-Clause
//! A machine whose guest measures its commands, and its monitor, which measures a call that does nothing and prints all
//! of it side by side.
#![no_std]
#![no_main]

use core::arch::x86_64::_rdtsc;
use core::sync::atomic::AtomicU64;

use console_logger::LogRing;
use sel4_microkit::{
    Channel, Handler, MessageInfo, memory_region_symbol, protection_domain, with_msg_regs_mut,
};
use virtual_vtd::WORDS;
use vmm::{Bounds, Call, Listener, Monitor, Program, Reason, Regions};
use vmm_guest::{TURNS, hypercall};

const CONSOLE: Channel = Channel::new(0);
const IOASID: Channel = Channel::new(1);
const NULL: Channel = Channel::new(2);
const TEXT: usize = 32;

/// Hears of the figures.
struct Table {
    /// Ticks of the null call, and of a turn of the guest's loop around nothing.
    null: u64,
    empty: u64,
    right: bool,
}

#[protection_domain]
fn init() -> impl Handler {
    // SAFETY: the regions are mapped so in system.xml, and the guest's memory is as large as its crate says.
    unsafe {
        console_logger::install(memory_region_symbol!(log_ring: *mut LogRing), CONSOLE);
        let regions = Regions {
            ram: (memory_region_symbol!(guest_ram: *mut u8), vmm_guest::MEMORY),
            unit: memory_region_symbol!(unit: *mut [AtomicU64; WORDS]),
            events: memory_region_symbol!(events: *mut [AtomicU64], n = WORDS),
        };
        let program = Program {
            image: vmm_guest::image(),
            base: vmm_guest::BASE,
            stack: vmm_guest::STACK,
            argument: vmm_guest::part::MEASURE,
        };
        let bounds = Bounds { lives: 1, timer: 200_000, idle_looks: 20 };
        let table = Table { null: null_call(), empty: 0, right: true };
        log::info!("{:<26}{:>8}{:>8}{:>8}", "in a virtual machine", "ticks", "exits", "x null");
        table.row("null call, two words", table.null, None);
        Monitor::new(regions, IOASID, program, bounds, table)
    }
}

/// The mean ticks of a call that does nothing, with two words each way.
fn null_call() -> u64 {
    let call = |_| {
        with_msg_regs_mut(|registers| registers[..2].copy_from_slice(&[1, 2]));
        NULL.pp_call(MessageInfo::new(0, 2));
    };
    // The first ones warm up what there is to be warmed up.
    (0..TURNS).for_each(call);
    let before = now();
    (0..TURNS).for_each(call);
    (now() - before) / TURNS
}

fn now() -> u64 {
    // SAFETY: RDTSC changes nothing but its two result registers, and the kernel leaves it to user code.
    unsafe { _rdtsc() }
}

impl Table {
    fn row(&self, what: &str, ticks: u64, exits: Option<u64>) {
        let ratio = ticks * 100 / self.null.max(1);
        let exits = exits.unwrap_or(0);
        log::info!("{what:<26}{ticks:>8}{exits:>8}{:>5}.{:02}", ratio / 100, ratio % 100);
    }
}

impl Listener for Table {
    fn call(&mut self, call: &mut Call<'_>) -> Result<(), Reason> {
        let number = |word: u64| word & 0xffff_ffff;
        let mut bytes = [0; TEXT];
        let bytes = call.ram.copy(number(call.registers.ebx), &mut bytes);
        let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        let text = core::str::from_utf8(text).unwrap_or("?");
        let (ecx, edx) = (number(call.registers.ecx), number(call.registers.edx));
        match number(call.registers.eax) {
            hypercall::SAY if text == "nothing" => self.empty = ecx / TURNS,
            hypercall::SAY => {
                // Exits that no turn asked for (the watchdog's looks) do not make one more each.
                self.row(text, (ecx / TURNS).saturating_sub(self.empty), Some(edx / TURNS));
            }
            hypercall::CHECK => self.right &= ecx != 0,
            hypercall::COUNT_EXITS => call.registers.eax = number(call.exits),
            hypercall::DONE => return Err(Reason::Done),
            _ => {}
        }
        Ok(())
    }

    fn ended(&mut self, reason: Reason, freed: usize) {
        let right = self.right && (reason, freed) == (Reason::Done, 0);
        log::info!("ioasid: {} checks passed, {} failed", u8::from(right), u8::from(!right));
    }
}

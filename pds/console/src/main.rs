// SPDX-License-Identifier: BSD-2-Clause
//! The console: prints the log rings of the other protection domains on COM1, line by line, each behind the name
//! of its domain.
//!
//! It is notified for each line and has no other work, so its priority may stand above the guests': then the
//! log is in the order in which things happened. What a notification costs is bounded by the rings' size.
#![no_std]
#![no_main]

mod printer;
mod uart;

use core::ptr::NonNull;

use log_ring::{Directory, Entry, LogRing, MAX_CHANNELS};
use microkit_ioport::IoPort;
use sel4_microkit::{ChannelSet, Handler, Infallible, memory_region_symbol, protection_domain};

use printer::Printer;
use uart::Uart;

/// COM1: the id of its `<ioport>` in `system.xml`, and where it is.
const COM1: IoPort = IoPort::new(0);
const COM1_BASE: u16 = 0x3f8;

struct Console {
    printers: [Option<Printer>; MAX_CHANNELS],
    uart: Uart,
}

/// The printer of a domain that logs.
fn printer(entry: &'static Entry) -> Option<Printer> {
    let ring =
        NonNull::new(core::ptr::with_exposed_provenance_mut::<LogRing>(usize::try_from(entry.vaddr).ok()?))?;
    // SAFETY: the build took the address off this domain's own map of the ring, which is never unmapped; a ring
    // consists of atomics alone.
    Some(Printer::new(entry.name(), unsafe { ring.as_ref() }))
}

#[protection_domain]
fn init() -> impl Handler {
    let memory = memory_region_symbol!(console_directory: *mut [u8], n = size_of::<Directory>());
    // SAFETY: the region is at least a page long, filled by the build, and mapped read-only by this domain alone.
    let directory = Directory::read(unsafe { memory.as_ref() });
    let entry = |channel| directory.and_then(|directory| directory.get(channel));
    let mut console = Console {
        printers: core::array::from_fn(|channel| entry(channel).and_then(printer)),
        uart: Uart::new(COM1, COM1_BASE),
    };
    // What was written before the console had started.
    console.printers.iter_mut().flatten().for_each(|printer| printer.print(&mut console.uart));
    console
}

impl Handler for Console {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        for channel in channels.iter() {
            if let Some(Some(printer)) = self.printers.get_mut(channel.index()) {
                printer.print(&mut self.uart);
            }
        }
        Ok(())
    }
}

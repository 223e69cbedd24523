// SPDX-License-Identifier: BSD-2-Clause
//! Measures what the service costs a client, beside a call of the same image that does nothing.
//!
//! The clock is the time stamp counter. Under QEMU's `-icount shift=0` it counts instructions, so the figures are the
//! same run after run; elsewhere they are a machine's cycles. The client is also the administrator: when it has done
//! with itself and another client has filled its set, it ends that.
#![no_std]
#![no_main]

mod calls;
mod clock;
mod longest;
mod memory;
mod table;

use console_logger::LogRing;
use ioasid_microkit::{Batch, Client, FindReader, Result};
use microkit_ioport::IoPort;
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, memory_region_symbol, protection_domain,
    with_msg_regs_mut,
};

use clock::Stopwatch;
use table::Table;

/// This domain's channels, as in `system.xml`.
const CONSOLE: Channel = Channel::new(0);
const IOASID: Channel = Channel::new(1);
const NULL: Channel = Channel::new(2);
const CROWD: Channel = Channel::new(3);

/// The other client's place in `ioasid.toml`.
const CROWDS_SET: u16 = 1;

/// QEMU's isa-debug-exit: the ioport's id in `system.xml` and its port.
const DEBUG_EXIT: IoPort = IoPort::new(0);
const DEBUG_EXIT_PORT: u16 = 0xf4;

/// Rounds of the null call.
const ROUNDS: u64 = 256;

/// Waits for the other client to be ready, unless its own part failed.
struct Administrator(Option<Client>);

#[protection_domain]
fn init() -> impl Handler {
    // SAFETY: the region is mapped readable and writable, and the console, which maps it too, only reads.
    unsafe { console_logger::install(memory_region_symbol!(log_ring: *mut LogRing), CONSOLE) };
    let client = ioasid_microkit::connect(IOASID).and_then(|client| measure(&client).map(|()| client));
    let client = client.inspect_err(|&error| end(Err(error))).ok();
    Administrator(client)
}

impl Handler for Administrator {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> core::result::Result<(), Infallible> {
        if let Some(client) = self.0.take() {
            end(longest::end_of_set(&client, CROWDS_SET));
        }
        Ok(())
    }
}

/// Ends the run.
fn end(done: Result<()>) {
    match done {
        Ok(()) => log::info!("ioasid: 1 checks passed, 0 failed"),
        Err(error) => log::error!("ioasid: 0 checks passed, 1 failed: {error}"),
    }
    // Where there is no such port the run ends with the line above alone.
    let _ = DEBUG_EXIT.out8(DEBUG_EXIT_PORT, done.is_err().into());
}

/// The figures, a line of the log each.
fn measure(client: &Client) -> Result<()> {
    let (find, batch) = (memory_region_symbol!(find_page: *mut _), memory_region_symbol!(batch_page: *mut _));
    // SAFETY: system.xml maps a page at each, the find page readable and the batch page writable, too.
    let (find, batch) = unsafe { (memory::words(find), memory::words(batch)) };
    let mut null = Stopwatch::default();
    for _ in 0..ROUNDS {
        null.time(|| {
            with_msg_regs_mut(|registers| registers[..2].copy_from_slice(&[1, 2]));
            NULL.pp_call(MessageInfo::new(0, 2))
        });
    }
    let table = Table::new(&null);
    let batch = Batch::new(*client, batch);
    let single = calls::singles(client, &FindReader::new(find), table)?;
    calls::batches(client, &batch, single, table)?;
    longest::own(client, &batch)?;
    CROWD.notify();
    Ok(())
}

// SPDX-License-Identifier: BSD-2-Clause
//! Measures what the service costs a client, beside a call of the same image that does nothing.
//!
//! The clock is the time stamp counter. Under QEMU's `-icount shift=0` it counts instructions, so the figures are the
//! same run after run; elsewhere they are a machine's cycles.
#![no_std]
#![no_main]

mod clock;

use console_logger::LogRing;
use ioasid_microkit::{Access, Client, Extent, RegionOffset, Result};
use microkit_ioport::IoPort;
use sel4_microkit::{
    Channel, Handler, MessageInfo, NullHandler, memory_region_symbol, protection_domain, with_msg_regs_mut,
};

use clock::Stopwatch;

/// This domain's channels, as in `system.xml`.
const CONSOLE: Channel = Channel::new(0);
const IOASID: Channel = Channel::new(1);
const NULL: Channel = Channel::new(2);

/// QEMU's isa-debug-exit: the ioport's id in `system.xml` and its port.
const DEBUG_EXIT: IoPort = IoPort::new(0);
const DEBUG_EXIT_PORT: u16 = 0xf4;

/// Rounds of each measurement; the first ones warm caches up.
const ROUNDS: u64 = 256;

/// Every id there is.
const ALL: core::ops::RangeInclusive<u32> = 1..=0xf_ffff;

const PAGE: Extent = Extent { pages: 1, access: Access::ReadWrite };
const SOURCE: RegionOffset = RegionOffset { region: 0, offset: 0 };
const IOVA: u64 = 0x1_0000;

#[protection_domain]
fn init() -> impl Handler {
    // SAFETY: the region is mapped readable and writable, and the console, which maps it too, only reads.
    unsafe { console_logger::install(memory_region_symbol!(log_ring: *mut LogRing), CONSOLE) };
    let done = ioasid_microkit::connect(IOASID).and_then(|client| measure(&client));
    let failed = u8::from(done.is_err());
    match done {
        Ok(()) => log::info!("ioasid: 1 checks passed, 0 failed"),
        Err(error) => log::error!("ioasid: 0 checks passed, 1 failed: {error}"),
    }
    // Where there is no such port the run ends with the line above alone.
    let _ = DEBUG_EXIT.out8(DEBUG_EXIT_PORT, failed);
    NullHandler::new()
}

/// The figures, a line of the log each.
fn measure(client: &Client) -> Result<()> {
    let mut null = Stopwatch::default();
    for _ in 0..ROUNDS {
        null.time(|| {
            with_msg_regs_mut(|registers| registers[..2].copy_from_slice(&[1, 2]));
            NULL.pp_call(MessageInfo::new(0, 2))
        });
    }
    log::info!("{:<22}{:>8}{:>8}{:>8}", "ticks a call", "least", "mean", "x null");
    let print = |name: &str, watch: &Stopwatch| {
        let ratio = watch.least() * 100 / null.least().max(1);
        log::info!("{name:<22}{:>8}{:>8}{:>5}.{:02}", watch.least(), watch.mean(), ratio / 100, ratio % 100);
    };
    print("null, two words", &null);

    let [mut alloc, mut find, mut free] = <[Stopwatch; 3]>::default();
    for _ in 0..ROUNDS {
        let handle = alloc.time(|| client.alloc(ALL, 0))?;
        find.time(|| client.find(handle.pasid))?;
        free.time(|| client.free(handle))?;
    }
    print("alloc", &alloc);
    print("find", &find);
    print("free", &free);

    let handle = client.alloc(ALL, 0)?;
    let [mut map, mut unmap] = <[Stopwatch; 2]>::default();
    for _ in 0..ROUNDS {
        map.time(|| client.map(handle, IOVA, SOURCE, PAGE))?;
        unmap.time(|| client.unmap(handle, IOVA, 1))?;
    }
    print("map 4 KiB", &map);
    print("unmap 4 KiB", &unmap);

    let [mut bind, mut unbind] = <[Stopwatch; 2]>::default();
    for _ in 0..ROUNDS {
        bind.time(|| client.bind(handle, 0))?;
        unbind.time(|| client.unbind(handle, 0))?;
    }
    print("bind", &bind);
    print("unbind", &unbind);
    client.free(handle)
}

// SPDX-License-Identifier: BSD-2-Clause
//! Copies a page with a device that does DMA, as `copier.c` does, and takes its place in the same system.
#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use console_logger::LogRing;
use guest_kit::edu::{Edu, Registers, Transfer};
use ioasid_microkit::{
    Access, Client, Code, Error, EventKind, EventReader, Extent, Handle, RegionOffset, Result,
};
use microkit_ioport::IoPort;
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, memory_region_symbol, protection_domain};

/// Channels and ports, as in `system.xml`.
const CONSOLE: Channel = Channel::new(0);
const IOASID: Channel = Channel::new(1);
const DEVICE: Channel = Channel::new(2);
const DEBUG_EXIT: (IoPort, u16) = (IoPort::new(3), 0xf4);

/// Places in the lists of this client in `ioasid.toml`.
const EDU: u16 = 0;
const SOURCE: RegionOffset = RegionOffset { region: 0, offset: 0 };
const SINK: RegionOffset = RegionOffset { region: 1, offset: 0 };

/// Where the device sees the regions: addresses of our choosing.
const SOURCE_IOVA: u64 = 0x1_0000;
const SINK_IOVA: u64 = 0x2_0000;
const NOWHERE: u64 = 0x3_0000;

/// Bytes of a region, and of what is copied.
const BYTES: usize = 0x1000;
const LENGTH: u64 = Edu::MAX_TRANSFER;

struct Copier {
    edu: Edu,
    events: EventReader<'static>,
    source: &'static [AtomicU8],
    sink: &'static [AtomicU8],
    /// Nothing where the service has refused something.
    job: Option<(Client, Handle)>,
    transfers: u32,
    passed: u32,
    failed: u32,
}

#[protection_domain]
fn init() -> impl Handler {
    // SAFETY: the region is mapped readable and writable, and the console, which maps it too, only reads.
    unsafe { console_logger::install(memory_region_symbol!(log_ring: *mut LogRing), CONSOLE) };
    let events = memory_region_symbol!(events: *mut [AtomicU64], n = BYTES / 8);
    let source = memory_region_symbol!(source: *mut [AtomicU8], n = BYTES);
    let sink = memory_region_symbol!(sink: *mut [AtomicU8], n = BYTES);
    // SAFETY: mapped for good, as long as it says in system.xml; the service and the device write, too: hence the
    // atomics. The device's BAR 0 is mapped for this domain alone.
    let (events, source, sink, registers) = unsafe {
        (
            events.as_ref(),
            source.as_ref(),
            sink.as_ref(),
            Registers::new(memory_region_symbol!(device: *mut u8)),
        )
    };
    let edu = Edu::new(registers, DEVICE);
    let events = EventReader::new(events);
    let mut copier = Copier { edu, events, source, sink, job: None, transfers: 0, passed: 0, failed: 0 };
    if let Err(error) = copier.begin() {
        copier.stopped(error);
    }
    copier
}

impl Copier {
    fn check(&mut self, text: &str, holds: bool) {
        log::info!("{}{text}", if holds { "ok    " } else { "FAIL  " });
        *(if holds { &mut self.passed } else { &mut self.failed }) += 1;
    }

    fn begin(&mut self) -> Result<()> {
        let client = ioasid_microkit::connect(IOASID)?;
        let id = client.alloc(1..=0xffff, 0)?;
        let page = |access| Extent { pages: 1, access };
        client.map(id, SOURCE_IOVA, SOURCE, page(Access::Read))?;
        client.map(id, SINK_IOVA, SINK, page(Access::Write))?;
        let more = client.map(id, NOWHERE, SOURCE, page(Access::ReadWrite));
        self.check("the source cannot be made writable", more == Err(Error::Refused(Code::AccessDenied)));
        client.bind(id, EDU)?;
        self.check("the device is bound", true);
        for (byte, value) in self.source.iter().zip((0..=u8::MAX).cycle()) {
            byte.store(value, Ordering::Relaxed);
        }
        self.edu.start(Transfer::ReadMemory, SOURCE_IOVA, LENGTH);
        self.job = Some((client, id));
        Ok(())
    }

    /// After each transfer of the device's: what it has done, and the next one.
    fn transferred(&mut self) -> Result<()> {
        let Some((client, id)) = self.job else { return Ok(()) };
        self.transfers += 1;
        match self.transfers {
            1 => self.edu.start(Transfer::WriteMemory, SINK_IOVA, LENGTH),
            2 => {
                let pairs = self.source.iter().zip(self.sink);
                let same = pairs.filter(|(a, b)| a.load(Ordering::Relaxed) == b.load(Ordering::Relaxed));
                let copied = same.count() as u64;
                self.check("every byte is copied", copied >= LENGTH);
                self.source.iter().for_each(|byte| byte.store(0, Ordering::Relaxed));
                self.edu.start(Transfer::WriteMemory, SOURCE_IOVA, LENGTH);
            }
            3 => {
                let kept = self.source.iter().all(|byte| byte.load(Ordering::Relaxed) == 0);
                self.check("the source is not written", kept);
                self.edu.start(Transfer::WriteMemory, NOWHERE, LENGTH);
            }
            _ => {
                let told = self.events.pop().is_some_and(|event| {
                    event.kind == EventKind::Fault && event.handle == Some(id) && event.address == NOWHERE
                });
                self.check("what was stopped is told", told);
                client.free(id)?;
                self.check("the id is freed", true);
                self.finish();
            }
        }
        Ok(())
    }

    fn stopped(&mut self, error: Error) {
        log::error!("{error:?}");
        self.check("nothing is refused", false);
        self.finish();
    }

    /// Ends the run with the line that it is judged by.
    fn finish(&self) {
        log::info!("ioasid: {} checks passed, {} failed", self.passed, self.failed);
        let (port, address) = DEBUG_EXIT;
        // Without the port the run ends by its watchdog.
        let _ = port.out8(address, u8::from(self.failed != 0));
    }
}

impl Handler for Copier {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> core::result::Result<(), Infallible> {
        if channels.iter().any(|channel| channel.index() == DEVICE.index())
            && self.edu.acknowledge()
            && let Err(error) = self.transferred()
        {
            self.stopped(error);
        }
        Ok(())
    }
}

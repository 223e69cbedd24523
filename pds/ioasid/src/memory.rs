// SPDX-License-Identifier: BSD-2-Clause
//! The domain's memory regions as what the server works with. The one file of the domain with unsafe code.

use core::ptr::{NonNull, with_exposed_provenance_mut};
use core::sync::atomic::{AtomicU16, AtomicU64, Ordering};

use ioasid_config::{Client, Config, MAX_CLIENTS, Window};
use ioasid_core::Memory;
use ioasid_core::allocator::channel::ChannelProvider;
use ioasid_server::{Pages, Parts, Spaces};
use pci::Ecam;
use vtd::mapped::{MappedFrames, MappedRegisters};

/// How many lives the domain has begun, and this one. A restart runs `init` again and leaves what is not zero at first
/// as it is.
static LIVES: AtomicU16 = AtomicU16::new(1);

/// Questions to the domains that stand behind custom allocators.
static mut PROVIDERS: [ChannelProvider; MAX_CLIENTS] = [const { ChannelProvider::new() }; MAX_CLIENTS];

/// Which domain of the unit is the space of which id.
static mut SPACES: Spaces = Spaces::new();

/// The configuration at `base`, or `None` and a line in the log.
pub fn config(base: NonNull<u8>) -> Option<&'static Config> {
    let memory = NonNull::slice_from_raw_parts(base, size_of::<Config>());
    // SAFETY: the build checks that the region is as large as a configuration; this domain alone maps it, read-only.
    let config = Config::read(unsafe { memory.as_ref() });
    config.inspect_err(|error| log::error!("ioasid.toml's configuration: {error}")).ok()
}

/// Where a window begins. The configuration names windows that are mapped; an address of 0 is none.
fn base<T>(window: &Window) -> NonNull<T> {
    let address = usize::try_from(window.vaddr).unwrap_or(0);
    NonNull::new(with_exposed_provenance_mut(address)).unwrap_or(NonNull::dangling())
}

fn bytes(window: &Window) -> usize {
    usize::try_from(window.size).unwrap_or(0)
}

/// Everything that the server works with. To be called once: it gives each region away.
pub fn parts(
    config: &'static Config,
    due: &'static AtomicU64,
) -> Parts<'static, MappedRegisters, MappedFrames, Ecam> {
    let unit = &config.unit;
    // SAFETY: all these regions were compared with system.xml when the image was built: each is mapped where the
    // configuration says, as long as it says, readable and writable, by this domain alone; registers and ECAM
    // uncached. Each is taken here once.
    let (registers, tables, pci, memory) = unsafe {
        (
            MappedRegisters::new(base(&unit.registers), bytes(&unit.registers)),
            MappedFrames::new(base(&unit.tables), unit.tables.paddr, bytes(&unit.tables) / 0x1000),
            Ecam::new(base(&unit.ecam), bytes(&unit.ecam)),
            registry(&unit.registry),
        )
    };
    // SAFETY: as above; mapped readable, and nobody writes there any more.
    let firmware =
        unsafe { NonNull::slice_from_raw_parts(base::<u8>(&unit.firmware), bytes(&unit.firmware)).as_ref() };
    let shared = |window: fn(&Client) -> &Window| {
        let mut pages: Pages<'static> = [None; MAX_CLIENTS];
        for (page, client) in
            pages.iter_mut().zip(config.clients()).filter(|(_, client)| window(client).vaddr != 0)
        {
            let window = window(client);
            let words = NonNull::slice_from_raw_parts(base::<AtomicU64>(window), bytes(window) / 8);
            // SAFETY: as above; the client maps it too: hence the atomics.
            *page = Some(unsafe { words.as_ref() });
        }
        pages
    };
    let trace = NonNull::slice_from_raw_parts(base::<AtomicU64>(&unit.trace), bytes(&unit.trace) / 8);
    // SAFETY: as above; whoever reads it is outside the machine.
    let trace = unsafe { trace.as_ref() };
    let providers = config.clients().iter().filter(|client| client.may(Client::PROVIDER)).count();
    // SAFETY: nobody else names the two, and this function runs once in each life of the domain.
    let (all, spaces) =
        unsafe { ((&raw mut PROVIDERS).as_mut_unchecked(), (&raw mut SPACES).as_mut_unchecked()) };
    all.fill_with(ChannelProvider::new);
    Parts {
        config,
        registers,
        tables,
        pci,
        firmware,
        memory,
        spaces,
        events: shared(|client| &client.events),
        find: shared(|client| &client.find),
        batch: shared(|client| &client.batch),
        trace,
        providers: all.get_mut(..providers).unwrap_or_default(),
        epoch: LIVES.fetch_add(1, Ordering::Relaxed),
        due,
    }
}

/// The registry's memory.
///
/// # Safety
/// The window is mapped, readable and writable, and nobody else's.
unsafe fn registry(window: &Window) -> Memory<'static> {
    let words = NonNull::slice_from_raw_parts(base::<u64>(window), bytes(window) / size_of::<u64>());
    // SAFETY: the caller's promise; the page alignment of the region suits words.
    Memory { words: unsafe { { words }.as_mut() } }
}

// SPDX-License-Identifier: BSD-2-Clause
//! The domain's memory regions as what the server works with. The one file of the domain with unsafe code.

use core::ptr::{NonNull, with_exposed_provenance_mut};
use core::sync::atomic::AtomicU64;

use ioasid_config::{Config, Window};
use ioasid_core::{Memory, Slot};
use ioasid_server::Parts;
use pci::Ecam;
use vtd::mapped::{MappedFrames, MappedRegisters};

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
pub fn parts<N>(
    config: &'static Config,
    notify: N,
) -> Parts<'static, MappedRegisters, MappedFrames, Ecam, N> {
    let unit = &config.unit;
    // SAFETY: all five regions were compared with system.xml when the image was built: each is mapped where the
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
    let mut events = [const { None }; ioasid_config::MAX_CLIENTS];
    for (ring, client) in
        events.iter_mut().zip(config.clients()).filter(|(_, client)| client.events.vaddr != 0)
    {
        let words =
            NonNull::slice_from_raw_parts(base::<AtomicU64>(&client.events), bytes(&client.events) / 8);
        // SAFETY: as above; the client, which maps it too, only reads.
        *ring = Some(unsafe { words.as_ref() });
    }
    Parts { config, registers, tables, pci, memory, events, notify }
}

/// The registry's slots and words, which share a region.
///
/// # Safety
/// The window is mapped, readable and writable, and nobody else's.
unsafe fn registry(window: &Window) -> Memory<'static> {
    let slots = Memory::slots_in(bytes(window));
    let first = base::<Slot>(window);
    // SAFETY: `slots_in` leaves room for the words behind the slots; both are plain numbers, for which every pattern
    // of bits is a value, and the page alignment of the region suits both.
    unsafe {
        let words = NonNull::slice_from_raw_parts(first.add(slots).cast::<u64>(), Memory::words_for(slots));
        Memory { slots: NonNull::slice_from_raw_parts(first, slots).as_mut(), words: { words }.as_mut() }
    }
}

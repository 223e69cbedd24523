// SPDX-License-Identifier: BSD-2-Clause
//! A virtual machine's monitor: one small x86 guest with a virtual VT-d unit, whose PASIDs are ids of this domain's
//! set at the ioasid service.
//!
//! The machine itself is in `vmm-machine`, which knows no kernel. Here it meets the platform: the guest runs in the
//! domain's own thread ([`Handler::run`]), and the service is behind a channel.
#![no_std]

mod platform;

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, AtomicU64};

use ioasid_microkit::EventReader;
use microkit_vcpu::Vcpu;
use sel4_microkit::{Channel, Handler, Infallible, Never, NullHandler};
use virtual_vtd::{Layout, Page, WORDS};
pub use vmm_machine::{Bounds, Call, GuestRam, Listener, Program, Reason, Registers};
use vmm_machine::{Ids, Machine};

pub use platform::{Connection, Thread};

/// A machine and its monitor: the [`Handler`] of a domain that runs one.
#[derive(Debug)]
pub struct Monitor<L>(Machine<'static, Thread, Connection, L>);

/// Regions of the domain that its machine lives in.
#[derive(Clone, Copy, Debug)]
pub struct Regions {
    /// The guest's memory, which the guest has from address 0 on, and its size in bytes.
    pub ram: (NonNull<u8>, usize),
    /// The page of its unit's registers, which the guest may only read.
    pub unit: NonNull<[AtomicU64; WORDS]>,
    /// The event ring of the domain's set, which the service writes.
    pub events: NonNull<[AtomicU64]>,
}

impl<L: Listener> Monitor<L> {
    /// The monitor of the machine on virtual CPU 0, whose PASIDs come from the service behind `channel`.
    ///
    /// # Safety
    /// The regions are mapped, the first two readable and writable, for as long as the domain lives.
    #[must_use]
    pub unsafe fn new(
        regions: Regions,
        channel: Channel,
        program: Program,
        bounds: Bounds,
        listener: L,
    ) -> Self {
        let (start, bytes) = regions.ram;
        let ram = NonNull::slice_from_raw_parts(start.cast::<AtomicU8>(), bytes);
        // SAFETY: the caller vouches for the mappings; guest and service write there too: hence the atomics.
        let (ram, unit, events): (&'static _, &'static _, &'static _) =
            unsafe { (ram.as_ref(), regions.unit.as_ref(), regions.events.as_ref()) };
        Self(Machine {
            cpu: Thread::new(Vcpu::new(0)),
            service: Connection::new(channel, EventReader::new(events)),
            listener,
            ram: GuestRam::new(ram),
            page: Page::new(unit, Layout::REVISION_3_3),
            program,
            bounds,
            ids: Ids::new(),
            exits: 0,
        })
    }
}

impl<L: Listener> Handler for Monitor<L> {
    type Error = Infallible;

    /// Runs the machine until it is off.
    fn run(&mut self) -> Result<Never, Infallible> {
        self.0.run();
        NullHandler::new().run()
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! What the directors of the service's scenarios share.
//!
//! A scenario is a folder with a `system.xml`, an `ioasid.toml` and a `machine.toml`, and a *director*: the program in
//! `src/bin` that is called like the folder. The director is one straight piece of code. It acts as itself, most often
//! as an administrator, and through *relays* as other clients: a relay is a client of the service without a will of its
//! own, with device, memory and pages of its own, which does what the director asks. So whatever several clients do,
//! and in which order, stands in one place.
//!
//! The director begins when the first relay tells it that it is there. Channels have the same numbers in all scenarios.
#![no_std]

pub mod memory;
pub mod program;
pub mod provider;
pub mod relay;
pub mod warden;

use core::array;
use core::ops::RangeInclusive;

use guest_kit::script::Script;
use ioasid_microkit::{Access, Client, Code, Error, Extent, PAGE_SIZE, RegionOffset, Result, Usage};
use sel4_microkit::{Channel, Handler, debug_println};
use system_test::Checks;

use crate::relay::Relay;

/// The service, for whoever is its client.
pub const IOASID: Channel = Channel::new(1);
/// The interrupts of a client's own devices, from its first one's on.
pub const DEVICE_IRQS: usize = 3;

/// Ids enough for everybody, and no more than the scenarios' registries have room for.
pub const ALL_IDS: RangeInclusive<u32> = 1..=0xffff;

/// A page that a device may read and write.
pub const ONE_PAGE: Extent = Extent { pages: 1, access: Access::ReadWrite };

/// Page number `page` of a client's first region.
#[must_use]
pub fn page(page: u64) -> RegionOffset {
    RegionOffset { region: 0, offset: page * PAGE_SIZE }
}

/// A refusal, as a client sees it.
///
/// # Errors
/// Always.
pub fn refused<T>(code: Code) -> Result<T> {
    Err(Error::Refused(code))
}

/// Everybody in most scenarios: the first `N` relays, the client that each of them is, and the director's own, who
/// administers. All have said HELLO.
///
/// # Errors
/// What a HELLO is refused with.
pub fn cast<const N: usize>() -> Result<([Relay; N], [Client; N], Client)> {
    let admin = ioasid_microkit::connect(IOASID)?;
    let relays = array::from_fn(Relay::new);
    let clients = relays.iter().map(Relay::connect).collect::<Result<heapless::Vec<_, N>>>()?;
    let Ok(clients) = clients.into_array() else { unreachable!("as many as relays") };
    Ok((relays, clients, admin))
}

/// Prints what a set has, as the reference system's table does: where the system has a trace, that must say the same.
///
/// # Errors
/// As [`Client::set_usage`].
pub fn print_set(admin: &Client, set: u16, name: &str) -> Result<()> {
    let Usage { reservation, limit, used, peak } = admin.set_usage(set)?;
    let faults = admin.set_counters(set)?.faults;
    debug_println!("{name} {reservation} {limit} {used} {peak} {faults}");
    Ok(())
}

/// A director: runs the scenario, and judges it.
pub fn director(run: impl AsyncFnOnce(&mut Checks) -> Result<()>) -> impl Handler {
    Script::new(async move {
        let mut checks = Checks::new();
        if let Err(error) = run(&mut checks).await {
            checks.equal("nothing else is refused", Some(error), None);
        }
        checks.finish();
    })
}

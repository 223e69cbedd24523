// SPDX-License-Identifier: BSD-2-Clause
//! A virtual machine's monitor: one small x86 guest with a virtual VT-d unit, whose PASIDs are ids of this domain's
//! set at the ioasid service.
//!
//! The guest runs in the domain's own thread ([`Monitor::run`](sel4_microkit::Handler::run)). It reads the unit's registers without leaving:
//! they are a page of its memory. A write comes out, becomes a call to the service where it is a command, and is
//! answered before the guest goes on. So an allocation costs one exit and one call.
//!
//! What holds: a guest reaches nothing but its memory and that page; it names ids by number, and a number that is not
//! in this machine's own list ([`ids`]) never leaves this domain; whatever ends a life of the machine (a triple fault, an
//! exit that is not understood, a watchdog) first gives every id of that life back.
#![no_std]

mod exits;
mod ids;
mod memory;
mod monitor;
mod vmcs;

pub use ids::Ids;
pub use memory::GuestRam;
pub use monitor::{Bounds, Listener, Monitor, Program, Reason};

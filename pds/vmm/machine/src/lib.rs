// SPDX-License-Identifier: BSD-2-Clause
//! A small x86 virtual machine with a virtual VT-d unit: what its exits ask for, apart from any kernel.
//!
//! A [`Machine`] enters its guest on a virtual CPU ([`Cpu`]) and does what comes out: it answers what the guest writes to
//! its unit, with ids of one set at the ioasid service ([`Service`]), and tells the guest of what the service has to say
//! by faults of that unit and interrupts. Both sides are traits, so that all of it runs in tests on the host.
//!
//! What holds:
//! - The unit's registers are a page of the guest's memory. Reading one costs nothing; a command is one exit and one
//!   call, and is answered before the guest goes on.
//! - A guest names ids by number, and a number that is not this machine's own ([`Ids`]) never leaves the monitor.
//! - Whatever ends a life of the machine (a triple fault, an exit that is not understood, a watchdog) first gives every
//!   id of that life back, before anything else can be asked.
//! - Nothing that the guest holds is trusted: no bytes of it make the monitor panic or wait.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

pub mod decoder;
mod exits;
mod ids;
mod interrupts;
mod machine;
mod memory;
mod vmcs;

pub use ids::{Ids, Service};
pub use machine::{Bounds, Call, Cpu, Listener, Machine, Program, Reason, UNIT};
pub use memory::GuestRam;
pub use vcpu_state::{Entry, Exit, Left, Refused, Registers};

// SPDX-License-Identifier: BSD-2-Clause
//! Boots a multiboot kernel and its root task in Bochs.
//!
//! Bochs has VT-x, which QEMU lacks without KVM, and no VT-d: systems with virtual machines run here. It boots from
//! a CD only, so [`Bochs::boot`] makes one with GRUB, writes Bochs's configuration and runs it, all in one folder.
//!
//! What holds: a run ends within its time and its log within its size; Bochs dies with its caller; the same files
//! give the same CD and, as time in the machine is counted in instructions, the same run.
//!
//! A guest ends the run by writing the eight bytes `Shutdown` to port 0x8900 ([`End::Shutdown`]), or with the
//! instruction `xchg bx, bx` ([`End::Break`]); the caller ends it when it has seen enough ([`End::Stopped`]).
//!
//! # Example
//!
//! ```no_run
//! use std::io::Write as _;
//! use std::ops::ControlFlow;
//! use microkit_bochs::{Bochs, Limits, Machine};
//! # fn main() -> Result<(), microkit_bochs::Error> {
//! let bochs = Bochs::find()?;
//! let run = bochs.boot(
//!     &Machine::default(),
//!     "kernel32.elf".as_ref(),
//!     "root.elf".as_ref(),
//!     "target/bochs".as_ref(),
//!     Limits::seconds(60),
//!     &mut |serial| match std::io::stdout().write_all(serial) {
//!         Ok(()) => ControlFlow::Continue(()),
//!         Err(_) => ControlFlow::Break(()),
//!     },
//! )?;
//! println!("{:?} after {:?}", run.end, run.elapsed);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod cd;
mod error;
mod machine;
mod run;
mod tools;

pub use error::Error;
pub use machine::Machine;
pub use run::{End, Limits, OnSerial, Run};
pub use tools::{Bochs, missing_tools};

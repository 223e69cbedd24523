// SPDX-License-Identifier: BSD-2-Clause
//! QEMU's device models without a kernel: the processor halts at once, registers are reached over the qtest
//! socket, and guest memory is a file that both sides map.
mod edu;
pub mod firmware;
mod machine;
mod memory;
mod nvme;
mod platform;
mod rig;
mod socket;

pub use edu::Edu;
pub use machine::{Machine, Options, Qemu};
pub use memory::GuestMemory;
pub use nvme::{Nvme, Queues};
pub use platform::{Dma, Kind, LARGEST, OnFake, Platform, Qemu7, Qemu10, TABLES, UNIT};
pub use rig::{DATA, Rig, SCRATCH};
pub use socket::Socket;

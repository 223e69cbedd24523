// SPDX-License-Identifier: BSD-2-Clause
//! What a client of the ioasid service that drives a DMA device is made of: work that waits where it must, the
//! device, and the client's events.
#![no_std]

pub mod edu;
pub mod events;
pub mod script;

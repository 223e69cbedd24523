// SPDX-License-Identifier: BSD-2-Clause
//! The root task: builds every object of the packed system, starts its protection domains and stays as their
//! monitor.
//!
//! It interprets the description that the packer appended to it (crate `microkit-image`) record by record and
//! decides nothing but where in memory an object lies: fixed physical addresses first, then everything else in the
//! order of the description, so that the same system always gets the same memory. Every failure is one line that
//! says which object of which domain or region the kernel refused and what to do about it; then QEMU is left
//! through the debug exit port, where there is one.
#![no_std]
#![no_main]

mod boot;
mod build;
mod console;
mod failure;
mod memory;
mod monitor;
mod objects;
mod untyped;

use sel4_abi::BootInfo;

use crate::{build::Builder, console::println, failure::Failure, untyped::Free};

/// Builds and starts the system, then watches it.
fn main(boot_info: BootInfo<'_>) -> ! {
    match start(boot_info) {
        Ok((image, monitor_endpoint)) => monitor::run(&image, monitor_endpoint),
        Err(failure) => failure::stop(&failure),
    }
}

/// Builds every object and lets the domains run; they do once this thread, which has the highest priority, waits.
fn start(
    boot_info: BootInfo<'_>,
) -> Result<(microkit_image::Image<'static>, sel4_abi::Endpoint), Failure<'static>> {
    let image = boot::packed_system()?;
    let mut free = Free::new();
    free.fill(boot_info)?;
    let mut builder = Builder::new(&mut free, image)?;
    builder.build()?;
    let summary = builder.start()?;
    println!("initialiser: {summary}");
    Ok((image, builder.monitor_endpoint()))
}

// SPDX-License-Identifier: BSD-2-Clause
//! The monitor: reports the fault of a protection domain that has no parent. The domain stays stopped.

use microkit_image::{Image, layout, record::Pd};
use sel4_abi::{Endpoint, Fault, recv, with_ipc_buffer};

use crate::console::println;

/// Waits for faults for ever.
pub fn run(image: &Image<'_>, endpoint: Endpoint) -> ! {
    loop {
        let (info, badge) = recv(endpoint.0);
        let fault = with_ipc_buffer(|buffer| Fault::new(buffer, info));
        let pd = usize::try_from(badge).ok().and_then(|badge| image.pds.get(badge.checked_sub(1)?));
        match pd {
            Some(pd) => {
                let hint = hint(pd, &fault).unwrap_or_default();
                println!("monitor: protection domain '{}' stopped: {fault}{hint}", image.name(pd.name));
            }
            None => println!("monitor: fault from an unknown thread (badge {badge:#x}): {fault}"),
        }
    }
}

/// What a page fault's address suggests.
fn hint(pd: &Pd, fault: &Fault) -> Option<&'static str> {
    /// How far below the stack an address still suggests that the stack overflowed.
    const BELOW: u64 = 0x1_0000;
    let Fault::VmFault(fault) = fault else { return None };
    let addr = fault.addr();
    if addr < layout::PAGE {
        Some("; null pointer?")
    } else if (pd.stack_bottom.saturating_sub(BELOW)..pd.stack_bottom).contains(&addr) {
        Some("; stack overflow? raise stack_size in system.xml")
    } else {
        None
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! Faults in one way after another. The step is in memory shared with the parent, which restarts the domain.
#![no_std]
#![no_main]

use core::arch::asm;

use sel4_microkit::{Channel, Handler, NullHandler, memory_region_symbol, protection_domain};
use system_test::Registers;

const PARENT: Channel = Channel::new(2);

unsafe extern "C" {
    fn _start();
}

#[protection_domain(stack_size = 0x2000)]
fn init() -> impl Handler {
    // SAFETY: the region is a page.
    let desk = unsafe { Registers::new(memory_region_symbol!(desk: *mut u8)) };
    let step = desk.read64(0);
    desk.write64(0, step + 1);
    desk.write64(8, (_start as *const ()).addr() as u64);
    match step {
        // SAFETY: no memory is mapped at 0x1230: the load faults.
        0 => unsafe { asm!("mov {0}, [0x1230]", out(reg) _) },
        // SAFETY: code is mapped without the right to write: the store faults.
        1 => unsafe { (_start as *mut u8).write_volatile(0x90) },
        // SAFETY: no memory is mapped at 0x4560: the fetch faults.
        2 => unsafe { asm!("call {0}", in(reg) 0x4560_u64) },
        // SAFETY: the exception is the point; nothing is changed.
        3 => unsafe {
            asm!("xor edx, edx", "xor ecx, ecx", "div ecx", out("rax") _, out("rcx") _, out("rdx") _)
        },
        // Only a thread with a virtual CPU may enter a virtual machine.
        4 => drop(microkit_vcpu::enter(&mut microkit_vcpu::Entry::default())),
        5 => {
            let resumed: u64;
            // SAFETY: the exception is the point; the parent lets the domain go on after the two bytes of ud2.
            unsafe { asm!("ud2", "mov {0}, 77", out(reg) resumed) };
            desk.write64(16, resumed);
            PARENT.notify();
        }
        _ => loop {
            desk.write64(24, desk.read64(24) + 1);
        },
    }
    NullHandler::new()
}

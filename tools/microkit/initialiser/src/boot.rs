// SPDX-License-Identifier: BSD-2-Clause
//! The first instruction, and the words that the packer writes into this program.

use core::cell::UnsafeCell;

use microkit_image::Image;
use sel4_abi::{BootInfo, PAGE_SIZE, to_usize};

use crate::failure::{Cause, Failure};

const STACK_SIZE: usize = 128 * 1024;

#[repr(C, align(16))]
struct Stack(UnsafeCell<[u8; STACK_SIZE]>);

// SAFETY: nothing reaches the memory but the one thread whose stack it is.
unsafe impl Sync for Stack {}

static STACK: Stack = Stack(UnsafeCell::new([0; STACK_SIZE]));

// The kernel starts the root task with the boot information's address in RDI and no stack.
core::arch::global_asm!(
    ".section .text._start, \"ax\", @progbits",
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "lea rsp, [rip + {stack} + {size}]",
    "call {entry}",
    "ud2",
    ".text",
    stack = sym STACK,
    size = const STACK_SIZE,
    entry = sym entry,
);

extern "C" fn entry(boot_info: *const [u8; PAGE_SIZE]) -> ! {
    // SAFETY: the kernel maps its boot information there, a page that nothing writes to any more.
    let boot_info = BootInfo::new(unsafe { &*boot_info });
    // SAFETY: the kernel mapped the buffer for this thread, the only one, and nothing unmaps it.
    unsafe { sel4_abi::set_ipc_buffer(boot_info.ipc_buffer()) };
    crate::console::init();
    crate::main(boot_info)
}

/// Where the packed system is; the packer writes address and bytes here.
#[repr(C)]
struct Located {
    address: UnsafeCell<u64>,
    len: UnsafeCell<u64>,
}

// SAFETY: nothing writes to it while the program runs.
unsafe impl Sync for Located {}

#[unsafe(no_mangle)]
#[unsafe(link_section = ".data")]
static microkit_image: Located = Located { address: UnsafeCell::new(0), len: UnsafeCell::new(0) };

/// The packed system that this program carries.
pub fn packed_system() -> Result<Image<'static>, Failure<'static>> {
    // SAFETY: the words are only written before the program runs; volatile, because the compiler knows only the
    // zeroes that it put there.
    let (address, len) =
        unsafe { (microkit_image.address.get().read_volatile(), microkit_image.len.get().read_volatile()) };
    if address == 0 {
        return Err(Failure::new("packed system", Cause::NotPacked));
    }
    let start = core::ptr::with_exposed_provenance(to_usize(address));
    // SAFETY: the packer made a segment of these bytes, which the kernel loaded with the program and mapped for
    // good; nothing writes to it.
    let bytes = unsafe { core::slice::from_raw_parts(start, to_usize(len)) };
    Image::new(bytes).map_err(|error| Failure::new("packed system", Cause::Image(error)))
}

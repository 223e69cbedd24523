// SPDX-License-Identifier: BSD-2-Clause
//! From the first instruction to the domain's main loop.
//!
//! The loader starts a domain at `_start` with every register but the stack pointer zero. A parent that restarts a
//! domain there changes the instruction pointer alone, so `_start` begins with an empty stack by itself.

use core::cell::UnsafeCell;

use microkit_image::layout;

use crate::{
    Handler, debug_println,
    panicking::{self, abort},
};

/// A stack in the domain's own image.
#[doc(hidden)]
#[repr(C, align(16))]
pub struct Stack<const SIZE: usize>(UnsafeCell<[u8; SIZE]>);

impl<const SIZE: usize> Stack<SIZE> {
    #[allow(clippy::new_without_default, reason = "for a static alone")]
    #[doc(hidden)]
    #[must_use]
    pub const fn new() -> Self {
        assert!(SIZE.is_multiple_of(16), "a stack's size is a multiple of 16 bytes");
        Self(UnsafeCell::new([0; SIZE]))
    }
}

// SAFETY: nothing reaches the memory but the one thread whose stack it is.
unsafe impl<const SIZE: usize> Sync for Stack<SIZE> {}

/// Tells the system call layer where the loader mapped the IPC buffer, then runs the domain.
#[doc(hidden)]
pub fn run_main<T: Handler>(init: impl FnOnce() -> T) -> ! {
    let buffer = core::ptr::with_exposed_provenance_mut(sel4_abi::to_usize(layout::IPC_BUFFER));
    // SAFETY: the loader maps the domain's IPC buffer there for good, and a domain has one thread.
    unsafe { sel4_abi::set_ipc_buffer(buffer) };
    panicking::init();
    match init().run() {
        #[allow(unreachable_patterns, reason = "the type has no value")]
        Ok(never) => match never {},
        Err(error) => {
            debug_println!("{}: main loop ended with error: {error}", crate::pd_name().unwrap_or("?"))
        }
    }
    abort()
}

/// Declares the entry point; `#[protection_domain]` expands to it.
#[doc(hidden)]
#[macro_export]
macro_rules! declare_protection_domain {
    { init = $init:expr $(,)? } => {
        ::core::arch::global_asm!(
            ".section .text._start, \"ax\", @progbits",
            ".globl _start",
            "_start:",
            "xor ebp, ebp",
            "movabs rsp, {top}",
            "call __sel4_microkit__main",
            "ud2",
            ".text",
            top = const $crate::_private::STACK_TOP,
        );
        $crate::declare_protection_domain! { @main $init }
    };
    { init = $init:expr, stack_size = $size:expr $(,)? } => {
        #[unsafe(no_mangle)]
        static __sel4_microkit__stack: $crate::_private::Stack<{ $size }> = $crate::_private::Stack::new();

        ::core::arch::global_asm!(
            ".section .text._start, \"ax\", @progbits",
            ".globl _start",
            "_start:",
            "xor ebp, ebp",
            "lea rsp, [rip + {stack} + {size}]",
            "call __sel4_microkit__main",
            "ud2",
            ".text",
            stack = sym __sel4_microkit__stack,
            size = const { $size as usize },
        );
        $crate::declare_protection_domain! { @main $init }
    };
    { init = $init:expr, $(stack_size = $size:expr,)? heap_size = $heap:expr $(,)? } => {
        ::core::compile_error!("a protection domain has no heap here: leave heap_size out");
    };
    { @main $init:expr } => {
        #[unsafe(no_mangle)]
        extern "C" fn __sel4_microkit__main() -> ! {
            $crate::_private::run_main($init)
        }
    };
}

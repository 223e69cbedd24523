// SPDX-License-Identifier: BSD-2-Clause
//! Panics: a line on the console, then an invalid instruction, which the monitor or the parent reports.

use core::{
    cell::Cell,
    panic::PanicInfo,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{debug_println, pd_name};

/// Whether a panic is being told already, which must not begin again.
static PANICKING: AtomicBool = AtomicBool::new(false);

/// Stops this domain with an invalid instruction.
pub(crate) fn abort() -> ! {
    loop {
        // SAFETY: the instruction raises an exception and changes nothing.
        unsafe { core::arch::asm!("ud2", options(nomem, nostack)) };
    }
}

#[cfg_attr(any(target_os = "none", target_feature = "crt-static"), panic_handler)]
#[cfg_attr(
    not(any(target_os = "none", target_feature = "crt-static")),
    expect(dead_code, reason = "see lib.rs")
)]
fn panic(info: &PanicInfo<'_>) -> ! {
    if !PANICKING.swap(true, Ordering::Relaxed) {
        match (HOOK.0.get(), pd_name().unwrap_or("?")) {
            (Some(hook), _) => hook(info),
            (None, name) => debug_println!("{name}: {info}"),
        }
    }
    abort()
}

/// What is done about a panic before the domain stops.
pub type PanicHook = &'static (dyn Fn(&PanicInfo<'_>) + Send + Sync);

static HOOK: Hook = Hook(Cell::new(None));

struct Hook(Cell<Option<PanicHook>>);

// SAFETY: a domain has one thread.
unsafe impl Sync for Hook {}

/// Replaces the line on the console by something else.
pub fn set_hook(hook: PanicHook) {
    HOOK.0.set(Some(hook));
}

/// Forgets the last panic: a domain that its parent restarts begins here again with its variables as they were.
pub(crate) fn init() {
    PANICKING.store(false, Ordering::Relaxed);
}

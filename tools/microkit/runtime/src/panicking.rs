// SPDX-License-Identifier: BSD-2-Clause
//! Panics: a line on the console, then an invalid instruction, which the monitor or the parent reports.

use core::{
    panic::PanicInfo,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{debug_println, pd_name};

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
    static PANICKING: AtomicBool = AtomicBool::new(false);
    if !PANICKING.swap(true, Ordering::Relaxed) {
        match (HOOK.get(), pd_name().unwrap_or("?")) {
            (Some(hook), _) => hook(info),
            (None, name) => debug_println!("{name}: {info}"),
        }
    }
    abort()
}

/// What is done about a panic before the domain stops.
pub type PanicHook = &'static (dyn Fn(&PanicInfo<'_>) + Send + Sync);

static HOOK: Hook = Hook(core::cell::OnceCell::new());

struct Hook(core::cell::OnceCell<PanicHook>);

// SAFETY: a domain has one thread.
unsafe impl Sync for Hook {}

impl Hook {
    fn get(&self) -> Option<PanicHook> {
        self.0.get().copied()
    }
}

/// Replaces the line on the console by something else.
///
/// # Panics
/// When it is called a second time.
pub fn set_hook(hook: PanicHook) {
    assert!(HOOK.0.set(hook).is_ok(), "the panic hook is set once");
}

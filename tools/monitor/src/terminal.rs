// SPDX-License-Identifier: BSD-2-Clause
//! The terminal, taken and given back.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use std::time::Duration;
use std::{process, thread};

use ratatui::DefaultTerminal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Takes the terminal for as long as `run` runs, and gives it back as it was: also where `run` panics. `run` is asked to
/// end by a flag, which is set when the process is.
///
/// # Errors
/// The terminal's, or what `run` gives.
pub fn with_terminal(
    run: impl FnOnce(&mut DefaultTerminal, &AtomicBool) -> io::Result<()>,
) -> io::Result<()> {
    let asked_to_end = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&asked_to_end))?;
    }
    let asked = Arc::clone(&asked_to_end);
    thread::spawn(move || end_anyway(&asked));
    // This also sets a panic hook, which restores the terminal before anything is said.
    let mut terminal = ratatui::try_init()?;
    let outcome = run(&mut terminal, &asked_to_end);
    let restored = ratatui::try_restore();
    // Where the terminal itself is gone there is nothing to restore.
    if asked_to_end.load(Ordering::Relaxed) { Ok(()) } else { outcome.and(restored) }
}

/// Ends the process a second after it was asked to end, if it is still there: whoever waits for the keys of a terminal that
/// is gone never looks up.
fn end_anyway(asked_to_end: &AtomicBool) {
    while !asked_to_end.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(100));
    }
    thread::sleep(Duration::from_secs(1));
    let _ = ratatui::try_restore();
    process::exit(0);
}

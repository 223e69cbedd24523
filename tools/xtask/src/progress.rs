// SPDX-License-Identifier: BSD-2-Clause
//! What a person sees while xtask works: steps with their time, notes, colours where they help.
//!
//! Colours appear only where standard output is a terminal and `NO_COLOR` is not set.

use std::io::{IsTerminal as _, Write as _};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Colours of the serial log's prefixes, in order of the system's protection domains.
const PALETTE: [u8; 6] = [36, 33, 35, 32, 34, 96];

fn colours() -> bool {
    static ON: OnceLock<bool> = OnceLock::new();
    *ON.get_or_init(|| std::env::var_os("NO_COLOR").is_none() && std::io::stdout().is_terminal())
}

fn paint(code: u8, text: &str) -> String {
    if colours() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

/// `text` in bold green: something held.
pub fn good(text: &str) -> String {
    paint(32, text)
}

/// `text` in red: something did not hold.
pub fn bad(text: &str) -> String {
    paint(31, text)
}

/// `text` dimmed: there for completeness.
pub fn dim(text: &str) -> String {
    paint(2, text)
}

/// `text` in the colour of the `index`-th protection domain.
pub fn domain(index: usize, text: &str) -> String {
    paint(PALETTE[index % PALETTE.len()], text)
}

/// One line about what is being done, set apart from the output of what is being run.
pub fn note(text: &str) {
    // A closed pipe is no reason to fail: the exit status still tells.
    let _ = writeln!(std::io::stdout(), "{} {text}", dim("xtask:"));
}

/// A duration as people read it: `85 ms`, `3.2 s`, `2 min 05 s`.
pub fn time(duration: Duration) -> String {
    match duration.as_millis() {
        ms @ ..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{:.1} s", duration.as_secs_f64()),
        _ => format!("{} min {:02} s", duration.as_secs() / 60, duration.as_secs() % 60),
    }
}

/// Runs one step. In a terminal a line that goes again says how long it has been at it; where it took noticeable time, a
/// line that stays says how long.
pub fn step<T, E>(doing: &str, run: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let start = Instant::now();
    let result = thread::scope(|scope| {
        let (end, ended) = mpsc::channel::<()>();
        if std::io::stdout().is_terminal() {
            scope.spawn(move || while_it_runs(doing, start, &ended));
        }
        let result = run();
        drop(end);
        result
    });
    let took = start.elapsed();
    if result.is_ok() && took > Duration::from_millis(300) {
        note(&format!("{doing} {}", dim(&format!("({})", time(took)))));
    }
    result
}

/// Says once a second what is being done, on one and the same line, until `ended` hangs up.
fn while_it_runs(doing: &str, start: Instant, ended: &Receiver<()>) {
    const CLEAR: &str = "\r\x1b[2K";
    let mut out = std::io::stdout();
    while ended.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
        let _ = write!(out, "{CLEAR}{} {doing} … {}", dim("xtask:"), time(start.elapsed()));
        let _ = out.flush();
    }
    let _ = write!(out, "{CLEAR}");
    let _ = out.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_readable() {
        assert_eq!(time(Duration::from_millis(85)), "85 ms");
        assert_eq!(time(Duration::from_millis(3_249)), "3.2 s");
        assert_eq!(time(Duration::from_secs(125)), "2 min 05 s");
    }
}

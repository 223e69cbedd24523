// SPDX-License-Identifier: BSD-2-Clause
//! The serial log: its lines, who speaks, the summary that ends it.

use std::fmt;

/// The last line of a run that came to its end: `ioasid: N checks passed, M failed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Checks that held.
    pub passed: u32,
    /// Checks that did not.
    pub failed: u32,
}

impl Summary {
    /// Reads the summary line, be it bare or behind its domain's name and `| `; `None` for any other line.
    pub fn parse(line: &str) -> Option<Self> {
        let said = line.split_once("| ").map_or(line, |(_name, said)| said);
        let rest = said.strip_prefix("ioasid: ")?;
        let (passed, rest) = rest.split_once(" checks passed, ")?;
        Some(Self { passed: count(passed)?, failed: count(rest.strip_suffix(" failed")?)? })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ioasid: {} checks passed, {} failed", self.passed, self.failed)
    }
}

/// Decimal digits only: no sign, no space.
fn count(digits: &str) -> Option<u32> {
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// The protection domain that a line comes from, by its prefix: `name: …`, `name | …` or `[name] …`.
pub fn speaker<'a>(line: &'a str, domains: &[String]) -> Option<(usize, &'a str)> {
    let bare = line.trim_start().trim_start_matches('[');
    let end = bare.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))?;
    let (name, rest) = bare.split_at(end);
    if !rest.trim_start().starts_with([':', '|', ']']) {
        return None;
    }
    domains.iter().position(|domain| domain == name).map(|index| (index, name))
}

/// Longest line kept; what a runaway guest prints beyond it starts a new one.
const LINE_MAX: usize = 4096;

/// Splits a stream of bytes into lines. Carriage returns and other control characters but tab are dropped:
/// a guest must not steer the terminal of the person who watches it.
#[derive(Default)]
pub struct Lines {
    pending: Vec<u8>,
}

impl Lines {
    /// Takes bytes in and gives the lines that they complete.
    pub fn push(&mut self, bytes: &[u8], mut emit: impl FnMut(String)) {
        for &byte in bytes {
            match byte {
                b'\n' => emit(self.take()),
                b'\t' | b' '..=b'~' | 0x80.. => self.pending.push(byte),
                _ => {}
            }
            if self.pending.len() >= LINE_MAX {
                emit(self.take());
            }
        }
    }

    /// The last line where it did not end with a newline.
    pub fn finish(&mut self) -> Option<String> {
        (!self.pending.is_empty()).then(|| self.take())
    }

    fn take(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.pending)).trim_end().to_owned()
    }
}

/// The first line of `expected` that `log` does not show after those before it; `None` where all are there.
/// Blank lines and lines that start with `#` do not count; several may be parts of one line of the log.
pub fn first_missing<'e>(expected: &'e str, log: &[String]) -> Option<&'e str> {
    let log = log.join("\n");
    let mut rest = log.as_str();
    let mut wanted =
        expected.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    wanted.find(|wanted| match rest.split_once(wanted) {
        Some((_before, after)) => {
            rest = after;
            false
        }
        None => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_exactly_one_line() {
        for line in ["ioasid: 12 checks passed, 0 failed", "supervisor  | ioasid: 12 checks passed, 0 failed"]
        {
            assert_eq!(Summary::parse(line), Some(Summary { passed: 12, failed: 0 }));
        }
        for line in [
            "ioasid: 12 checks passed, 0 failed.",
            " ioasid: 12 checks passed, 0 failed",
            "ioasid: +12 checks passed, 0 failed",
            "ioasid:  checks passed, 0 failed",
            "ioasid: 99999999999 checks passed, 0 failed",
            "guest_a: ioasid: 12 checks passed, 0 failed",
        ] {
            assert_eq!(Summary::parse(line), None, "{line}");
        }
    }

    #[test]
    fn a_prefix_names_its_domain() {
        let domains = ["ioasid".to_owned(), "guest_a".to_owned()];
        assert_eq!(speaker("guest_a: hello", &domains), Some((1, "guest_a")));
        assert_eq!(speaker("guest_a | hello", &domains), Some((1, "guest_a")));
        assert_eq!(speaker("[ioasid] ready", &domains), Some((0, "ioasid")));
        assert_eq!(speaker("guest_b: hello", &domains), None);
        assert_eq!(speaker("guest_a", &domains), None);
        assert_eq!(speaker("ioasid serves", &domains), None);
    }

    #[test]
    fn bytes_become_lines() {
        let mut seen = Vec::new();
        let mut lines = Lines::default();
        lines.push(b"one\r\ntw", |line| seen.push(line));
        lines.push(b"o\n\x1b[2J\xff\n", |line| seen.push(line));
        lines.push(b"tail", |line| seen.push(line));
        seen.extend(lines.finish());
        assert_eq!(seen, ["one", "two", "[2J\u{fffd}", "tail"]);
        assert_eq!(lines.finish(), None);
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let mut seen = Vec::new();
        Lines::default().push(&[b'x'; LINE_MAX * 2 + 1], |line| seen.push(line.len()));
        assert_eq!(seen, [LINE_MAX, LINE_MAX]);
    }

    #[test]
    fn expected_lines_hold_in_order() {
        let log = ["boot".to_owned(), "guest_a: ok 1".to_owned(), "guest_a: ok 2".to_owned()];
        assert_eq!(first_missing("# comment\n\nok 1\nok 2\n", &log), None);
        assert_eq!(first_missing("guest_a\nok 1\nguest_a: ok 2\n", &log), None, "parts of one line");
        assert_eq!(first_missing("ok 2\nok 1\n", &log), Some("ok 1"));
        assert_eq!(first_missing("ok 1\nok 1\n", &log), Some("ok 1"), "each part of the log counts once");
    }
}

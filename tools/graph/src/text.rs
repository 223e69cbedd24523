// SPDX-License-Identifier: BSD-2-Clause
//! Words in a picture: sizes for people, widths, and what XML asks for.

/// A number of bytes in the largest binary unit that divides it.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (count, 0);
    while value >= 1024 && value.is_multiple_of(1024) && unit + 1 < UNITS.len() {
        value /= 1024;
        unit += 1;
    }
    format!("{value} {}", UNITS[unit])
}

/// Width of `text` at a font size of `size`, in the widest of the fonts that the picture asks for, so that it fits
/// with any of them.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let em = |c: char| match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | '|' | '\'' | ' ' => 0.34,
        'f' | 't' | 'r' | '(' | ')' | '-' | '/' => 0.42,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.98,
        'A'..='Z' | '→' | '…' => 0.76,
        // Ideographs and the like are square.
        c if c as u32 >= 0x1100 => 1.05,
        _ => 0.64,
    };
    text.chars().map(em).sum::<f64>() * size
}

/// `text` in lines of `limit` at the most, broken at spaces; a word alone may be longer.
pub(crate) fn wrap(text: &str, size: f64, limit: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line, size) + width(" ", size) + width(word, size) <= limit => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// `text` as it may stand in XML, in an attribute too.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // No XML document has these, even escaped.
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_exact() {
        assert_eq!(bytes(0x1000), "4 KiB");
        assert_eq!(bytes(0x40_0000), "4 MiB");
        assert_eq!(bytes(0x1001), "4097 B");
        assert_eq!(bytes(0x1800), "6 KiB");
        assert_eq!(bytes(1 << 50), "1024 TiB");
        assert_eq!(bytes(0), "0 B");
    }

    #[test]
    fn long_lines_are_broken_at_spaces() {
        assert_eq!(wrap("one two three", 10.0, width("one two", 10.0)), ["one two", "three"]);
        assert_eq!(wrap("overlong", 10.0, 1.0), ["overlong"]);
        assert!(wrap("", 10.0, 1.0).is_empty());
    }

    #[test]
    fn markup_is_escaped() {
        assert_eq!(escape("a<b>&\"c\"\u{1}"), "a&lt;b&gt;&amp;&quot;c&quot;\u{fffd}");
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! The C headers: the protocol, and a client of static inline functions on top of libmicrokit's names.

mod client;
mod protocol;

pub use client::client;
pub use protocol::protocol;

use ioasid_api::{PartInfo, TypeInfo};

use crate::words::{prose, snake};

/// Columns that a line of C takes at the most.
const WIDTH: usize = 110;

/// The comment that a header begins with.
fn opening(what: &str) -> String {
    let mut text = "/* SPDX-License-Identifier: BSD-2-Clause */\n".to_owned();
    text.push_str(&comment("", &[what]));
    text.push_str(
        "/* Written by `cargo run -p protocol-export` from the tables of pds/ioasid/api: change those. */\n",
    );
    text.push_str("#pragma once\n\n");
    text
}

/// A comment, wrapped; nothing where there is nothing to say.
fn comment(indent: &str, lines: &[&str]) -> String {
    let text = prose(lines).replace('`', "");
    let single = format!("{indent}/* {text} */\n");
    if text.is_empty() {
        return String::new();
    }
    if single.len() <= WIDTH {
        return single;
    }
    let mut out = format!("{indent}/*\n");
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && indent.len() + 4 + line.len() + word.len() > WIDTH {
            out.push_str(&format!("{indent} * {line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    out.push_str(&format!("{indent} * {line}\n{indent} */\n"));
    out
}

/// `head(parameters)`, wrapped behind the parenthesis.
fn signature(head: &str, parameters: &[String]) -> String {
    let margin = " ".repeat(head.len() + 1);
    let mut out = format!("{head}(");
    let mut column = out.len();
    for (index, parameter) in parameters.iter().enumerate() {
        let end = if index + 1 == parameters.len() { ")" } else { "," };
        let space = if index == 0 { "" } else { " " };
        if column + space.len() + parameter.len() + end.len() > WIDTH {
            out.push_str(&format!("\n{margin}"));
            column = margin.len();
        } else {
            out.push_str(space);
            column += space.len();
        }
        out.push_str(parameter);
        out.push_str(end);
        column += parameter.len() + end.len();
    }
    if parameters.is_empty() {
        out.push_str("void)");
    }
    out
}

/// The C type of a word.
fn word_type(ty: &TypeInfo) -> String {
    if ty.parts.is_empty() { integer(ty.bits).to_owned() } else { format!("ioasid_{}_t", snake(ty.name)) }
}

/// The C type of a part of a word.
fn part_type(part: &PartInfo) -> String {
    if part.values.is_empty() {
        integer(part.bits).to_owned()
    } else {
        format!("enum ioasid_{}", snake(part.name))
    }
}

/// The smallest unsigned integer with so many bits.
fn integer(bits: u32) -> &'static str {
    match bits {
        0..=8 => "uint8_t",
        9..=16 => "uint16_t",
        17..=32 => "uint32_t",
        _ => "uint64_t",
    }
}

/// A constant of 64 bits.
fn constant(value: u64) -> String {
    format!("UINT64_C({value:#x})")
}

// SPDX-License-Identifier: BSD-2-Clause
//! `ioasid.h`: operations, codes, answers and words. Includes nothing of Microkit's, so that a server, a tool
//! or a test may have it too.

use ioasid_api::{
    Code, Event, MAX_WORDS, OPERATIONS, PAGE_SIZE, REPLIES, RING_ENTRY_WORDS, RING_HEADER_WORDS, TypeInfo,
    VERSION, ValueInfo, WordInfo,
};

use super::{comment, constant, opening, part_type, signature, word_type};
use crate::words::{capitals, prose, snake, types};

/// The whole header.
pub fn protocol() -> String {
    let mut out = opening("The ioasid protocol: what a client may ask, in which words, and what it is told.");
    out.push_str("#include <stdint.h>\n\n");
    out.push_str(&constants());
    out.push_str(&operations());
    out.push_str(&codes());
    for ty in types() {
        out.push_str(&packed(ty));
    }
    for reply in REPLIES.iter().filter(|reply| !reply.words.is_empty()) {
        out.push_str(&structure(&snake(reply.name), reply.words, reply.doc));
    }
    out.push_str(&structure("event_entry", Event::WORDS, &["An event, as it stands in a ring."]));
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn constants() -> String {
    let mut out = String::new();
    let mut define = |name: &str, value: u64, doc: &str| {
        out.push_str(&comment("", &[doc]));
        out.push_str(&format!("#define IOASID_{name} {value}u\n"));
    };
    define("VERSION", u64::from(VERSION), "The version of the protocol, for HELLO.");
    define("MAX_WORDS", MAX_WORDS as u64, "The most words that a message carries, either way.");
    define("PAGE_SIZE", PAGE_SIZE, "The size of a page, in bytes.");
    define("RING_HEADER_WORDS", RING_HEADER_WORDS as u64, "An event ring's words before the first entry.");
    define("RING_ENTRY_WORDS", RING_ENTRY_WORDS as u64, "Words of an entry of an event ring.");
    out.push('\n');
    out
}

fn operations() -> String {
    let mut out = comment("", &["Operations: the label of a request."]);
    out.push_str("enum ioasid_operation {\n");
    for operation in OPERATIONS {
        let right = operation.right.granted_by().map_or(String::new(), |line| format!(" ({line} alone.)"));
        out.push_str(&comment("    ", &[&format!("{}{right}", prose(operation.doc))]));
        out.push_str(&format!("    IOASID_OP_{} = {:#04x},\n", capitals(operation.name), operation.number));
    }
    out.push_str("};\n\n");
    out
}

fn codes() -> String {
    let mut out = comment(
        "",
        &[
            "Codes: the label of an answer. 100 to 199: the message was none of the protocol's; 200 to 299: understood \
           and not granted, nothing has changed; 300 to 399: the unit or a provider failed.",
        ],
    );
    out.push_str("enum ioasid_code {\n    /* Done. */\n    IOASID_OK = 0,\n");
    for &code in Code::ALL {
        out.push_str(&comment("    ", code.doc()));
        out.push_str(&format!("    IOASID_{} = {},\n", capitals(code.name()), code.to_label()));
    }
    out.push_str(&comment("    ", &["Never sent: what came is no answer of this version's."]));
    out.push_str("    IOASID_BAD_REPLY = 0xffff,\n};\n\n");

    out.push_str(&comment("", &["The code of an answer's label."]));
    out.push_str(
        "static inline enum ioasid_code ioasid_code_of_label(uint64_t label)\n{\n    switch (label) {\n",
    );
    out.push_str("    case IOASID_OK:\n");
    for &code in Code::ALL {
        out.push_str(&format!("    case IOASID_{}:\n", capitals(code.name())));
    }
    out.push_str("        return (enum ioasid_code)label;\n    default:\n        return IOASID_BAD_REPLY;\n    }\n}\n\n");

    out.push_str(&comment("", &["A code's name, for a log."]));
    out.push_str(
        "static inline const char *ioasid_code_name(enum ioasid_code code)\n{\n    switch (code) {\n",
    );
    out.push_str("    case IOASID_OK:\n        return \"Ok\";\n");
    for &code in Code::ALL {
        let name = code.name();
        out.push_str(&format!("    case IOASID_{}:\n        return \"{name}\";\n", capitals(name)));
    }
    out.push_str("    case IOASID_BAD_REPLY:\n        return \"BadReply\";\n    }\n    return \"?\";\n}\n\n");
    out
}

fn values(name: &str, values: &[ValueInfo]) -> String {
    let mut out = format!("enum ioasid_{} {{\n", snake(name));
    for value in values {
        out.push_str(&comment("    ", value.doc));
        out.push_str(&format!("    IOASID_{}_{} = {},\n", capitals(name), capitals(value.name), value.value));
    }
    out.push_str("};\n\n");
    out
}

/// A type with parts: its name, how it is put together and taken apart.
fn packed(ty: &TypeInfo) -> String {
    let mut out = String::new();
    for part in ty.parts.iter().filter(|part| !part.values.is_empty()) {
        out.push_str(&values(part.name, part.values));
    }
    let (name, word) = (snake(ty.name), word_type(ty));
    out.push_str(&comment("", &[ty.doc]));
    out.push_str(&format!("typedef uint64_t {word};\n\n"));

    let parameters: Vec<_> =
        ty.parts.iter().map(|part| format!("{} {}", part_type(part), part.name)).collect();
    out.push_str(&signature(&format!("static inline {word} ioasid_{name}"), &parameters));
    let terms: Vec<_> = ty
        .parts
        .iter()
        .map(|part| {
            let mask = constant(u64::MAX >> (64 - part.bits));
            format!("((uint64_t){} & {mask}) << {}", part.name, part.shift)
        })
        .collect();
    out.push_str(&format!("\n{{\n    return {};\n}}\n\n", terms.join("\n        | ")));

    for part in ty.parts {
        let mask = constant(u64::MAX >> (64 - part.bits));
        let ty = part_type(part);
        out.push_str(&format!("static inline {ty} ioasid_{name}_{}({word} word)\n{{\n", part.name));
        out.push_str(&format!("    return ({ty})(word >> {} & {mask});\n}}\n\n", part.shift));
    }
    out
}

fn structure(name: &str, words: &[WordInfo], doc: &[&str]) -> String {
    let mut out = comment("", doc);
    out.push_str(&format!("struct ioasid_{name} {{\n"));
    for word in words {
        out.push_str(&comment("    ", word.doc));
        out.push_str(&format!("    {} {};\n", word_type(word.ty), word.name));
    }
    out.push_str("};\n\n");
    out
}

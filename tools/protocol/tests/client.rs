// SPDX-License-Identifier: BSD-2-Clause
//! The C client holds a conversation: what it sends is what Rust reads, and what Rust answers is what it reads.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fmt::Write;
use std::path::Path;

use ioasid_api::{Code, MAX_WORDS, OPERATIONS, OperationInfo, REPLIES, Request, TypeInfo, WordInfo};

const HEADERS: [&str; 4] = ["ioasid.h", "client.h", "events.h", "find.h"];

/// A number that differs from word to word; any that is not symmetric will do.
fn seed(operation: usize, word: usize) -> u64 {
    ((operation * MAX_WORDS + word + 1) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A word that spells a value of the type.
fn spelling(ty: &TypeInfo, seed: u64) -> u64 {
    let allowed = ty.parts.iter().filter(|part| !part.values.is_empty());
    allowed.fold(seed & ty.mask(), |word, part| {
        let value = part.values[usize::try_from(seed % part.values.len() as u64).unwrap()].value;
        word & !((u64::MAX >> (64 - part.bits)) << part.shift) | value << part.shift
    })
}

fn spellings(operation: usize, words: &[WordInfo]) -> Vec<u64> {
    words.iter().enumerate().map(|(index, word)| spelling(word.ty, seed(operation, index))).collect()
}

/// `SetData` as `set_data`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

fn answer_of(operation: &OperationInfo) -> &'static [WordInfo] {
    REPLIES.iter().find(|reply| reply.name == operation.reply).unwrap().words
}

/// C that calls the operation on channel 7 with `words`, and prints the code and the answer's words.
fn calling(operation: &OperationInfo, words: &[u64]) -> String {
    let mut arguments = "7".to_owned();
    words.iter().for_each(|word| write!(arguments, ", UINT64_C({word})").unwrap());
    let answer = answer_of(operation);
    let mut out = "{\n".to_owned();
    if !answer.is_empty() {
        writeln!(out, "struct ioasid_{} reply = {{0}};", snake(operation.reply)).unwrap();
        arguments.push_str(", &reply");
    }
    writeln!(out, "enum ioasid_code code = ioasid_{}({arguments});", snake(operation.name)).unwrap();
    writeln!(out, "printf(\"code %d\", (int)code);").unwrap();
    for word in answer {
        writeln!(out, "printf(\" %\" PRIu64, (uint64_t)reply.{});", word.name).unwrap();
    }
    out + "printf(\"\\n\");\n}\n"
}

fn program(calls: &str) -> String {
    format!("#include <ioasid/client.h>\nint main(void)\n{{\n{calls}return 0;\n}}\n")
}

fn line(label: u64, words: &[u64]) -> String {
    let words = words.iter().map(|word| format!(" {word}"));
    format!("{label} {}{}\n", words.len(), words.collect::<String>())
}

fn numbers(text: &str) -> Vec<u64> {
    text.split_whitespace().skip(1).map(|word| word.parse().unwrap()).collect()
}

#[test]
fn each_header_compiles_alone_and_twice() {
    for header in HEADERS {
        let include = format!("#include <ioasid/{header}>\n");
        for freestanding in [&[][..], &["-ffreestanding", "-mno-sse"]] {
            common::compile(
                &format!("{include}{include}typedef int not_empty;\n"),
                Path::new("/dev/null"),
                &[&["-c"], freestanding].concat(),
            );
        }
    }
}

#[test]
fn every_operation_is_sent_and_answered_word_for_word() {
    let (mut calls, mut input) = (String::new(), String::new());
    for (index, operation) in OPERATIONS.iter().enumerate() {
        calls += &calling(operation, &spellings(index, operation.request));
        input += &line(0, &spellings(index + 100, answer_of(operation)));
    }
    let output = common::run(&program(&calls), input.as_bytes());
    let mut lines = output.lines();
    for (index, operation) in OPERATIONS.iter().enumerate() {
        let call = numbers(lines.next().unwrap());
        let (label, words) = (call[1], &call[2..]);
        assert_eq!(call[0], 7, "the channel");
        assert_eq!((label, words), (operation.number, &spellings(index, operation.request)[..]));
        assert!(Request::decode(label, words).is_ok(), "{}: {words:x?}", operation.name);
        let answer = numbers(lines.next().unwrap());
        assert_eq!(answer[0], 0, "{}", operation.name);
        assert_eq!(&answer[1..], spellings(index + 100, answer_of(operation)), "{}", operation.name);
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn what_is_no_answer_is_told_apart_from_a_refusal() {
    const BAD_REPLY: u64 = 0xffff;
    let find = OPERATIONS.iter().find(|operation| operation.name == "Find").unwrap();
    let good = [0x12, 0x34];
    let mut answers: Vec<(String, u64)> = vec![
        (line(0, &good), 0),
        (line(0, &good[..1]), BAD_REPLY),
        (line(0, &[1, 2, 3]), BAD_REPLY),
        (line(0, &[1 << 20, 0]), BAD_REPLY),
        (line(1, &good), BAD_REPLY),
        (line(0xffff, &[]), BAD_REPLY),
        (line(1 << 32 | 201, &[]), BAD_REPLY),
    ];
    answers.extend(Code::ALL.iter().map(|code| (line(code.to_label(), &[]), code.to_label())));
    let calls = calling(find, &[5]).repeat(answers.len());
    let input: String = answers.iter().map(|(line, _)| line.as_str()).collect();
    let output = common::run(&program(&calls), input.as_bytes());
    let codes = output.lines().filter(|line| line.starts_with("code")).map(|line| numbers(line)[0]);
    assert!(codes.eq(answers.iter().map(|&(_, code)| code)), "{output}");
}

#[test]
fn codes_have_the_names_of_the_table() {
    let calls: String =
        Code::ALL.iter().map(|&code| format!("puts(ioasid_code_name({}));\n", code.to_label())).collect();
    let output = common::run(&program(&calls), b"");
    assert!(output.lines().eq(Code::ALL.iter().map(|code| code.name())), "{output}");
}

#[test]
fn words_are_packed_and_taken_apart_as_in_the_table() {
    let words = OPERATIONS.iter().flat_map(|operation| operation.request);
    let (mut calls, mut expected) = (String::new(), Vec::new());
    for (index, ty) in words.map(|word| word.ty).filter(|ty| !ty.parts.is_empty()).enumerate() {
        let word = spelling(ty, seed(index, 0));
        let parts: Vec<_> =
            ty.parts.iter().map(|part| word >> part.shift & (u64::MAX >> (64 - part.bits))).collect();
        let arguments = parts.iter().map(|part| format!("UINT64_C({part})")).collect::<Vec<_>>().join(", ");
        writeln!(calls, "printf(\"word %\" PRIu64, ioasid_{}({arguments}));", ty.name).unwrap();
        for part in ty.parts {
            writeln!(
                calls,
                "printf(\" %\" PRIu64, (uint64_t)ioasid_{}_{}(UINT64_C({word})));",
                ty.name, part.name
            )
            .unwrap();
        }
        calls += "printf(\"\\n\");\n";
        expected.push([&[word], &parts[..]].concat());
    }
    let output = common::run(&program(&calls), b"");
    assert!(output.lines().map(numbers).eq(expected), "{output}");
}

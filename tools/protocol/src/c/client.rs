// SPDX-License-Identifier: BSD-2-Clause
//! `client.h`: one static inline function for each operation.

use ioasid_api::{OPERATIONS, OperationInfo, REPLIES, ReplyInfo};

use super::{comment, constant, opening, signature, word_type};
use crate::words::{capitals, reply, snake};

/// What every function of the client is made with.
const CALL: &str = "\
/* Calls with the sent words in the message registers; puts the words of the answer, which has so many, into words. */
static inline enum ioasid_code ioasid_internal_call(microkit_channel channel, enum ioasid_operation operation,
                                                    uint16_t sent, uint64_t *words, uint8_t answered)
{
    microkit_msginfo answer = microkit_ppcall(channel, microkit_msginfo_new(operation, sent));
    enum ioasid_code code = ioasid_code_of_label(microkit_msginfo_get_label(answer));
    if (code == IOASID_OK && microkit_msginfo_get_count(answer) != answered) {
        return IOASID_BAD_REPLY;
    }
    for (uint8_t i = 0; code == IOASID_OK && i < answered; i++) {
        words[i] = microkit_mr_get(i);
    }
    return code;
}

";

/// The whole header.
pub fn client() -> String {
    let mut out = opening(
        "A client of the ioasid service: one function for each operation. `channel` is the one to the ioasid domain; \
         `reply` is written on IOASID_OK alone. Say HELLO first, and again after IOASID_SERVER_RESTARTED.",
    );
    out.push_str("#include <ioasid/ioasid.h>\n#include <microkit.h>\n\n");
    out.push_str(CALL);
    for reply in REPLIES.iter().filter(|reply| !reply.words.is_empty()) {
        out.push_str(&decoder(reply));
    }
    for operation in OPERATIONS {
        out.push_str(&function(operation));
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// From an answer's words to its structure; a word with a bit beyond its type is no answer.
fn decoder(reply: &ReplyInfo) -> String {
    let name = snake(reply.name);
    let parameters = ["const uint64_t *words".to_owned(), format!("struct ioasid_{name} *reply")];
    let mut out = signature(&format!("static inline enum ioasid_code ioasid_internal_{name}"), &parameters);
    out.push_str("\n{\n");
    let strays = reply.words.iter().enumerate().filter(|(_, word)| word.ty.mask() != u64::MAX);
    let strays: Vec<_> =
        strays.map(|(index, word)| format!("(words[{index}] & ~{})", constant(word.ty.mask()))).collect();
    if !strays.is_empty() {
        let condition = strays.join("\n        || ");
        out.push_str(&format!("    if ({condition}) {{\n        return IOASID_BAD_REPLY;\n    }}\n"));
    }
    for (index, word) in reply.words.iter().enumerate() {
        out.push_str(&format!("    reply->{} = ({})words[{index}];\n", word.name, word_type(word.ty)));
    }
    out.push_str("    return IOASID_OK;\n}\n\n");
    out
}

fn function(operation: &OperationInfo) -> String {
    let reply = reply(operation.reply);
    let (name, answer) = (snake(operation.name), snake(reply.name));
    let mut parameters = vec!["microkit_channel channel".to_owned()];
    let sent = operation.request.iter().map(|word| format!("{} {}", word_type(word.ty), word.name));
    parameters.extend(sent);
    if !reply.words.is_empty() {
        parameters.push(format!("struct ioasid_{answer} *reply"));
    }

    let mut out = comment("", operation.doc);
    out.push_str(&signature(&format!("static inline enum ioasid_code ioasid_{name}"), &parameters));
    out.push_str("\n{\n");
    for (index, word) in operation.request.iter().enumerate() {
        out.push_str(&format!("    microkit_mr_set({index}, {});\n", word.name));
    }
    let (op, sent, answered) = (capitals(operation.name), operation.request.len(), reply.words.len());
    if reply.words.is_empty() {
        out.push_str(&format!(
            "    return ioasid_internal_call(channel, IOASID_OP_{op}, {sent}, 0, 0);\n}}\n\n"
        ));
        return out;
    }
    out.push_str(&format!("    uint64_t words[{answered}];\n"));
    out.push_str(&format!(
        "    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_{op}, {sent}, words, {answered});\n"
    ));
    out.push_str(&format!(
        "    return code == IOASID_OK ? ioasid_internal_{answer}(words, reply) : code;\n}}\n\n"
    ));
    out
}

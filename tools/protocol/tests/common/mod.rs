// SPDX-License-Identifier: BSD-2-Clause
//! Compiles C against the headers and runs it.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its part; a test fails by unwrap")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use protocol_export::root;

/// What every translation unit is compiled with: a warning is an error.
const FLAGS: &[&str] =
    &["-std=c11", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-O2"];

/// Compiles `source` to `output`, with `flags` beside the usual ones.
pub fn compile(source: &str, output: &Path, flags: &[&str]) {
    let stub = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stub");
    let mut gcc = Command::new("gcc");
    gcc.args(FLAGS).args(flags).arg("-I").arg(stub).arg("-I").arg(root().join("pds/ioasid/include"));
    gcc.args(["-x", "c", "-", "-o"]).arg(output);
    let (ok, _, errors) = feed(gcc, source.as_bytes());
    assert!(ok, "{errors}\nof:\n{source}");
}

/// Compiles `source`, runs it with `input`, and gives its output.
pub fn run(source: &str, input: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    compile(source, &program, &[]);
    let (ok, output, errors) = feed(Command::new(&program), input);
    assert!(ok, "{errors}\n{output}\nof:\n{source}");
    output
}

fn feed(mut command: Command, input: &[u8]) -> (bool, String, String) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Nothing here writes so much that either side would wait for the other.
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

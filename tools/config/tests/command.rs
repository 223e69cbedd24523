// SPDX-License-Identifier: BSD-2-Clause
//! The program writes what it compiled, or says what is wrong and writes nothing.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::process::{Command, Output};

fn run(folder: &Path, toml: &str) -> Output {
    std::fs::write(folder.join("system.xml"), common::XML).unwrap();
    std::fs::write(folder.join("ioasid.toml"), toml).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_config-compiler"));
    command.args(["system.xml", "ioasid", "ioasid.toml", "--output", "ioasid.bin"]);
    command.current_dir(folder).env("NO_COLOR", "1").output().unwrap()
}

#[test]
fn what_is_good_is_written() {
    let folder = tempfile::tempdir().unwrap();
    assert!(run(folder.path(), common::TOML).status.success());
    let written = std::fs::read(folder.path().join("ioasid.bin")).unwrap();
    assert_eq!(written, common::compile(common::XML, common::TOML).unwrap().to_bytes());
}

#[test]
fn what_is_wrong_is_shown_where_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &common::TOML.replace("[\"nic\"]", "[\"nik\"]"));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    for part in ["no [[device]] is called \"nik\"", "did you mean \"nic\"?", "ioasid.toml:22:12"] {
        assert!(errors.contains(part), "{part} is not in:\n{errors}");
    }
    assert!(!folder.path().join("ioasid.bin").exists());
}

// SPDX-License-Identifier: BSD-2-Clause
//! Everything that can be wrong with an SDK or with the machine is one message with a remedy; and when nothing is
//! wrong, tools are called as they must be. SDK, Cargo and rustc are folders and scripts of the tests' making.

#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use microkit_sdk::{BOARD, BuildRequest, Configuration, Environment, Error, Outside, Program, Sdk};
use miette::Diagnostic as _;

/// A machine with everything on it, of which a test takes away what it is about.
///
/// One at a time: a script that another thread is writing while this one starts a program is open in that program for
/// a moment, and does not run ("text file busy").
struct Machine {
    root: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

static TURN: Mutex<()> = Mutex::new(());

impl Machine {
    fn new(version: &str) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let machine = Self { root: tempfile::tempdir().unwrap(), _turn: turn };
        machine.write("sdk/VERSION", version);
        machine.write("sdk/board/x86_64_generic/debug/include/sel4/sel4.h", "");
        machine.write("sdk/board/x86_64_generic/debug/elf/sel4_32.elf", "");
        machine.script(
            "sdk/bin/microkit",
            "echo \"$@\" > \"$0.called\"; echo 'MICROKIT|INITIAL TASK: 1 KiB'; echo other",
        );
        machine.write("machine/usr/lib/llvm-14/lib/libclang.so.1", "");
        machine.script("rustc", &format!("echo {}", machine.path("machine").display()));
        machine.script(
            "cargo",
            "echo \"$@\" >> \"$0.called\"; env >> \"$0.environment\"; \
             for target in target/microkit-sdk/2.3.0 target/microkit-sdk/2.3.0/outside; do \
             mkdir -p $target/x86_64-unknown-none/release; echo elf > $target/x86_64-unknown-none/release/hello; done",
        );
        machine.write("workspace/system.xml", "<system/>");
        machine.write("workspace/Cargo.lock", "version = 4\n");
        for release in ["2.2.0", "2.3.0"] {
            let package = format!("[[package]]\nname = \"for-{release}\"\nversion = \"1.0.0\"\n");
            machine.write(&format!("workspace/tools/microkit/sdk/{release}.lock"), &package);
        }
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn script(&self, name: &str, text: &str) {
        self.write(name, &format!("#!/bin/sh\n{text}\n"));
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn remove(&self, name: &str) {
        let path = self.path(name);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn open(&self) -> Result<Sdk, Error> {
        let (cargo, rustc) = (self.path("cargo"), self.path("rustc"));
        let environment = Environment::new([("CARGO", &*cargo), ("RUSTC", &*rustc)], &self.path("machine"));
        Sdk::open_in(&self.path("sdk"), environment)
    }

    fn build(&self) -> Result<microkit_sdk::Image, Error> {
        self.build_in(Configuration::Debug)
    }

    fn build_in(&self, configuration: Configuration) -> Result<microkit_sdk::Image, Error> {
        self.open()?.build(&self.request(configuration))
    }

    fn request(&self, configuration: Configuration) -> BuildRequest {
        BuildRequest {
            workspace: self.path("workspace"),
            outside: None,
            system: self.path("workspace/system.xml"),
            programs: vec![Program {
                package: "hello".into(),
                binary: "hello".into(),
                image: "hello.elf".into(),
            }],
            search_paths: vec![self.path("blobs")],
            board: BOARD,
            configuration,
            quiet: false,
            output: self.path("output"),
        }
    }

    /// The message and the remedy of what must go wrong, with this machine's root folder taken out.
    fn complaint(&self, result: Result<impl Sized, Error>) -> (String, String) {
        let error = result.err().expect("this must not work");
        let help = error.help().expect("every error has a remedy").to_string();
        let root = format!("{}/", self.root.path().canonicalize().unwrap().display());
        (error.to_string().replace(&root, ""), help.replace(&root, ""))
    }
}

#[test]
fn a_folder_that_is_not_there() {
    let machine = Machine::new("2.3.0");
    machine.remove("sdk");
    let (said, remedy) = machine.complaint(machine.open());
    assert_eq!(said, "there is no folder sdk");
    assert!(remedy.starts_with("MICROKIT_SDK names the folder"), "{remedy}");
}

#[test]
fn a_folder_that_is_no_sdk() {
    for missing in ["VERSION", "bin/microkit", "board"] {
        let machine = Machine::new("2.3.0");
        machine.remove(&format!("sdk/{missing}"));
        let (said, _) = machine.complaint(machine.open());
        assert_eq!(said, format!("sdk is not a Microkit SDK: it has no {missing}"));
    }
}

#[test]
fn another_version() {
    let machine = Machine::new("1.4.1\n");
    let (said, remedy) = machine.complaint(machine.open());
    assert_eq!(said, "sdk is version 1.4.1 of the Microkit SDK");
    assert_eq!(remedy, "this project is built with 2.2.0 and 2.3.0: take one of them");
}

#[test]
fn another_board() {
    let machine = Machine::new("2.3.0");
    machine.remove("sdk/board/x86_64_generic");
    machine.write("sdk/board/zcu102/debug/x", "");
    machine.write("sdk/board/rpi4b_1gb/debug/x", "");
    let (said, remedy) = machine.complaint(machine.build());
    assert_eq!(said, "sdk has no board x86_64_generic; it has: rpi4b_1gb, zcu102");
    assert!(remedy.starts_with("take an SDK with the board x86_64_generic"), "{remedy}");
}

#[test]
fn another_configuration() {
    let machine = Machine::new("2.3.0");
    let (said, remedy) = machine.complaint(machine.build_in(Configuration::Benchmark));
    assert_eq!(said, "sdk has no configuration benchmark for x86_64_generic; it has: debug");
    assert!(remedy.starts_with("set MICROKIT_CONFIG"), "{remedy}");
}

#[test]
fn a_board_without_its_kernel() {
    let machine = Machine::new("2.3.0");
    machine.remove("sdk/board/x86_64_generic/debug/elf/sel4_32.elf");
    let (said, remedy) = machine.complaint(machine.build());
    assert_eq!(
        said,
        "the Microkit SDK is incomplete: sdk/board/x86_64_generic/debug/elf/sel4_32.elf is missing"
    );
    assert_eq!(remedy, "unpack the SDK again");
}

#[test]
fn no_libclang() {
    let machine = Machine::new("2.3.0");
    machine.remove("machine/usr/lib/llvm-14");
    let (said, remedy) = machine.complaint(machine.build());
    assert!(said.starts_with("libclang is not there"), "{said}");
    assert!(remedy.contains("libclang-dev") && remedy.contains("LIBCLANG_PATH"), "{remedy}");
}

#[test]
fn no_core_library_for_the_domains() {
    let machine = Machine::new("2.3.0");
    machine.script("rustc", "echo /nonexistent/lib");
    let (said, remedy) = machine.complaint(machine.build());
    assert_eq!(said, "Rust's core library for x86_64-unknown-none is not installed");
    assert_eq!(remedy, "rustup target add x86_64-unknown-none");
}

#[test]
fn rust_sel4_out_of_reach() {
    let machine = Machine::new("2.2.0");
    machine.script(
        "cargo",
        "cat >&2 <<'said'
    Updating git repository `https://github.com/seL4/rust-sel4`
fatal: unable to access 'https://github.com/seL4/rust-sel4/': Could not resolve host: github.com
error: failed to load source for dependency `sel4`

Caused by:
  unable to update https://github.com/seL4/rust-sel4?tag=v4.0.0
said
exit 101",
    );
    let (said, remedy) = machine.complaint(machine.build());
    assert_eq!(
        said,
        "rust-sel4 v4.0.0 is out of reach: unable to access 'https://github.com/seL4/rust-sel4/': Could not \
         resolve host: github.com"
    );
    assert!(remedy.contains("the git tag v4.0.0 of https://github.com/seL4/rust-sel4"), "{remedy}");
    assert!(remedy.contains("insteadOf https://github.com/seL4/rust-sel4)"), "{remedy}");
}

#[test]
fn another_source_out_of_reach() {
    let machine = Machine::new("2.3.0");
    machine.script("cargo", "echo 'error: failed to download `x`' >&2; exit 101");
    let (said, remedy) = machine.complaint(machine.build());
    assert_eq!(said, "cargo fetch failed for the Microkit SDK 2.3.0:\nerror: failed to download `x`");
    assert!(remedy.starts_with("the command was: cargo fetch "), "{remedy}");
}

#[test]
fn a_program_that_does_not_compile() {
    let machine = Machine::new("2.3.0");
    machine.script("cargo", "test \"$1\" = fetch");
    let (said, remedy) = machine.complaint(machine.build());
    assert_eq!(said, "cargo build failed for the Microkit SDK 2.3.0");
    assert!(remedy.ends_with("--package hello --bin hello"), "{remedy}");
}

#[test]
fn cargo_that_is_not_there() {
    let machine = Machine::new("2.3.0");
    machine.remove("cargo");
    let (said, _) = machine.complaint(machine.build());
    assert!(said.starts_with("cannot run ") && said.contains("cargo: No such file"), "{said}");
}

#[test]
fn a_tool_for_another_machine() {
    let machine = Machine::new("2.3.0");
    machine.write("sdk/bin/microkit", "\u{7f}ELF of another processor");
    let (said, remedy) = machine.complaint(machine.build());
    assert!(said.starts_with("cannot run sdk/bin/microkit: "), "{said}");
    assert_eq!(remedy, "is it there, executable, and made for this machine?");
}

#[test]
fn a_system_that_the_tool_does_not_take() {
    let machine = Machine::new("2.3.0");
    machine.script("sdk/bin/microkit", "echo 'Error: invalid attribute: system.xml:3:5' >&2; exit 1");
    let (said, remedy) = machine.complaint(machine.build());
    assert!(said.starts_with("the SDK's microkit tool does not take "), "{said}");
    assert!(said.ends_with("workspace/system.xml:\nError: invalid attribute: system.xml:3:5"), "{said}");
    assert!(remedy.contains("bin/microkit "), "{remedy}");
}

#[test]
fn an_image_that_boots_where_nothing_is_wrong() {
    let machine = Machine::new("2.3.0-linux-x86-64\n");
    let image = machine.build().unwrap();

    let called = machine.read("cargo.called");
    let (fetch, build) = called.trim().split_once('\n').unwrap();
    for line in [fetch, build] {
        assert!(line.contains("--config ") && line.contains("tools/microkit/sdk/2.3.0.toml"), "{line}");
        assert!(
            line.contains("resolver.lockfile-path='") && line.contains("microkit-sdk/2.3.0/Cargo.lock'"),
            "{line}"
        );
        assert!(line.contains("tools/microkit/sdk/start.ld'"), "{line}");
        assert!(line.contains("--target x86_64-unknown-none"), "{line}");
    }
    assert!(fetch.starts_with("fetch ") && build.starts_with("build "), "{called}");
    assert!(build.contains("--release") && build.ends_with("--package hello --bin hello"), "{build}");
    let lock = machine.read("workspace/target/microkit-sdk/2.3.0/Cargo.lock");
    assert_eq!(lock, "version = 4\n\n[[package]]\nname = \"for-2.3.0\"\nversion = \"1.0.0\"\n");

    let environment = machine.read("cargo.environment");
    let set = |name: &str| environment.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    assert_eq!(set("RUSTC_BOOTSTRAP"), Some("1"));
    assert!(set("SEL4_INCLUDE_DIRS").unwrap().ends_with("sdk/board/x86_64_generic/debug/include"));
    assert!(set("LIBCLANG_PATH").unwrap().ends_with("usr/lib/llvm-14/lib"));
    assert_eq!(set("RUSTFLAGS"), None);

    assert_eq!(machine.read("output/hello.elf"), "elf\n");
    let tool = machine.read("sdk/bin/microkit.called");
    assert!(tool.contains("--board x86_64_generic --config debug"), "{tool}");
    let (output, blobs) = (machine.path("output"), machine.path("blobs"));
    assert!(
        tool.trim().ends_with(&format!("--search-path {} {}", output.display(), blobs.display())),
        "{tool}"
    );

    assert_eq!(image.account, ["INITIAL TASK: 1 KiB"]);
    let line = image.qemu_args(0).join(" ".as_ref()).into_string().unwrap();
    assert!(line.contains("-icount shift=0,sleep=off -kernel "), "{line}");
    assert!(line.ends_with("output/loader.img -append disable_iommu"), "{line}");
}

#[test]
fn a_package_outside_is_built_where_it_is_with_a_lock_file_elsewhere() {
    let machine = Machine::new("2.3.0");
    let pinned = "[[package]]\nname = \"theirs\"\nversion = \"2.0.0\"\n";
    machine.write("theirs/Cargo.lock", &format!("version = 4\n\n{pinned}"));
    let outside =
        Outside { manifest: machine.path("theirs/Cargo.toml"), lock: machine.path("theirs/Cargo.lock") };
    let request = machine.request(Configuration::Debug);
    machine.open().unwrap().compile(&BuildRequest { outside: Some(outside), ..request }).unwrap();

    let called = machine.read("cargo.called");
    for line in called.lines() {
        assert!(line.contains(" --manifest-path ") && line.contains("theirs/Cargo.toml "), "{line}");
        assert!(line.contains("microkit-sdk/2.3.0/outside/Cargo.lock'"), "{line}");
    }
    assert_eq!(called.lines().count(), 2, "fetch and build");
    let lock = machine.read("workspace/target/microkit-sdk/2.3.0/outside/Cargo.lock");
    let ours = "[[package]]\nname = \"for-2.3.0\"\nversion = \"1.0.0\"\n";
    assert_eq!(lock, format!("version = 4\n\n{ours}\n{pinned}"));
    assert_eq!(machine.read("output/hello.elf"), "elf\n");
}

#[test]
fn a_kernel_that_leaves_the_unit_alone_gets_no_arguments() {
    let machine = Machine::new("2.2.0");
    let image = machine.open().unwrap().compose(&BuildRequest {
        workspace: machine.path("workspace"),
        outside: None,
        system: machine.path("workspace/system.xml"),
        programs: vec![],
        search_paths: vec![],
        board: BOARD,
        configuration: Configuration::Debug,
        quiet: true,
        output: machine.path("output"),
    });
    assert!(!image.unwrap().qemu_args(1).contains(&"-append".into()));
}

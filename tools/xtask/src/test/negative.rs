// SPDX-License-Identifier: BSD-2-Clause
//! The steps that must go wrong: each gives one plain message and a failing exit status, in bounded time.
//!
//! They start this very program, as a person would, in a world that lacks something.

use super::{Step, Tally};
use crate::progress::time;
use crate::workspace;
use miette::{IntoDiagnostic as _, Result, WrapErr as _, miette};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// All of them.
pub fn steps() -> Vec<Step<'static>> {
    let step = |name: &str, run: fn() -> Result<String>| Step {
        name: format!("negative/{name}"),
        run: Box::new(move || Tally::of(run())),
        parallel: true,
    };
    vec![
        step("qemu-missing", qemu_missing),
        step("qemu-too-old", qemu_too_old),
        step("qemu-without-vtd", qemu_without_vtd),
        step("tool-missing", tool_missing),
        step("system-missing", system_missing),
        step("system-broken", system_broken),
        step("program-unknown", program_unknown),
        step("machine-broken", machine_broken),
        step("machine-bochs", machine_bochs),
        step("symbol-missing", symbol_missing),
        step("sdk-missing", sdk_missing),
        step("sdk-unknown", sdk_unknown),
        step("sdk-without-board", sdk_without_board),
        step("config-unknown", config_unknown),
    ]
}

fn qemu_missing() -> Result<String> {
    fails(&["run", "--qemu", "/nonexistent/qemu"], &["/nonexistent/qemu is not there", "cargo xtask setup"])
}

fn qemu_too_old() -> Result<String> {
    let folder = Scratch::new("qemu-too-old")?;
    let qemu = folder.program("qemu", "echo 'QEMU emulator version 6.2.0'")?;
    fails(&["run", "--qemu", &qemu], &["version 6.2: too old", "QEMU 7.2 or newer"])
}

fn qemu_without_vtd() -> Result<String> {
    let folder = Scratch::new("qemu-without-vtd")?;
    let script = "case $1 in --version) echo 'QEMU emulator version 10.0.2';; *) echo 'name \"edu\"';; esac";
    let qemu = folder.program("qemu", script)?;
    fails(&["run", "--qemu", &qemu], &["has no device intel-iommu"])
}

/// A PATH with no C compiler on it; nothing is installed in a dry run.
fn tool_missing() -> Result<String> {
    let folder = Scratch::new("tool-missing")?;
    let output =
        this_program().args(["setup", "--dry-run"]).env("PATH", &folder.0).output().into_diagnostic()?;
    let said = String::from_utf8_lossy(&output.stdout);
    for wanted in
        ["missing: gcc", "missing: objcopy", "apt-get install --no-install-recommends gcc cpp binutils"]
    {
        if !said.contains(wanted) {
            return Err(miette!("set-up on an empty PATH does not say `{wanted}`:\n{said}"));
        }
    }
    Ok(String::new())
}

fn system_missing() -> Result<String> {
    let folder = Scratch::new("system-missing")?;
    fails(&["build", "--system", &folder.path("")], &["system.xml: there is no system description"])
}

fn system_broken() -> Result<String> {
    let folder = Scratch::new("system-broken")?;
    folder.write(
        "system.xml",
        "<system>\n  <protection_domain name=\"a\" priority=\"300\">\n    <program_image path=\"guest.elf\" />\n  \
         </protection_domain>\n</system>\n",
    )?;
    fails(&["build", "--system", &folder.path("")], &["system.xml:2", "priority is 300, above 254"])
}

fn program_unknown() -> Result<String> {
    let folder = Scratch::new("program-unknown")?;
    folder.write("system.xml", &system("no-such-program.elf"))?;
    fails(&["build", "--system", &folder.path("")], &["no-such-program.elf", "no package of this workspace"])
}

fn machine_broken() -> Result<String> {
    let folder = Scratch::new("machine-broken")?;
    folder.write("system.xml", &system("guest.elf"))?;
    folder.write("machine.toml", "memory = '1G'\ntimeout = 60\n")?;
    fails(&["run", "--system", &folder.path("")], &["machine.toml", "unknown field `timeout`", "known keys"])
}

/// What only QEMU has, for a system that runs in Bochs.
fn machine_bochs() -> Result<String> {
    let folder = Scratch::new("machine-bochs")?;
    folder.write("system.xml", &system("guest.elf"))?;
    folder.write("machine.toml", "bochs = true\n")?;
    fails(&["run", "--system", &folder.path(""), "--no-vtd"], &["runs in Bochs", "leave --qemu"])
}

/// A program without the symbol that system.xml wants to set.
fn symbol_missing() -> Result<String> {
    let folder = Scratch::new("symbol-missing")?;
    let text = system("console.elf").replace(
        "  </protection_domain>",
        "    <map mr=\"m\" vaddr=\"0x2000000\" setvar_vaddr=\"no_such_symbol\" />\n  </protection_domain>\n  \
         <memory_region name=\"m\" size=\"0x1000\" />",
    );
    folder.write("system.xml", &text)?;
    fails(&["build", "--system", &folder.path("")], &["system.xml:4", "no_such_symbol", "console.elf"])
}

/// A system of one protection domain.
fn system(image: &str) -> String {
    format!(
        "<system>\n  <protection_domain name=\"a\" priority=\"1\">\n    <program_image path=\"{image}\" />\n  \
         </protection_domain>\n</system>\n"
    )
}

fn sdk_missing() -> Result<String> {
    fails(
        &["run", "--sdk", "/nonexistent/sdk"],
        &["there is no folder /nonexistent/sdk", "MICROKIT_SDK names"],
    )
}

fn sdk_unknown() -> Result<String> {
    let folder = Scratch::new("sdk-unknown")?;
    folder.sdk("1.4.1", "x86_64_generic")?;
    fails(
        &["run", "--sdk", &folder.path("")],
        &["is version 1.4.1 of the Microkit SDK", "built with 2.2.0 and 2.3.0"],
    )
}

fn sdk_without_board() -> Result<String> {
    let folder = Scratch::new("sdk-without-board")?;
    folder.sdk("2.3.0", "zcu102")?;
    fails(&["run", "--sdk", &folder.path("")], &["has no board x86_64_generic; it has: zcu102"])
}

fn config_unknown() -> Result<String> {
    let output = this_program().args(["run", "--config", "smp-debug"]).output().into_diagnostic()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() || !said.contains("[possible values: debug, release, benchmark]") {
        return Err(miette!("`run --config smp-debug` says:\n{said}"));
    }
    Ok(String::new())
}

/// Runs this program with `arguments`; it must fail with one message that says all of `wanted`.
fn fails(arguments: &[&str], wanted: &[&str]) -> Result<String> {
    let start = Instant::now();
    let output = this_program().args(arguments).output().into_diagnostic()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let line = arguments.join(" ");
    if output.status.success() {
        return Err(miette!("`{line}` was expected to fail"));
    }
    if let Some(wanted) = wanted.iter().find(|wanted| !said.contains(**wanted)) {
        return Err(miette!("`{line}` does not say `{wanted}`:\n{said}"));
    }
    let plain =
        said.trim_start().starts_with('×') && !said.contains("panicked") && !said.contains("backtrace");
    if !plain {
        return Err(miette!("`{line}` gives more than one plain message:\n{said}"));
    }
    Ok(format!("said so in {}", time(start.elapsed())))
}

fn this_program() -> Command {
    let mut command = Command::new(workspace::this_program());
    command.env_remove("RUST_BACKTRACE").env("NO_COLOR", "1");
    // What the test is run with is not what these are about.
    command.env_remove("MICROKIT_SDK").env_remove("MICROKIT_CONFIG");
    command
}

/// A folder that goes when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Result<Self> {
        let folder = workspace::output().join("negative").join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).into_diagnostic().wrap_err("cannot make a scratch folder")?;
        Ok(Self(folder))
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        std::fs::write(self.0.join(name), text).into_diagnostic()
    }

    /// Makes it look like a Microkit SDK.
    fn sdk(&self, version: &str, board: &str) -> Result<()> {
        for folder in ["bin".to_owned(), format!("board/{board}/debug")] {
            std::fs::create_dir_all(self.0.join(folder)).into_diagnostic()?;
        }
        self.write("VERSION", version)?;
        self.program("bin/microkit", "").map(drop)
    }

    fn program(&self, name: &str, script: &str) -> Result<String> {
        self.write(name, &format!("#!/bin/sh\n{script}\n"))?;
        let path: &Path = &self.0.join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).into_diagnostic()?;
        Ok(self.path(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now goes with `make clean`.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

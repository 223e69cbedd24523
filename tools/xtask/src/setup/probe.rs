// SPDX-License-Identifier: BSD-2-Clause
//! Looks at this machine.

use super::{PD_TARGET, plan::Facts};
use crate::qemu::Qemu;
use crate::workspace;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// Programs that must be on PATH, each with its Debian package.
const PROGRAMS: [(&str, &str); 7] = [
    ("gcc", "gcc"),
    ("cpp", "cpp"),
    ("as", "binutils"),
    ("ld", "binutils"),
    ("objcopy", "binutils"),
    ("python3", "python3-minimal"),
    ("setpriv", "util-linux"),
];

/// Python modules of the kernel build, each with what people call it and its Debian package.
const MODULES: [(&str, &str, &str); 3] = [
    ("six", "Python module six", "python3-six"),
    ("ply", "Python module ply", "python3-ply"),
    ("tempita", "Python module tempita", "python3-tempita"),
];

/// The Python that Debian's modules belong to, whatever comes first on PATH.
const PYTHON: &str = "/usr/bin/python3";

/// Everything that the plan rests on.
pub fn facts(qemu: Option<&Path>) -> Facts {
    let mut absent: Vec<_> = PROGRAMS.into_iter().filter(|(program, _)| on_path(program).is_none()).collect();
    absent.extend(missing_modules());
    absent.extend(missing_for_bochs());
    Facts {
        root: std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0),
        codename: codename(),
        absent,
        // The one that was asked for is judged where it is used; installing another would not help.
        qemu: if qemu.is_some() { None } else { Qemu::probe(Path::new(crate::qemu::PROGRAM)).err() },
        rust_target: pd_target_installed(),
        rust_target_hopeless: no_target_stamp().exists(),
    }
}

/// Debian's code name (`bookworm`) where this is Debian itself.
pub fn codename() -> Option<String> {
    debian(&std::fs::read_to_string("/etc/os-release").unwrap_or_default())
}

/// The code name out of `/etc/os-release` where this is Debian itself.
fn debian(release: &str) -> Option<String> {
    let value = |key: &str| {
        let line = release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
        Some(line.trim().trim_matches('"').to_owned())
    };
    (value("ID")? == "debian").then(|| value("VERSION_CODENAME"))?
}

/// Where `program` is on PATH.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// What booting virtual machines in Bochs needs and is not there, by package.
fn missing_for_bochs() -> impl Iterator<Item = (&'static str, &'static str)> {
    microkit_bochs::missing_tools().into_iter().filter_map(|missing| match missing {
        microkit_bochs::Error::Missing { package, .. } => Some((package, package)),
        _ => None,
    })
}

fn missing_modules() -> Vec<(&'static str, &'static str)> {
    let present = |modules: &str| {
        let import = format!("import {modules}");
        Command::new(PYTHON).args(["-c", &import]).output().is_ok_and(|output| output.status.success())
    };
    // One start of Python where all is well.
    if present(&MODULES.map(|(module, ..)| module).join(", ")) {
        return Vec::new();
    }
    MODULES
        .into_iter()
        .filter(|(module, ..)| !present(module))
        .map(|(_, name, package)| (name, package))
        .collect()
}

static SYSROOT: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let output =
        Command::new("rustc").args(["--print", "sysroot"]).current_dir(workspace::root()).output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
});

/// Whether the toolchain has a `core` for the protection domains' own target.
pub fn pd_target_installed() -> bool {
    SYSROOT.as_ref().is_some_and(|root| root.join("lib/rustlib").join(PD_TARGET).join("lib").is_dir())
}

/// Asks rustup for the target, within three minutes.
pub fn add_rust_target() -> Result<(), String> {
    let mut command = Command::new("timeout");
    command.args(["180", "rustup", "target", "add", PD_TARGET]).current_dir(workspace::root());
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no answer").to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Remembers, for this toolchain, that the target cannot be had.
pub fn remember_no_target() {
    let stamp = no_target_stamp();
    // Where it cannot be written, the next run asks again.
    let _ = stamp.parent().map(std::fs::create_dir_all);
    let _ = std::fs::write(stamp, "");
}

fn no_target_stamp() -> PathBuf {
    let toolchain = SYSROOT.as_ref().and_then(|root| root.file_name()).unwrap_or_default();
    workspace::output().join(format!("no-{PD_TARGET}-{}", toolchain.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_is_known_by_its_code_name() {
        let release =
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n";
        assert_eq!(debian(release).as_deref(), Some("bookworm"));
        assert_eq!(debian("ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n"), None);
        assert_eq!(debian(""), None);
    }

    #[test]
    fn programs_are_found_on_path() {
        assert!(on_path("sh").is_some());
        assert!(on_path("no-such-program-anywhere").is_none());
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! Debian bookworm's QEMU 7.2 beside the installed one: its packages downloaded and unpacked into the output folder.
//!
//! It cannot be installed beside a newer `qemu-utils`, and need not be: unpacked, with `-L` for its firmware, it runs.

use super::probe;
use crate::progress::step;
use crate::qemu::{PROGRAM, Qemu, Version};
use crate::workspace;
use miette::{IntoDiagnostic as _, Result, WrapErr as _, miette};
use std::path::Path;
use std::process::Command;

/// The packages with the program and with what it needs beside the libraries that any QEMU of the machine has.
const PACKAGES: [&str; 4] = ["qemu-system-x86", "qemu-system-common", "qemu-system-data", "seabios"];

/// Whether this is the Debian that has it.
pub fn offered() -> bool {
    probe::codename().as_deref() == Some("bookworm")
}

/// Unpacks it once and gives it.
pub fn unpack() -> Result<Qemu> {
    let folder = workspace::output().join("qemu-7.2");
    if !folder.join("usr/bin").join(PROGRAM).is_file() {
        let work = folder.with_extension("part");
        // Left over from a run that was cut short.
        let _ = std::fs::remove_dir_all(&work);
        std::fs::create_dir_all(&work).into_diagnostic()?;
        step("unpacking QEMU 7.2", || download(&work))?;
        std::fs::rename(&work, &folder).into_diagnostic()?;
    }
    usable(&folder)
}

fn usable(folder: &Path) -> Result<Qemu> {
    let program = folder.join("usr/bin").join(PROGRAM);
    let qemu = Qemu::probe(&program).map_err(|why| {
        miette!(help = "remove it and try again", "{} is not usable: {why:?}", program.display())
    })?;
    Ok(Qemu { firmware: Some(folder.join("usr/share/qemu")), ..qemu })
}

fn download(work: &Path) -> Result<()> {
    for package in PACKAGES {
        let output = Command::new("apt-cache").args(["madison", package]).env("LC_ALL", "C").output();
        let known = output.into_diagnostic().wrap_err("cannot run apt-cache")?.stdout;
        let known = String::from_utf8_lossy(&known);
        let version = choose(package, &known).ok_or_else(|| {
            miette!(
                help = "QEMU 7.2 is Debian 12's; on another system give one with --qemu",
                "the package sources have no {package} of QEMU 7.2"
            )
        })?;
        let wanted = format!("{package}={version}");
        run(Command::new("apt-get").args(["-q", "download", &wanted]).current_dir(work))?;
    }
    for entry in std::fs::read_dir(work).into_diagnostic()? {
        let file = entry.into_diagnostic()?.path();
        if file.extension().is_some_and(|extension| extension == "deb") {
            run(Command::new("dpkg").arg("-x").arg(&file).arg(work))?;
            std::fs::remove_file(&file).into_diagnostic()?;
        }
    }
    Ok(())
}

/// The version to take out of `apt-cache madison`: 7.2's; of packages with their own versions, the first.
fn choose<'a>(package: &str, madison: &'a str) -> Option<&'a str> {
    let mut versions = madison.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim);
    if package.starts_with("qemu-") {
        versions.find(|version| Version::parse(version) == Some(Version { major: 7, minor: 2 }))
    } else {
        versions.next()
    }
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().into_diagnostic().wrap_err_with(|| format!("cannot run {command:?}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(miette!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_two_is_chosen() {
        let madison = "qemu-system-x86 | 1:10.0.2+ds-2~bpo12+1 | mirror bookworm-backports/main amd64 Packages\n\
                       qemu-system-x86 | 1:7.2+dfsg-7+deb12u18 | mirror bookworm/main amd64 Packages\n";
        assert_eq!(choose("qemu-system-x86", madison), Some("1:7.2+dfsg-7+deb12u18"));
        assert_eq!(choose("seabios", " seabios | 1.16.2-1 | mirror"), Some("1.16.2-1"));
        assert_eq!(choose("qemu-system-x86", ""), None);
    }
}

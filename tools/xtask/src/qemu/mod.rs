// SPDX-License-Identifier: BSD-2-Clause
//! QEMU: which one, what it is called with, and its life under a watchdog.

mod command;
mod process;

pub use command::{Image, command_line};
pub use process::{End, LogLimits, Outcome, boot};

use miette::{IntoDiagnostic as _, Result, miette};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program that is looked for.
pub const PROGRAM: &str = "qemu-system-x86_64";

/// A QEMU version. The driver's options changed with 11.0; before 7.2 VT-d's scalable mode is not usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
}

impl Version {
    /// The oldest QEMU whose VT-d this project runs on.
    pub const OLDEST: Self = Self { major: 7, minor: 2 };
    /// What set-up prefers to install.
    pub const PREFERRED: Self = Self { major: 10, minor: 0 };

    /// Reads `QEMU emulator version 10.0.2 (Debian …)`, or a bare `10.0.2`, or Debian's `1:7.2+dfsg-7`.
    pub fn parse(text: &str) -> Option<Self> {
        let line = text.lines().next()?.trim();
        let version = line.strip_prefix("QEMU emulator version ").unwrap_or(line);
        let version = version.split_once(':').map_or(version, |(_epoch, rest)| rest);
        let mut numbers = version.split(|c: char| !c.is_ascii_digit());
        Some(Self { major: numbers.next()?.parse().ok()?, minor: numbers.next()?.parse().ok()? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A usable QEMU.
#[derive(Clone, Debug)]
pub struct Qemu {
    /// The program.
    pub program: PathBuf,
    /// Its version, at least [`Version::OLDEST`].
    pub version: Version,
    /// Folder of its firmware where that is not beside it (`-L`).
    pub firmware: Option<PathBuf>,
}

/// Why a QEMU is not usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// There is none.
    Missing,
    /// It does not run, or does not say its version.
    Mute(String),
    /// It is older than [`Version::OLDEST`].
    Old(Version),
    /// It is built without the device `intel-iommu`.
    NoIommu(Version),
}

impl Qemu {
    /// Looks at `program` (a path, or a name on PATH).
    pub fn probe(program: &Path) -> Result<Self, Unusable> {
        let ask = |arguments: &[&str]| {
            let output = Command::new(program).args(arguments).output();
            match output {
                Ok(output) if output.status.success() => {
                    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
                }
                Ok(output) => Err(Unusable::Mute(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Unusable::Missing),
                Err(error) => Err(Unusable::Mute(error.to_string())),
            }
        };
        let said = ask(&["--version"])?;
        let version = Version::parse(&said).ok_or(Unusable::Mute(said))?;
        if version < Version::OLDEST {
            return Err(Unusable::Old(version));
        }
        if !ask(&["-device", "help"])?.contains("\"intel-iommu\"") {
            return Err(Unusable::NoIommu(version));
        }
        Ok(Self { program: program.to_owned(), version, firmware: None })
    }

    /// The QEMU that was asked for: a program, `7.2` for Debian's unpacked one, or, without a wish, the one on PATH.
    pub fn find(asked: Option<&Path>) -> Result<Self> {
        if asked == Some(Path::new("7.2")) {
            return crate::setup::qemu72::unpack();
        }
        let program = match asked {
            // It runs in another folder than this one.
            Some(path) if path.components().count() > 1 => std::path::absolute(path).into_diagnostic()?,
            _ => asked.unwrap_or(Path::new(PROGRAM)).to_owned(),
        };
        Self::probe(&program).map_err(|why| unusable(&program, &why))
    }
}

fn unusable(program: &Path, why: &Unusable) -> miette::Report {
    let program = program.display();
    let remedy = format!(
        "QEMU {} or newer with the device intel-iommu is needed: `cargo xtask setup` installs it, \
         `--qemu PATH` names another one",
        Version::OLDEST
    );
    match why {
        Unusable::Missing => miette!(help = remedy, "{program} is not there"),
        Unusable::Mute(said) => miette!(help = remedy, "{program} does not tell its version: {said}"),
        Unusable::Old(version) => miette!(help = remedy, "{program} is version {version}: too old"),
        Unusable::NoIommu(version) => {
            miette!(help = remedy, "{program} ({version}) has no device intel-iommu")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_in_every_form() {
        for (text, major, minor) in [
            ("QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2+deb13u1~bpo12+1)\nCopyright", 10, 0),
            ("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)", 7, 2),
            ("QEMU emulator version 11.1.3", 11, 1),
            ("1:7.2+dfsg-7+deb12u18+b3", 7, 2),
            ("1:10.0.2+ds-2+deb13u1~bpo12+1", 10, 0),
        ] {
            assert_eq!(Version::parse(text), Some(Version { major, minor }), "{text}");
        }
        assert_eq!(Version::parse("bash: no such thing"), None);
        assert_eq!(Version::parse(""), None);
    }

    #[test]
    fn versions_are_ordered_by_number() {
        let [old, new] = ["7.2", "10.0"].map(|text| Version::parse(text).unwrap());
        assert!(old < new && old >= Version::OLDEST && new >= Version::PREFERRED);
    }

    #[test]
    fn a_qemu_that_is_not_there_is_said_to_be_missing() {
        let error = Qemu::find(Some(Path::new("/nonexistent/qemu"))).unwrap_err();
        assert_eq!(error.to_string(), "/nonexistent/qemu is not there");
    }
}

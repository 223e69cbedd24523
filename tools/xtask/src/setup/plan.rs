// SPDX-License-Identifier: BSD-2-Clause
//! From what a machine has to what it must get: a pure function.

use super::PD_TARGET;
use crate::qemu::{PROGRAM, Unusable, Version};

/// Debian's package of QEMU.
pub const QEMU_PACKAGE: &str = "qemu-system-x86";

/// What was seen on this machine.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Runs as root.
    pub root: bool,
    /// Debian's code name (`bookworm`); `None` on another distribution.
    pub codename: Option<String>,
    /// Debian packages of programs and Python modules that are not there.
    pub absent: Vec<(&'static str, &'static str)>,
    /// What is wrong with QEMU, if anything.
    pub qemu: Option<Unusable>,
    /// The Rust target of the protection domains is there.
    pub rust_target: bool,
    /// It was tried before with this toolchain and cannot be had.
    pub rust_target_hopeless: bool,
}

impl Facts {
    /// Why nothing may be installed here; `None` where it may.
    pub fn hands_off(&self) -> Option<&'static str> {
        match (&self.codename, self.root) {
            (None, _) => Some("this is not Debian"),
            (_, false) => Some("this is not root"),
            _ => None,
        }
    }
}

/// What is missing and how it comes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// For people: one entry for each thing that is missing.
    pub missing: Vec<String>,
    /// Debian packages to install, without repetitions.
    pub packages: Vec<&'static str>,
    /// Add the Rust target.
    pub rust_target: bool,
}

/// Decides.
pub fn plan(facts: &Facts) -> Plan {
    let mut plan = Plan::default();
    for &(what, package) in &facts.absent {
        plan.missing.push(what.to_owned());
        if !plan.packages.contains(&package) {
            plan.packages.push(package);
        }
    }
    if let Some(why) = &facts.qemu {
        plan.missing.push(match why {
            Unusable::Missing => PROGRAM.to_owned(),
            Unusable::Mute(said) => format!("a {PROGRAM} that runs (it said: {said})"),
            Unusable::Old(version) => format!("{PROGRAM} {} or newer (found: {version})", Version::OLDEST),
            Unusable::NoIommu(version) => format!("{PROGRAM} with intel-iommu ({version} has none)"),
        });
        plan.packages.push(QEMU_PACKAGE);
    }
    if !facts.rust_target && !facts.rust_target_hopeless {
        plan.missing.push(format!("the Rust target {PD_TARGET}"));
        plan.rust_target = true;
    }
    plan
}

impl Plan {
    /// Nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty()
    }

    /// The commands that a person would type.
    pub fn commands(&self, codename: Option<&str>) -> Vec<String> {
        let mut commands = Vec::new();
        if !self.packages.is_empty() {
            commands.push(format!("apt-get install --no-install-recommends {}", self.packages.join(" ")));
        }
        if let (true, Some(codename)) = (self.packages.contains(&QEMU_PACKAGE), codename) {
            commands.push(format!(
                "  (QEMU {} is preferred: with the suite {codename}-backports in the apt sources, add -t {codename}-backports)",
                Version::PREFERRED
            ));
        }
        if self.rust_target {
            commands.push(format!("rustup target add {PD_TARGET}"));
        }
        commands
    }
}

/// Where QEMU should come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QemuSource {
    /// The package lists know no QEMU at all: update them first.
    Unknown,
    /// What apt would install anyway.
    Candidate,
    /// The backports suite, which is in the sources.
    Backports,
    /// The candidate serves, but backports would give the preferred version: add the suite.
    AddBackports,
}

/// Reads `apt-cache policy qemu-system-x86`.
pub fn qemu_source(policy: &str) -> QemuSource {
    let value = |key: &str| policy.lines().find_map(|line| line.trim().strip_prefix(key)).map(str::trim);
    let Some(candidate) = value("Candidate:").and_then(Version::parse) else {
        return QemuSource::Unknown;
    };
    if candidate >= Version::PREFERRED {
        return QemuSource::Candidate;
    }
    // A row of the version table starts with the version, perhaps after `***`; `~bpo` marks backports.
    let backported = policy
        .lines()
        .filter_map(|line| line.trim().trim_start_matches("*** ").split_whitespace().next())
        .any(|word| word.contains("~bpo") && Version::parse(word) >= Some(Version::PREFERRED));
    if backported { QemuSource::Backports } else { QemuSource::AddBackports }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> Facts {
        Facts { root: true, codename: Some("bookworm".into()), rust_target: true, ..Facts::default() }
    }

    #[test]
    fn nothing_missing_is_nothing_to_do() {
        assert!(plan(&complete()).is_empty());
    }

    #[test]
    fn packages_are_named_once() {
        let absent = vec![("ld", "binutils"), ("objcopy", "binutils"), ("cpp", "cpp")];
        let plan = plan(&Facts { absent, qemu: Some(Unusable::Missing), ..complete() });
        assert_eq!(plan.packages, ["binutils", "cpp", QEMU_PACKAGE]);
        assert_eq!(plan.missing, ["ld", "objcopy", "cpp", PROGRAM]);
        let commands = plan.commands(Some("bookworm"));
        assert!(commands[0].ends_with("binutils cpp qemu-system-x86"));
        assert!(commands[1].contains("-t bookworm-backports"));
    }

    #[test]
    fn an_old_qemu_is_missing_and_said_to_be_old() {
        let version = Version { major: 5, minor: 2 };
        let plan = plan(&Facts { qemu: Some(Unusable::Old(version)), ..complete() });
        assert_eq!(plan.missing, ["qemu-system-x86_64 7.2 or newer (found: 5.2)"]);
        assert_eq!(plan.packages, [QEMU_PACKAGE]);
    }

    #[test]
    fn the_rust_target_is_not_tried_twice() {
        assert!(plan(&Facts { rust_target: false, ..complete() }).rust_target);
        let hopeless = Facts { rust_target: false, rust_target_hopeless: true, ..complete() };
        assert!(plan(&hopeless).is_empty());
    }

    #[test]
    fn only_root_on_debian_installs() {
        assert_eq!(complete().hands_off(), None);
        assert!(Facts { root: false, ..complete() }.hands_off().is_some());
        assert!(Facts { codename: None, ..complete() }.hands_off().is_some());
    }

    const BOOKWORM: &str = "qemu-system-x86:\n  Installed: (none)\n  Candidate: 1:7.2+dfsg-7+deb12u18\n  \
        Version table:\n     1:7.2+dfsg-7+deb12u18 500\n        500 http://mirror bookworm/main amd64 Packages\n";

    #[test]
    fn backports_are_preferred_to_an_old_candidate() {
        assert_eq!(qemu_source(BOOKWORM), QemuSource::AddBackports);
        let with = format!(
            "{BOOKWORM}     1:10.0.2+ds-2+deb13u1~bpo12+1 100\n        100 http://mirror bookworm-backports/main\n"
        );
        assert_eq!(qemu_source(&with), QemuSource::Backports);
    }

    #[test]
    fn a_new_candidate_is_taken_as_it_is() {
        assert_eq!(
            qemu_source(&BOOKWORM.replace("1:7.2+dfsg-7+deb12u18", "1:10.0.8+ds-0+deb13u1")),
            QemuSource::Candidate
        );
    }

    #[test]
    fn empty_package_lists_are_noticed() {
        assert_eq!(qemu_source(""), QemuSource::Unknown);
        assert_eq!(
            qemu_source("qemu-system-x86:\n  Installed: (none)\n  Candidate: (none)\n"),
            QemuSource::Unknown
        );
    }
}

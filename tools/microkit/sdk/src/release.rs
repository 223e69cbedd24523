// SPDX-License-Identifier: BSD-2-Clause
//! The SDK releases that this project is built with, and what differs between them.

/// One release of the Microkit SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// The SDK's version, as its file `VERSION` begins.
    pub version: &'static str,
    /// The seL4 in it.
    pub sel4: &'static str,
    /// rust-sel4's git tag for that seL4.
    pub rust_sel4: &'static str,
    /// What must stand on the kernel's command line so that a protection domain can own the VT-d unit.
    ///
    /// From 2.3.0 on the kernel otherwise takes the unit for itself, in legacy mode, and reserves its registers.
    pub kernel_arguments: Option<&'static str>,
}

/// Every release that is known to work, oldest first.
pub static RELEASES: [Release; 2] = [
    Release { version: "2.2.0", sel4: "15.0.0", rust_sel4: "v4.0.0", kernel_arguments: None },
    Release {
        version: "2.3.0",
        sel4: "16.0.0",
        rust_sel4: "v5.0.0",
        kernel_arguments: Some("disable_iommu"),
    },
];

impl Release {
    /// The release that a file `VERSION` states: its number, perhaps with a suffix such as `-linux-x86-64`.
    #[must_use]
    pub fn of(stated: &str) -> Option<&'static Self> {
        let number = stated.trim().split(['-', '+']).next().unwrap_or_default();
        RELEASES.iter().find(|release| release.version == number)
    }

    /// The versions that are known to work, for people.
    #[must_use]
    pub fn known() -> String {
        RELEASES.each_ref().map(|release| release.version).join(" and ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_known_by_its_number() {
        for stated in ["2.3.0", "2.3.0\n", "2.3.0-linux-x86-64\n", "2.3.0+1a2b3c"] {
            assert_eq!(Release::of(stated).map(|release| release.rust_sel4), Some("v5.0.0"), "{stated}");
        }
        assert_eq!(Release::of("2.2.0").map(|release| release.rust_sel4), Some("v4.0.0"));
    }

    #[test]
    fn other_versions_are_not_guessed_at() {
        for stated in ["", "2.1.0", "2.3.1", "2.30.0", "2.3", "latest", "v2.3.0"] {
            assert_eq!(Release::of(stated), None, "{stated}");
        }
    }
}

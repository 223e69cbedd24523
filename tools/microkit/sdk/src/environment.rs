// SPDX-License-Identifier: BSD-2-Clause
//! What this crate takes from the machine: environment variables and the folders of the system.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The machine, as far as this crate looks at it. Tests have one of their own making.
#[derive(Clone, Debug)]
pub struct Environment {
    variables: Vec<(OsString, OsString)>,
    root: PathBuf,
}

impl Environment {
    /// This process's own.
    #[must_use]
    pub fn of_process() -> Self {
        Self { variables: std::env::vars_os().collect(), root: "/".into() }
    }

    /// Variables as given, and a system whose root folder is `root`.
    #[must_use]
    pub fn new<const N: usize>(variables: [(&str, &Path); N], root: &Path) -> Self {
        let variables = variables.map(|(name, value)| (name.into(), value.into())).into();
        Self { variables, root: root.to_owned() }
    }

    /// The variable `name`, where it is set and not empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&OsString> {
        let found = self.variables.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value).filter(|value| !value.is_empty())
    }

    /// A path below the system's root folder.
    #[must_use]
    pub fn path(&self, below_root: &str) -> PathBuf {
        self.root.join(below_root)
    }
}

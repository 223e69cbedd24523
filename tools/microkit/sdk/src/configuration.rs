// SPDX-License-Identifier: BSD-2-Clause
//! The kernel configurations of an SDK.

use std::fmt;

/// Kernel configuration, with Microkit's names (`MICROKIT_CONFIG`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Configuration {
    /// The kernel checks itself and prints.
    #[default]
    Debug,
    /// The kernel as it ships: it prints nothing.
    Release,
    /// A release kernel that lets user code read the performance counters.
    Benchmark,
}

impl Configuration {
    /// Every configuration that this project is built in.
    pub const ALL: [Self; 3] = [Self::Debug, Self::Release, Self::Benchmark];

    /// Microkit's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
            Self::Benchmark => "benchmark",
        }
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

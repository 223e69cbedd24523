// SPDX-License-Identifier: BSD-2-Clause
//! The kernel configurations of an SDK.

use std::fmt;
use std::str::FromStr;

use crate::Error;

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

impl FromStr for Configuration {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|known| known.name() == name);
        found.ok_or_else(|| Error::UnknownConfiguration(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_configuration() {
        for configuration in Configuration::ALL {
            assert_eq!(configuration.name().parse::<Configuration>().unwrap(), configuration);
        }
    }

    #[test]
    fn several_cores_are_not_a_configuration_of_this_project() {
        let error = "smp-debug".parse::<Configuration>().unwrap_err();
        assert_eq!(error.to_string(), "`smp-debug` is not a configuration that this project is built in");
    }
}

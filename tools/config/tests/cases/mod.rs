// SPDX-License-Identifier: BSD-2-Clause
//! Departures from the good pair of files, by what they are about.

mod clients;
mod devices;
mod server;
mod words;

/// A departure from the good pair, and everything that is said about it.
pub struct Case {
    /// What is replaced in `ioasid.toml`, and by what.
    pub toml: &'static [(&'static str, &'static str)],
    /// The same for `system.xml`.
    pub xml: &'static [(&'static str, &'static str)],
    /// What is said.
    pub said: &'static str,
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Case> {
    [words::CASES, server::CASES, devices::CASES, clients::CASES].into_iter().flatten()
}

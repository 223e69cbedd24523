// SPDX-License-Identifier: BSD-2-Clause
//! The pair of files that holds together, from which tests depart.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its part; a test fails by panicking")]

use config_compiler::Problems;
use ioasid_config::Config;
use sdf::System;

pub const XML: &str = include_str!("../good/system.xml");
pub const TOML: &str = include_str!("../good/ioasid.toml");

pub fn system(xml: &str) -> System {
    System::parse_with("system.xml", xml, &|_| Ok(1)).unwrap_or_else(|errors| panic!("{errors}"))
}

pub fn compile(xml: &str, toml: &str) -> Result<Config, Problems> {
    config_compiler::compile(&system(xml), "ioasid.toml", toml)
}

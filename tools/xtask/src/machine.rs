// SPDX-License-Identifier: BSD-2-Clause
//! `machine.toml`: the host side of a system, beside its `system.xml`.
//!
//! ```toml
//! memory = "1G"                  # QEMU's -m
//! timeout_s = 60                 # host seconds before the watchdog ends the run
//! vtd = true                     # the VT-d unit is there
//! sdk = true                     # it also runs on the Microkit SDK
//! bochs = false                  # it runs in Bochs, which has VT-x and no VT-d, instead of QEMU
//! devices = ["edu,addr=3.0,dma_mask=0xffffffffffffffff"]   # one QEMU -device each
//!
//! [expect]
//! summary = true                 # the log ends with `ioasid: N checks passed, 0 failed`, N > 0
//! exit = 0                       # what the system writes to the debug exit port 0xf4
//! fails_without = ["stack-alignment"]   # kernel patches: the run must go wrong with any one left out
//! ```
//!
//! `exit-cr0@host` is a patch that only programs miss that are built for the host's own target.
//!
//! Everything has a default; a system without the file gets them all.

use miette::{IntoDiagnostic as _, NamedSource, Result, WrapErr as _, miette};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The machine that a system is booted on and what its run must end with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Machine {
    /// QEMU's `-m`.
    pub memory: String,
    /// Seconds of host time after which the watchdog ends the run.
    pub timeout_s: u64,
    /// Whether the VT-d unit is there.
    pub vtd: bool,
    /// QEMU's `-device` arguments beside those that every system gets.
    pub devices: Vec<String>,
    /// Whether the system also runs on the Microkit SDK: it needs nothing that only the embedded default has.
    pub sdk: bool,
    /// Whether it runs in Bochs instead of QEMU: for virtual machines. No VT-d is there, and of what is said here only the
    /// time and the summary count.
    pub bochs: bool,
    /// What the run must end with.
    pub expect: Expect,
    /// The file that QEMU makes the machine's memory in, where somebody is to read it from outside.
    #[serde(skip)]
    pub memory_file: Option<PathBuf>,
}

/// What a run must end with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expect {
    /// The serial log's last line is the summary, without failures and with at least one check.
    pub summary: bool,
    /// The value that the system writes to the debug exit port.
    pub exit: u8,
    /// Kernel patches without each of which the run must not end like this.
    pub fails_without: Vec<String>,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            memory: "1G".into(),
            timeout_s: 60,
            vtd: true,
            devices: Vec::new(),
            sdk: true,
            bochs: false,
            expect: Expect::default(),
            memory_file: None,
        }
    }
}

impl Default for Expect {
    fn default() -> Self {
        Self { summary: true, exit: 0, fails_without: Vec::new() }
    }
}

impl Machine {
    /// Reads `machine.toml` in `folder`; the defaults where there is none.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join("machine.toml");
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(&path)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot read {}", path.display()))?;
        Self::parse(&path.display().to_string(), &text)
    }

    fn parse(name: &str, text: &str) -> Result<Self> {
        let machine: Self = toml::from_str(text).map_err(|error| {
            let label = error.span().map(miette::LabeledSpan::underline).into_iter();
            miette!(
                labels = label.collect::<Vec<_>>(),
                help = "known keys: memory, timeout_s, vtd, devices, sdk, bochs, expect.summary, expect.exit, expect.fails_without",
                "{name}: {}",
                error.message()
            )
            .with_source_code(NamedSource::new(name, text.to_owned()))
        })?;
        machine.check().map_err(|what| miette!("{name}: {what}"))?;
        Ok(machine)
    }

    fn check(&self) -> Result<(), String> {
        let digits = self.memory.trim_end_matches(['M', 'G']);
        if digits.is_empty() || self.memory.len() - digits.len() > 1 || digits.parse::<u32>().is_err() {
            return Err(format!("memory = \"{}\": write a number and M or G, as in \"1G\"", self.memory));
        }
        if !(1..=600).contains(&self.timeout_s) {
            return Err(format!("timeout_s = {}: between 1 and 600", self.timeout_s));
        }
        for device in &self.devices {
            let driver = device.split(',').next().unwrap_or_default();
            if driver.is_empty() || device.contains(char::is_whitespace) || device.starts_with('-') {
                return Err(format!(
                    "devices: \"{device}\" is not one -device argument, as in \"edu,addr=3.0\""
                ));
            }
            if matches!(driver, "intel-iommu" | "isa-debug-exit") {
                return Err(format!("devices: {driver} is there already (vtd = false takes VT-d away)"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_hold_where_nothing_is_said() {
        assert_eq!(Machine::parse("machine.toml", "").unwrap(), Machine::default());
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Machine::load(folder.path()).unwrap(), Machine::default());
    }

    #[test]
    fn everything_can_be_said() {
        let text = "memory = '512M'\ntimeout_s = 5\nvtd = false\ndevices = ['edu,addr=3.0']\nbochs = true\n\
                    [expect]\nsummary = false\nexit = 1\nfails_without = ['frame-unmap']\n";
        let machine = Machine::parse("machine.toml", text).unwrap();
        assert_eq!(machine.memory, "512M");
        assert_eq!(machine.devices, ["edu,addr=3.0"]);
        let fails_without = vec!["frame-unmap".to_owned()];
        assert_eq!(machine.expect, Expect { summary: false, exit: 1, fails_without });
        assert!(!machine.vtd && machine.bochs);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, said) in [
            ("memroy = '1G'", "unknown field `memroy`"),
            ("memory = '1T'", "memory = \"1T\""),
            ("memory = 'GG'", "memory = \"GG\""),
            ("timeout_s = 0", "between 1 and 600"),
            ("devices = ['-device edu']", "not one -device argument"),
            ("devices = ['edu, addr=3']", "not one -device argument"),
            ("devices = ['']", "not one -device argument"),
            ("devices = ['intel-iommu']", "there already"),
            ("vtd = 1", "invalid type"),
        ] {
            let error = Machine::parse("machine.toml", text).unwrap_err().to_string();
            assert!(error.starts_with("machine.toml: ") && error.contains(said), "{text}: {error}");
        }
    }
}

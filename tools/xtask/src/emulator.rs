// SPDX-License-Identifier: BSD-2-Clause
//! What a system is booted in: QEMU, or Bochs where its machine says so.

use crate::bochs;
use crate::build::Built;
use crate::machine::Machine;
use crate::qemu::{self, LogLimits, Outcome, Qemu};
use microkit_bochs::Bochs;
use miette::{Report, Result};
use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Options of commands that boot systems in QEMU.
#[derive(clap::Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct QemuArgs {
    /// The QEMU to use instead of the one on PATH; `7.2` is Debian 12's, unpacked
    #[arg(long, value_name = "PATH")]
    pub qemu: Option<PathBuf>,
    /// Let guest time follow the host's instead of counting instructions; runs then differ
    #[arg(long)]
    pub no_icount: bool,
    /// Take the VT-d unit out of the machine
    #[arg(long)]
    pub no_vtd: bool,
}

/// An emulator that is there.
pub enum Emulator {
    /// QEMU, whose time may follow the host's instead of counting instructions.
    Qemu { qemu: Qemu, icount: bool },
    /// Bochs, where nothing but instructions makes time pass.
    Bochs(Bochs),
}

impl Emulator {
    /// The one that `machine` is for; where that is QEMU, as `args` say.
    pub fn find(machine: &Machine, args: &QemuArgs) -> Result<Self> {
        Ok(if machine.bochs {
            Self::Bochs(Bochs::find().map_err(Report::from_err)?)
        } else {
            Self::Qemu { qemu: Qemu::find(args.qemu.as_deref())?, icount: !args.no_icount }
        })
    }

    /// Boots a built system once; its serial log is kept as `log`.
    pub fn boot(
        &self,
        machine: &Machine,
        built: &Built,
        log: &str,
        on_line: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Outcome> {
        match self {
            Self::Bochs(bochs) => bochs::boot(bochs, machine, built, log, on_line),
            Self::Qemu { qemu, icount } => {
                let line = qemu::command_line(qemu, machine, &built.image, *icount);
                let limits = LogLimits::seconds(machine.timeout_s);
                qemu::boot(&qemu.program, &line, &built.image.folder, limits, &built.log(log), on_line)
            }
        }
    }
}

impl fmt::Display for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Qemu { qemu, .. } => write!(f, "QEMU {}", qemu.version),
            Self::Bochs(_) => f.write_str("Bochs"),
        }
    }
}

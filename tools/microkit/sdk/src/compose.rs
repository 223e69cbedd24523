// SPDX-License-Identifier: BSD-2-Clause
//! Composing the image: the SDK's own tool on the system description as it is.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::compile::{line, start};
use crate::{BuildRequest, Error, Release, Result, Sdk};

/// What begins the lines of the tool's own account of an image.
const ACCOUNT: &str = "MICROKIT|";

/// A composed system.
#[derive(Clone, Debug)]
pub struct Image {
    /// The kernel, as a 32-bit ELF file for a multiboot loader.
    pub kernel: PathBuf,
    /// Everything else, as the kernel's one boot module.
    pub module: PathBuf,
    /// The tool's report: threads, capabilities, kernel objects.
    pub report: PathBuf,
    /// The tool's account of the image: objects, memory of the initial task, size of the module.
    pub account: Vec<String>,
    /// The release that it was composed with.
    pub release: &'static Release,
}

impl Sdk {
    /// Composes the image of `request` out of the programs in its output folder.
    ///
    /// # Errors
    /// When the SDK lacks a part, or its tool does not take the system.
    pub fn compose(&self, request: &BuildRequest) -> Result<Image> {
        let board = self.board(request.board, request.configuration)?;
        let (module, report) = (request.output.join("loader.img"), request.output.join("report.txt"));
        let mut tool = Command::new(self.tool());
        tool.arg(&request.system).args(["--board", request.board, "--config", request.configuration.name()]);
        tool.arg("--output").arg(&module).arg("--report").arg(&report);
        tool.arg("--search-path").arg(&request.output).args(&request.search_paths);
        let output = start(&mut tool, Command::output)?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let said = format!("{}\n{}", said.trim(), String::from_utf8_lossy(&output.stderr).trim());
            let said = said.trim().to_owned();
            return Err(Error::Tool { system: request.system.clone(), said, line: line(&tool) });
        }
        let account = said.lines().filter_map(|line| line.strip_prefix(ACCOUNT)).map(str::to_owned).collect();
        Ok(Image { kernel: board.kernel, module, report, account, release: self.release() })
    }
}

impl Image {
    /// A processor that has what these kernels ask for.
    pub const CPU: &'static str = "qemu64,+fsgsbase,+pdpe1gb,+xsave,+xsaveopt";

    /// QEMU's arguments that boot the image; machine, memory and devices are the caller's.
    ///
    /// An instruction takes 2^`shift` ns of the guest's time. Without that the kernel measures its timer against
    /// the host's clock and goes wrong on a loaded host. With 0 the time stamp counter counts instructions.
    #[must_use]
    pub fn qemu_args(&self, shift: u8) -> Vec<OsString> {
        let mut line: Vec<OsString> =
            ["-accel", "tcg", "-cpu", Self::CPU, "-icount"].map(OsString::from).into();
        line.push(format!("shift={shift},sleep=off").into());
        line.extend(["-kernel".into(), (&self.kernel).into(), "-initrd".into(), (&self.module).into()]);
        if let Some(arguments) = self.release.kernel_arguments {
            line.extend(["-append".into(), arguments.into()]);
        }
        line
    }
}

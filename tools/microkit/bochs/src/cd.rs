// SPDX-License-Identifier: BSD-2-Clause
//! The CD: GRUB's core image with the modules that it takes to start a multiboot kernel, the kernel, the root task.
//!
//! GRUB runs a script that is part of its core image, so nothing is searched for on the CD and no menu is shown.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::Command;

use crate::error::{Error, IoContext};
use crate::tools::Bochs;

/// The CD's name in a run's folder.
pub(crate) const IMAGE: &str = "boot.iso";

const SCRIPT: &str = "multiboot (cd)/kernel\nmodule (cd)/root\nboot\n";
const MODULES: [&str; 4] = ["iso9660", "biosdisk", "multiboot", "boot"];
/// The moment that every file on the CD is of (2000-01-01T00:00:00Z), for the same CD whenever it is made.
const EPOCH: &str = "946684800";

/// The least bytes of the root task's module. GRUB puts a module into the first place that is large enough, and seL4
/// unpacks the root task right behind its module, wherever that is. The kernel's sections begin at multiples of 2 MiB,
/// its large pages: into a gap between two of them such a module does not go, and so the kernel is not written over.
const LEAST_MODULE: u64 = 2 << 20;

/// Makes the CD in `folder` out of a 32-bit ELF multiboot kernel and its one module.
pub(crate) fn make(bochs: &Bochs, kernel: &Path, root: &Path, folder: &Path) -> Result<(), Error> {
    let tree = folder.join("cd");
    std::fs::create_dir_all(&tree).at("create", &tree)?;
    for (from, to) in [(kernel, "kernel"), (root, "root")] {
        std::fs::copy(from, tree.join(to)).at("copy", from)?;
    }
    let module = tree.join("root");
    let file = OpenOptions::new().append(true).open(&module).at("open", &module)?;
    let bytes = file.metadata().at("read", &module)?.len();
    file.set_len(bytes.max(LEAST_MODULE)).at("write", &module)?;
    let script = folder.join("grub.cfg");
    std::fs::write(&script, SCRIPT).at("write", &script)?;
    run(Command::new(&bochs.grub_mkimage)
        .args(["-O", "i386-pc-eltorito", "-p", "/", "-c", "grub.cfg", "-o", "cd/grub.img", "-d"])
        .arg(&bochs.grub_modules)
        .args(MODULES)
        .current_dir(folder))?;
    run(Command::new(&bochs.xorriso)
        .args(["-as", "mkisofs", "-quiet", "-b", "grub.img", "-no-emul-boot", "-boot-load-size", "4"])
        .args(["-boot-info-table", "--set_all_file_dates", &format!("={EPOCH}"), "-o", IMAGE, "cd"])
        .env("SOURCE_DATE_EPOCH", EPOCH)
        .current_dir(folder))
}

fn run(command: &mut Command) -> Result<(), Error> {
    let program = Path::new(command.get_program()).to_owned();
    let output = command.output().at("run", &program)?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Cd {
        program: program.display().to_string(),
        status: output.status.to_string(),
        output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

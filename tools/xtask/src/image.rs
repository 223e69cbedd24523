// SPDX-License-Identifier: BSD-2-Clause
//! The image: what QEMU boots, made of kernel, initialiser, programs and the files that fill memory regions.

use crate::system::System;
use crate::workspace;
use microkit_kernel::Kernel;
use microkit_packer::PackError;
use miette::{IntoDiagnostic as _, Result, WrapErr as _, miette};
use std::io;
use std::path::{Path, PathBuf};

/// What QEMU boots by the multiboot protocol. The kernel prints its command line, which holds its path as QEMU was
/// given it: QEMU runs in `folder` and gets bare names, so that logs are the same wherever the workspace lies.
#[derive(Clone, Debug)]
pub struct Image {
    /// The folder with the files below.
    pub folder: PathBuf,
    /// The kernel, as a 32-bit ELF file.
    pub kernel: &'static str,
    /// The root task with the packed system, as one multiboot module.
    pub root: &'static str,
}

impl Image {
    /// The image in `folder`.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder, kernel: "kernel32.elf", root: "root.elf" }
    }
}

/// Packs `system`, whose programs (and `initialiser.elf`) are in `folder`, and puts `kernel` beside the result. Also gives
/// what there is to say: where the meaning of system.xml is weaker on this kernel.
pub fn make(system: &System, kernel: &Kernel, folder: &Path) -> Result<(Image, Vec<String>)> {
    let image = Image::at(folder.to_owned());
    // What was made for this image comes before what lies beside system.xml.
    let find = |name: &str| {
        let places = [folder, &system.folder].map(|place| place.join(name));
        places.into_iter().find(|path| path.is_file()).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    };
    let length = |name: &str| Ok(find(name)?.metadata()?.len());
    let sdf = system.description(&length)?;
    let initialiser = folder.join("initialiser.elf");
    let initialiser =
        std::fs::read(&initialiser).into_diagnostic().wrap_err("cannot read the initialiser")?;
    let packed =
        microkit_packer::pack(&sdf, &|name| std::fs::read(find(name)?), &initialiser).map_err(refused)?;
    workspace::write(&folder.join(image.root), &packed.root)?;
    workspace::write(&folder.join("report.txt"), packed.report.as_bytes())?;
    crate::build::copy(&kernel.elf32, &folder.join(image.kernel))?;
    Ok((image, packed.notes))
}

fn refused(error: PackError) -> miette::Report {
    match error {
        PackError::System(errors) => errors.report(),
        PackError::Initialiser(_) => miette!("{error}"),
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! The image: kernel and packed root task of the embedded default.

use crate::build::Configuration;
use crate::qemu::Image;
use crate::system::System;
use miette::{Result, miette};
use std::path::Path;

/// Makes the bootable image of `system` out of the programs in `folder`.
pub fn make(system: &System, _config: Configuration, _folder: &Path) -> Result<Image> {
    Err(miette!(
        "{} ({} protection domains): this tree has no kernel and no packer yet",
        system.name,
        system.sdf.protection_domains.len()
    ))
}

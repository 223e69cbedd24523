// SPDX-License-Identifier: BSD-2-Clause
//! The lock file of a build against rust-sel4.
//!
//! The workspace's own `Cargo.lock` knows nothing of rust-sel4 and would be rewritten at every change of platform.
//! So Cargo works on a file of its own in the build folder (`resolver.lockfile-path`), which begins as a copy of the
//! one kept with this crate: what is pinned there stays pinned, and a build writes nothing into the source tree.

use std::path::{Path, PathBuf};

use crate::{Error, Release, Result};

/// Where the workspace keeps the lock file for `release`.
#[must_use]
pub fn kept(workspace: &Path, release: &Release) -> PathBuf {
    workspace.join(format!("tools/microkit/sdk/{}.lock", release.version))
}

/// Puts a copy of the kept lock file into `folder` and says where. Without a kept one, Cargo makes one.
///
/// # Errors
/// When it cannot be copied.
pub fn prepare(workspace: &Path, release: &Release, folder: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(folder).map_err(|why| Error::File {
        verb: "make",
        path: folder.to_owned(),
        why,
    })?;
    let copy = folder.join("Cargo.lock");
    let kept = kept(workspace, release);
    match std::fs::copy(&kept, &copy) {
        Ok(_) => {}
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => {}
        Err(why) => return Err(Error::File { verb: "copy", path: kept, why }),
    }
    Ok(copy)
}

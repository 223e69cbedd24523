// SPDX-License-Identifier: BSD-2-Clause
//! Where the kernel's source is, and that it is the right one.
//!
//! Cargo.lock's checksum covers the downloaded archive, but Cargo does not look again at what it unpacked: so the
//! unpacked tree is hashed here, and the patches only ever meet the text that they were written for.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::error::{Error, IoContext};

const PACKAGE: &str = "sel4-sys";
const VERSION: &str = "0.0.28";

/// SHA-256 over the tree `seL4/` of the package: see [`hash_tree`].
const TREE_SHA256: &str = "cb4b780cf6a90acbe0f36164c04a7c3bb2db73d0e09b17a675daf86c971904dd";

/// The kernel's source tree, checked.
#[derive(Debug, Clone)]
pub struct Source {
    tree: PathBuf,
}

impl Source {
    /// Finds the source through the lock file of the workspace at `workspace_root` and checks it.
    ///
    /// # Errors
    /// [`Error::SourceNotFound`] when Cargo does not know the package, [`Error::SourceChanged`] when its
    /// unpacked files are not the pinned ones.
    pub fn locate(workspace_root: &Path) -> Result<Self, Error> {
        Self::at(&package_dir(workspace_root)?.join("seL4"))
    }

    /// Checks the source tree at `tree`.
    ///
    /// # Errors
    /// [`Error::SourceChanged`] when the files there are not the pinned ones.
    pub fn at(tree: &Path) -> Result<Self, Error> {
        let found = hash_tree(tree)?;
        if found != TREE_SHA256 {
            return Err(Error::SourceChanged { tree: tree.to_owned(), found, expected: TREE_SHA256 });
        }
        Ok(Self { tree: tree.to_owned() })
    }

    /// The root of the tree: the folder that holds the kernel's `src`, `include`, `libsel4` and `tools`.
    #[must_use]
    pub fn tree(&self) -> &Path {
        &self.tree
    }
}

/// Asks Cargo for the folder of the package. All platforms are listed, so the package, which no platform needs,
/// is among them.
fn package_dir(workspace_root: &Path) -> Result<PathBuf, Error> {
    let not_found = |reason: String| Error::SourceNotFound { reason };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let output = Command::new(cargo)
        .args(["metadata", "--locked", "--format-version", "1"])
        .current_dir(workspace_root)
        .output()
        .map_err(|error| not_found(format!("cargo does not run: {error}")))?;
    if !output.status.success() {
        return Err(not_found(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| not_found(format!("cargo's answer is not JSON: {error}")))?;
    metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == PACKAGE && package["version"] == VERSION)
        .and_then(|package| package["manifest_path"].as_str())
        .and_then(|manifest| Path::new(manifest).parent())
        .map(Path::to_owned)
        .ok_or_else(|| not_found("Cargo.lock does not name it".to_owned()))
}

/// SHA-256, in hexadecimal, over every file below `tree` in the order of their paths: path, a zero byte, length
/// (8 bytes, little-endian), contents.
fn hash_tree(tree: &Path) -> Result<String, Error> {
    let mut hash = Sha256::new();
    for path in files_below(tree)? {
        let file = tree.join(&path);
        let contents = std::fs::read(&file).at("read", &file)?;
        hash.update(path.as_bytes());
        hash.update([0]);
        hash.update((contents.len() as u64).to_le_bytes());
        hash.update(&contents);
    }
    Ok(hex(&hash.finalize()))
}

/// Every file below `root`, as paths relative to it with `/` between the parts, in the order of their bytes.
pub(crate) fn files_below(root: &Path) -> Result<Vec<String>, Error> {
    let mut files = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let path = root.join(&folder);
        for entry in std::fs::read_dir(&path).at("read", &path)? {
            let entry = entry.at("read", &path)?;
            let name = format!("{folder}{}", entry.file_name().to_string_lossy());
            if entry.file_type().at("read", &entry.path())?.is_dir() {
                folders.push(name + "/");
            } else {
                files.push(name);
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

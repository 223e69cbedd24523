// SPDX-License-Identifier: BSD-2-Clause
//! The lock file of a build against rust-sel4.
//!
//! The workspace's own `Cargo.lock` knows nothing of rust-sel4 and would be rewritten at every change of platform. So
//! Cargo works on a file of its own in the build folder (`resolver.lockfile-path`). It begins as the workspace's,
//! with the packages that only rust-sel4 needs added from `<version>.lock` beside this crate. Everything is pinned,
//! nothing is pinned twice, and a build writes nothing into the source tree.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::{Error, Outside, Release, Result};

/// What every package of a lock file begins with.
const PACKAGE: &str = "[[package]]\n";

const HEADING: &str = "\
# SPDX-License-Identifier: BSD-2-Clause
# Packages that are in no Cargo.lock but one with rust-sel4 in it. Written by `cargo run -p microkit-sdk -- lock`.
";

/// Where the workspace keeps what `release` needs beside `Cargo.lock`.
fn kept(workspace: &Path, release: &Release) -> PathBuf {
    workspace.join(format!("tools/microkit/sdk/{}.lock", release.version))
}

/// Makes the lock file in `folder` and says where it is: the workspace's, what `release` needs beyond that, where there is
/// one, and what a workspace outside has pinned beyond both.
///
/// # Errors
/// When a file cannot be read or written.
pub fn prepare(
    workspace: &Path,
    release: Option<&Release>,
    outside: Option<&Outside>,
    folder: &Path,
) -> Result<PathBuf> {
    let theirs = outside.map(|outside| outside.lock.clone()).filter(|lock| lock.exists());
    let more = release.map(|release| kept(workspace, release)).into_iter().chain(theirs);
    let merged = more
        .map(|more| read(&more))
        .try_fold(read(&workspace.join("Cargo.lock"))?, |lock, more| more.map(|more| merge(&lock, &more)))?;
    let lock = folder.join("Cargo.lock");
    std::fs::create_dir_all(folder).map_err(|why| Error::File {
        verb: "make",
        path: folder.to_owned(),
        why,
    })?;
    write(&lock, &merged)?;
    Ok(lock)
}

/// Keeps the packages that `lock`, after a build, has beyond the workspace's, and says where.
///
/// # Errors
/// When a file cannot be read or written.
pub fn keep(workspace: &Path, release: &Release, lock: &Path) -> Result<PathBuf> {
    let kept = kept(workspace, release);
    write(&kept, &difference(&read(&workspace.join("Cargo.lock"))?, &read(lock)?))?;
    Ok(kept)
}

/// `lock` and those packages of `more` that it does not have.
fn merge(lock: &str, more: &str) -> String {
    let there: HashSet<_> = packages(lock).map(identity).collect();
    packages(more).filter(|package| !there.contains(&identity(package))).fold(
        lock.to_owned(),
        |mut text, package| {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n{PACKAGE}{}\n", package.trim_end());
            text
        },
    )
}

/// The packages from a registry or from git that `lock` has and `without` has not.
fn difference(without: &str, lock: &str) -> String {
    let there: HashSet<_> = packages(without).map(identity).collect();
    let beyond = packages(lock)
        .filter(|package| package.contains("\nsource = ") && !there.contains(&identity(package)));
    beyond.fold(HEADING.to_owned(), |mut text, package| {
        let _ = write!(text, "\n{PACKAGE}{}\n", package.trim_end());
        text
    })
}

/// The packages of a lock file, without their heading.
fn packages(lock: &str) -> impl Iterator<Item = &str> {
    lock.split(PACKAGE).skip(1)
}

/// Name, version and source: what Cargo tells packages apart by.
fn identity(package: &str) -> Vec<&str> {
    let fields = ["name = ", "version = ", "source = "];
    package.lines().filter(|line| fields.iter().any(|field| line.starts_with(field))).collect()
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|why| Error::File { verb: "read", path: path.to_owned(), why })
}

/// Writes a file as a whole: another build, at the same time, reads it before or after.
fn write(path: &Path, text: &str) -> Result<()> {
    let aside = path.with_extension(format!("{}.new", std::process::id()));
    std::fs::write(&aside, text).and_then(|()| std::fs::rename(&aside, path)).map_err(|why| Error::File {
        verb: "write",
        path: path.to_owned(),
        why,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKSPACE: &str = "version = 4\n\n[[package]]\nname = \"log\"\nversion = \"0.4.1\"\nsource = \"r\"\n\n\
                             [[package]]\nname = \"ours\"\nversion = \"0.1.0\"\n";
    const BUILD: &str = "version = 4\n\n[[package]]\nname = \"cc\"\nversion = \"1.0.0\"\nsource = \"r\"\n\n\
                         [[package]]\nname = \"log\"\nversion = \"0.4.1\"\nsource = \"r\"\n\n\
                         [[package]]\nname = \"ours\"\nversion = \"0.1.1\"\ndependencies = [\n \"cc\",\n]\n";

    #[test]
    fn what_rust_sel4_needs_beyond_the_workspace_is_kept() {
        let kept = difference(WORKSPACE, BUILD);
        assert_eq!(
            kept,
            format!("{HEADING}\n[[package]]\nname = \"cc\"\nversion = \"1.0.0\"\nsource = \"r\"\n")
        );
    }

    #[test]
    fn what_is_kept_is_added_to_the_workspace() {
        let merged = merge(WORKSPACE, &difference(WORKSPACE, BUILD));
        assert_eq!(
            merged,
            format!("{WORKSPACE}\n[[package]]\nname = \"cc\"\nversion = \"1.0.0\"\nsource = \"r\"\n")
        );
    }

    #[test]
    fn a_package_that_the_workspace_took_up_since_is_not_there_twice() {
        let kept = difference(WORKSPACE, BUILD);
        let merged = merge(WORKSPACE, &kept);
        assert_eq!(merge(&merged, &kept), merged);
    }
}

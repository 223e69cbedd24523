// SPDX-License-Identifier: BSD-2-Clause
//! Installs Debian packages: within bounds, and with package lists updated only where that is needed.

use super::plan::{Plan, QEMU_PACKAGE, QemuSource, qemu_source};
use super::sources;
use crate::progress::{note, step};
use miette::{IntoDiagnostic as _, Result, WrapErr as _, miette};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long another user of apt is waited for.
const LOCK_ATTEMPTS: u32 = 30;
const LOCK_PAUSE: Duration = Duration::from_secs(10);

/// Installs the packages of `plan` on Debian `codename`.
pub fn install(plan: &Plan, codename: &str) -> Result<()> {
    let qemu = plan.packages.contains(&QEMU_PACKAGE);
    let others: Vec<&str> =
        plan.packages.iter().copied().filter(|&package| package != QEMU_PACKAGE).collect();
    let mut updated = false;
    if !plan.packages.iter().all(|package| has_candidate(&policy(package))) {
        update()?;
        updated = true;
    }
    if !others.is_empty() {
        install_packages(&others, None, &mut updated)?;
    }
    if qemu {
        install_qemu(codename, &mut updated)?;
    }
    Ok(())
}

/// Newest QEMU first: the candidate where that is new enough, else backports, else the candidate after all.
fn install_qemu(codename: &str, updated: &mut bool) -> Result<()> {
    let suite = format!("{codename}-backports");
    let mut source = qemu_source(&policy(QEMU_PACKAGE));
    if source == QemuSource::AddBackports && add_backports(codename, updated)? {
        source = qemu_source(&policy(QEMU_PACKAGE));
    }
    let suite = (source == QemuSource::Backports).then_some(suite.as_str());
    install_packages(&[QEMU_PACKAGE], suite, updated)
}

/// Adds the backports suite; takes it out again where the server does not have it. True: it is there.
fn add_backports(codename: &str, updated: &mut bool) -> Result<bool> {
    let Some(addition) = sources::backports(Path::new("/etc/apt"), codename) else {
        return Ok(false);
    };
    let path = &addition.path;
    note(&format!("adding the suite {codename}-backports in {}", path.display()));
    std::fs::write(path, &addition.text)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot write {}", path.display()))?;
    if update().is_ok() {
        *updated = true;
        return Ok(true);
    }
    note(&format!("the package server has no {codename}-backports: going on without"));
    std::fs::remove_file(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot remove {}", path.display()))?;
    Ok(false)
}

fn has_candidate(policy: &str) -> bool {
    policy
        .lines()
        .any(|line| line.trim().strip_prefix("Candidate:").is_some_and(|version| version.trim() != "(none)"))
}

fn policy(package: &str) -> String {
    let output = Command::new("apt-cache").args(["policy", package]).env("LC_ALL", "C").output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

fn update() -> Result<()> {
    step("updating the package lists", || apt_get(&UPDATE))
}

/// What updates the package lists.
const UPDATE: [&str; 2] = ["update", "--error-on=any"];

/// Installs; updates the package lists and tries again where they were stale.
fn install_packages(packages: &[&str], suite: Option<&str>, updated: &mut bool) -> Result<()> {
    let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
    arguments.extend(suite.iter().flat_map(|suite| ["-t", suite]));
    arguments.extend(packages);
    let names = packages.join(" ");
    let from = suite.map(|suite| format!(" from {suite}")).unwrap_or_default();
    step(&format!("installing {names}{from}"), || {
        let first = apt_get(&arguments);
        if first.is_ok() || *updated {
            return first;
        }
        apt_get(&UPDATE)?;
        *updated = true;
        apt_get(&arguments)
    })
}

/// Runs apt-get; waits, within a bound, for another one that holds a lock.
fn apt_get(arguments: &[&str]) -> Result<()> {
    let line = format!("apt-get {}", arguments.join(" "));
    for _ in 0..LOCK_ATTEMPTS {
        let output = Command::new("apt-get")
            .args(["-q", "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=2"])
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .output()
            .into_diagnostic()
            .wrap_err("cannot run apt-get")?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            return Ok(());
        }
        if !said.contains("Could not get lock") {
            let shown: Vec<_> = said.lines().filter(|line| line.starts_with(['E', 'W'])).take(8).collect();
            return Err(miette!(
                help = format!("run it by hand to see more: {line}"),
                "`{line}` failed:\n  {}",
                shown.join("\n  ")
            ));
        }
        note("waiting for another apt to finish");
        std::thread::sleep(LOCK_PAUSE);
    }
    Err(miette!(help = "let it finish, then try again", "another apt holds its lock: `{line}` was not run"))
}

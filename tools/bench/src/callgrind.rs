// SPDX-License-Identifier: BSD-2-Clause
//! Counting instructions with valgrind's callgrind.

use anyhow::{Context, bail};
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs this program again with `arguments` and says how many instructions were executed inside functions whose name
/// contains `function`.
pub fn total(function: &str, arguments: &[&str]) -> anyhow::Result<u64> {
    let folder = tempfile::tempdir()?;
    run(folder.path(), &[&format!("--toggle-collect=*{function}*")], arguments)?;
    counts(folder.path())?.first().copied().context("callgrind has counted nothing")
}

/// The same for each call by itself, of functions whose name ends so.
pub fn each(function: &str, arguments: &[&str]) -> anyhow::Result<Vec<u64>> {
    let folder = tempfile::tempdir()?;
    // Without a second star: callgrind would not leave a file for each.
    let options = [format!("--toggle-collect=*{function}"), format!("--dump-after=*{function}")];
    run(folder.path(), &[&options[0], &options[1]], arguments)?;
    counts(folder.path())
}

fn run(folder: &Path, options: &[&str], arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", folder.join("counts").display()))
        .args(options)
        .arg(std::env::current_exe()?)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("valgrind is needed to count instructions, and does not start")?;
    if !status.success() {
        bail!("the measured program failed: {status}");
    }
    Ok(())
}

/// The total of each file that callgrind left.
fn counts(folder: &Path) -> anyhow::Result<Vec<u64>> {
    let mut counts = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let text = std::fs::read_to_string(file?.path())?;
        let total = text.lines().find_map(|line| line.strip_prefix("totals: ")).context("no total")?;
        counts.push(total.trim().parse()?);
    }
    Ok(counts)
}

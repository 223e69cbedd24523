// SPDX-License-Identifier: BSD-2-Clause
//! The steps that look at systems: every one passes its audit without an error, and the picture in the documentation
//! is that of the reference system.

use super::{Step, Tally};
use crate::description::Description;
use crate::{audit, graph, size, workspace};
use miette::{IntoDiagnostic as _, Result, WrapErr as _, miette};
use std::path::{Path, PathBuf};

/// The picture of the reference system.
const PICTURE: &str = "docs/system.svg";

/// All of them.
pub fn steps() -> Vec<Step<'static>> {
    let step = |name: &str, run: fn() -> Result<String>| Step {
        name: name.into(),
        run: Box::new(move || Tally::of(run())),
        parallel: false,
    };
    vec![step("audit", audits), step("graph", picture), step("size", size::check)]
}

/// The folders of the reference system, of all scenarios, benchmarks and examples.
fn systems() -> Result<Vec<PathBuf>> {
    let mut folders = vec![workspace::root().to_owned()];
    for parent in ["tests/system", "tests/bench", "examples"] {
        let parent = workspace::root().join(parent);
        let entries = std::fs::read_dir(&parent).into_diagnostic();
        let entries = entries.wrap_err_with(|| workspace::display(&parent))?;
        folders.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
    }
    let mut systems: Vec<_> =
        folders.into_iter().filter(|folder| folder.join("system.xml").is_file()).collect();
    systems.sort();
    Ok(systems)
}

fn audits() -> Result<String> {
    let systems = systems()?;
    for system in &systems {
        let audit = audit::audit(&Description::load(Some(system))?)?;
        if !audit.passes() {
            return Err(miette!("{}", audit.to_text()));
        }
    }
    Ok(format!("{} systems", systems.len()))
}

fn picture() -> Result<String> {
    for system in systems()? {
        graph::draw(&Description::load(Some(&system))?)?;
    }
    let description = Description::load(None)?;
    let svg = graph::draw(&description)?.to_svg();
    graph::check(&description, Path::new(&workspace::root().join(PICTURE)), &svg)?;
    Ok(PICTURE.to_owned())
}

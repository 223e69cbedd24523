// SPDX-License-Identifier: BSD-2-Clause
//! A system: the folder of a `system.xml`, and what that file names.

use crate::description::no_description;
use crate::workspace;
use miette::{IntoDiagnostic as _, Result};
use std::io;
use std::path::{Path, PathBuf};

/// A system description that was read and holds together.
#[derive(Clone, Debug)]
pub struct System {
    /// `reference` for the workspace's own, otherwise the folder's name.
    pub name: String,
    /// The folder with `system.xml`.
    pub folder: PathBuf,
    /// The protection domains' names, in the file's order.
    pub domains: Vec<String>,
    /// The program images as the file writes them, each once.
    pub images: Vec<String>,
    /// The description itself; sizes that follow from files are not known yet.
    pub sdf: sdf::System,
}

impl System {
    /// Reads `system.xml` in `folder`; the workspace's own where none is given.
    pub fn load(folder: Option<&Path>) -> Result<Self> {
        let folder = folder.unwrap_or(workspace::root());
        let file = folder.join("system.xml");
        let text = std::fs::read_to_string(&file)
            .map_err(|error| no_description(&workspace::display(&file), &error))?;
        let folder = folder.canonicalize().into_diagnostic()?;
        let inside_root = workspace::root().canonicalize().is_ok_and(|root| root == folder);
        let name = match folder.file_name() {
            Some(name) if !inside_root => name.to_string_lossy().into_owned(),
            _ => "reference".to_owned(),
        };
        let sdf = sdf::System::parse(&workspace::display(&file), &text).map_err(sdf::Errors::report)?;
        let domains = sdf.protection_domains.iter().map(|pd| pd.name.to_string()).collect();
        let mut images: Vec<String> = Vec::new();
        for pd in &sdf.protection_domains {
            let symbols = pd.program_image_for_symbols.as_ref();
            for image in std::iter::once(&pd.program_image).chain(symbols) {
                if !images.iter().any(|known| *known == **image) {
                    images.push(image.to_string());
                }
            }
        }
        Ok(Self { name, folder, domains, images, sdf })
    }

    /// The description with the lengths of the files that fill memory regions, from which sizes may follow.
    pub fn description(&self, length: &dyn Fn(&str) -> io::Result<u64>) -> Result<sdf::System> {
        let source = &self.sdf.source;
        sdf::System::parse_with(source.name(), source.text(), length).map_err(sdf::Errors::report)
    }

    /// Where everything that is made of this system goes.
    pub fn output(&self) -> PathBuf {
        workspace::output().join(&self.name)
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! Building: name the result, stage the source, run the plan, move the result into place.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use sha2::{Digest, Sha256};

use crate::config::Config;
use crate::error::{Error, IoContext};
use crate::patch::Patch;
use crate::plan::{self, Step};
use crate::source::{Source, files_below, hex};
use crate::toolchain::Toolchain;

/// The folders of the source tree that a build needs.
const STAGED_DIRS: &[&str] = &["include", "libsel4", "src", "tools"];

/// A kernel that has been built. Its files stay where they are until their folder is deleted.
#[derive(Debug, Clone)]
pub struct Kernel {
    /// What multiboot loaders take: QEMU's `-kernel`, GRUB's `multiboot`.
    pub elf32: PathBuf,
    /// The same kernel as 64-bit ELF with its symbols.
    pub elf64: PathBuf,
    /// Flags with which gcc finds the kernel's own headers, generated ones included, with this configuration.
    pub header_flags: Vec<String>,
    /// It was there already.
    pub reused: bool,
}

/// Builds the kernel that `config` describes into a folder of its own below `out_dir`, or finds it there. `progress`
/// gets a line before each step; none when the kernel is there.
///
/// # Errors
/// [`Error`], one of its kinds for each thing that can be missing or wrong.
pub fn build(
    source: &Source,
    config: &Config,
    out_dir: &Path,
    mut progress: impl FnMut(&str),
) -> Result<Kernel, Error> {
    let patches = config.patches()?;
    let toolchain = Toolchain::find()?;
    let steps = plan::steps(config.debug);
    let key = key(&patches, config, &steps, &toolchain.version()?);
    let dir = out_dir.join(format!("{}-{}", config.name(), &key[..16]));
    let reused = dir.is_dir();
    if !reused {
        progress(&format!("building the seL4 kernel ({})", config.name()));
        let aside = Aside::new(out_dir)?;
        stage(source, &patches, config, &aside.0)?;
        for step in &steps {
            progress(step.what);
            toolchain.run(step, &aside.0)?;
        }
        aside.move_to(&dir)?;
    }
    let mut header_flags: Vec<_> = plan::DEFINES.iter().map(|define| format!("-D{define}")).collect();
    header_flags.extend(config.debug.then(|| "-DDEBUG".to_owned()));
    header_flags
        .extend(plan::INCLUDE_DIRS.iter().map(|include| format!("-I{}", dir.join(include).display())));
    Ok(Kernel { elf32: dir.join(plan::ELF32), elf64: dir.join(plan::ELF64), header_flags, reused })
}

/// SHA-256 of everything that decides the bytes of the result; the source itself is pinned.
fn key(patches: &[&Patch], config: &Config, steps: &[Step], toolchain: &str) -> String {
    let inputs = format!(
        "{toolchain}\n{patches:?}\n{}\n{steps:?}\n{:?}",
        config.autoconf(),
        (STAGED_DIRS, plan::C_DIRS, plan::NOT_COMPILED, plan::DOMAIN_C)
    );
    hex(&Sha256::digest(inputs))
}

/// Copies the source, patched, and writes what is not a command's output.
fn stage(source: &Source, patches: &[&Patch], config: &Config, dir: &Path) -> Result<(), Error> {
    for folder in STAGED_DIRS {
        for file in files_below(&source.tree().join(folder))? {
            let file = format!("{folder}/{file}");
            let to = dir.join("source").join(&file);
            let parent = to.parent().unwrap_or(dir);
            std::fs::create_dir_all(parent).at("create", parent)?;
            let from = source.tree().join(&file);
            std::fs::copy(&from, &to).at("copy", &from)?;
        }
    }
    for patch in patches {
        for edit in patch.edits {
            let file = dir.join("source").join(edit.file);
            let text = std::fs::read_to_string(&file).at("read", &file)?;
            write(&file, edit.apply(patch, &text)?)?;
        }
    }
    for folder in plan::GENERATED_DIRS {
        let folder = dir.join(folder);
        std::fs::create_dir_all(&folder).at("create", &folder)?;
    }
    write(&dir.join("autoconf.h"), config.autoconf())?;
    write(&dir.join(plan::ALL_C), concatenate(dir)?)
}

/// Every C file of this machine in the order of their paths, each after a line that says where it comes from.
fn concatenate(dir: &Path) -> Result<String, Error> {
    let mut files = Vec::new();
    for folder in plan::C_DIRS {
        let path = dir.join("source/src").join(folder);
        for entry in std::fs::read_dir(&path).at("read", &path)? {
            let name = entry.at("read", &path)?.file_name();
            let file = format!("{folder}{}", name.to_string_lossy());
            if file.ends_with(".c") && file != plan::NOT_COMPILED {
                files.push(file);
            }
        }
    }
    files.sort_unstable();
    files.push(plan::DOMAIN_C.to_owned());
    let mut text = String::new();
    for file in files {
        let path = dir.join("source/src").join(&file);
        text += &format!("#line 1 \"source/src/{file}\"\n");
        text += &std::fs::read_to_string(&path).at("read", &path)?;
        text.push('\n');
    }
    Ok(text)
}

fn write(file: &Path, text: String) -> Result<(), Error> {
    // A copy keeps its original's permissions, and Cargo's unpacked files may be read-only.
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).at("replace", file)?,
        _ => std::fs::write(file, text).at("write", file),
    }
}

/// A folder beside the result in which it is made, so that what is there under its own name is complete. Deleted
/// with what is in it unless it is moved.
struct Aside(PathBuf);

impl Aside {
    fn new(out_dir: &Path) -> Result<Self, Error> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let aside = Self(out_dir.join(format!(".{}-{count}", std::process::id())));
        // A process of the same number that was killed may have left one behind.
        let _ = std::fs::remove_dir_all(&aside.0);
        std::fs::create_dir_all(&aside.0).at("create", &aside.0)?;
        Ok(aside)
    }

    /// Gives the folder its name. Another build may have made the same in the meantime: then that one stays.
    fn move_to(self, to: &Path) -> Result<(), Error> {
        match std::fs::rename(&self.0, to) {
            Err(_) if to.is_dir() => Ok(()),
            result => result.at("create", to),
        }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // After a move there is nothing to delete, and what cannot be deleted does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

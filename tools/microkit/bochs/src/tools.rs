// SPDX-License-Identifier: BSD-2-Clause
//! The programs and files that a run needs, each with the Debian package that brings it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::Error;

const FIRMWARE: &str = "/usr/share/bochs/BIOS-bochs-latest";
const VGA_FIRMWARE: &str = "/usr/share/bochs/VGABIOS-lgpl-latest";
const GRUB_MODULES: &str = "/usr/lib/grub/i386-pc";
/// Where Bochs's plugins are: Debian's folder for the machine that this program is made for, then the plain one.
const PLUGIN_DIRS: [&str; 2] = ["/usr/lib/x86_64-linux-gnu/bochs/plugins", "/usr/lib/bochs/plugins"];
const DISPLAY_PLUGIN: &str = "libbx_term_gui.so";

/// An emulator that is ready to run, with what makes its CD.
#[derive(Debug, Clone)]
pub struct Bochs {
    pub(crate) bochs: PathBuf,
    pub(crate) firmware: PathBuf,
    pub(crate) vga_firmware: PathBuf,
    pub(crate) grub_mkimage: PathBuf,
    pub(crate) grub_modules: PathBuf,
    pub(crate) xorriso: PathBuf,
    pub(crate) setpriv: PathBuf,
}

/// What is needed to boot in Bochs and not there, one message for each package; empty when all is there.
#[must_use]
pub fn missing_tools() -> Vec<Error> {
    Places::of_this_machine().look().1
}

impl Bochs {
    /// Finds everything.
    ///
    /// # Errors
    /// [`Error::Missing`] for the first thing that is not there; [`missing_tools`] gives all.
    pub fn find() -> Result<Self, Error> {
        let (bochs, mut missing) = Places::of_this_machine().look();
        if missing.is_empty() { Ok(bochs) } else { Err(missing.swap_remove(0)) }
    }
}

/// Where to look.
struct Places {
    /// Folders of programs, as the variable PATH has them.
    path: OsString,
    /// What stands before the absolute paths of files.
    root: PathBuf,
}

impl Places {
    fn of_this_machine() -> Self {
        Self { path: std::env::var_os("PATH").unwrap_or_default(), root: PathBuf::from("/") }
    }

    /// Everything, and what of it is missing.
    fn look(&self) -> (Bochs, Vec<Error>) {
        let mut missing = Vec::new();
        let mut need = |found: Option<PathBuf>, what: &str, package| {
            if found.is_none() {
                missing.push(Error::Missing { what: what.to_owned(), package });
            }
            found.unwrap_or_default()
        };
        let bochs = Bochs {
            bochs: need(self.program("bochs"), "bochs", "bochs"),
            firmware: need(self.file(FIRMWARE), FIRMWARE, "bochsbios"),
            vga_firmware: need(self.file(VGA_FIRMWARE), VGA_FIRMWARE, "vgabios"),
            grub_mkimage: need(self.program("grub-mkimage"), "grub-mkimage", "grub-common"),
            grub_modules: need(self.file(GRUB_MODULES), GRUB_MODULES, "grub-pc-bin"),
            xorriso: need(self.program("xorriso"), "xorriso", "xorriso"),
            setpriv: need(self.program("setpriv"), "setpriv", "util-linux"),
        };
        let plugin = PLUGIN_DIRS.iter().find_map(|dir| self.file(&format!("{dir}/{DISPLAY_PLUGIN}")));
        need(plugin, "Bochs's display `term`", "bochs-term");
        (bochs, missing)
    }

    fn program(&self, name: &str) -> Option<PathBuf> {
        std::env::split_paths(&self.path)
            .filter(|folder| !folder.as_os_str().is_empty())
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
    }

    fn file(&self, absolute: &str) -> Option<PathBuf> {
        let file = self.root.join(Path::new(absolute).strip_prefix("/").unwrap_or(Path::new(absolute)));
        file.exists().then_some(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_missing_thing_is_one_message_with_its_debian_package() {
        let empty = tempfile::tempdir().unwrap();
        let places = Places { path: empty.path().into(), root: empty.path().to_owned() };
        let messages: Vec<_> = places.look().1.iter().map(Error::to_string).collect();
        let packages = [
            "bochs",
            "bochsbios",
            "vgabios",
            "grub-common",
            "grub-pc-bin",
            "xorriso",
            "util-linux",
            "bochs-term",
        ];
        assert_eq!(messages.len(), packages.len(), "{messages:?}");
        for (message, package) in messages.iter().zip(packages) {
            assert!(message.starts_with("booting in Bochs needs "), "{message}");
            assert!(message.ends_with(&format!("apt-get install {package}")), "{message}");
        }
    }

    #[test]
    fn what_is_there_is_not_missing() {
        let there = tempfile::tempdir().unwrap();
        std::fs::write(there.path().join("bochs"), "").unwrap();
        let places = Places { path: there.path().into(), root: there.path().to_owned() };
        let (bochs, missing) = places.look();
        assert_eq!(bochs.bochs, there.path().join("bochs"));
        assert!(missing.iter().all(|error| !error.to_string().contains("needs bochs,")));
    }
}

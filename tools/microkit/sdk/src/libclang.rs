// SPDX-License-Identifier: BSD-2-Clause
//! libclang, with which rust-sel4 reads the kernel's headers (bindgen).
//!
//! bindgen loads it only in the middle of the build and then says so at length; so it is looked for before, and
//! where it was found is handed to bindgen.

use std::path::{Path, PathBuf};

use crate::{Environment, Error, Result};

/// The variable by which bindgen and its users name libclang's folder (or the file itself).
pub const VARIABLE: &str = "LIBCLANG_PATH";

/// Folders that distributions put libraries in, and those that hold an `llvm-<version>/lib` each.
const LIBRARIES: [&str; 5] =
    ["usr/lib", "usr/lib64", "usr/lib/x86_64-linux-gnu", "usr/local/lib", "opt/llvm/lib"];
const VERSIONED: [&str; 2] = ["usr/lib", "usr/local"];

/// Finds libclang: what `LIBCLANG_PATH` names, else the newest in the places where distributions have it.
///
/// # Errors
/// [`Error::LibclangPath`] when the variable names something else, [`Error::NoLibclang`] when there is none.
pub fn find(environment: &Environment) -> Result<PathBuf> {
    if let Some(path) = environment.variable(VARIABLE) {
        let path = PathBuf::from(path);
        let there = if path.is_dir() { holds_libclang(&path) } else { is_libclang(&path) && path.is_file() };
        return if there { Ok(path) } else { Err(Error::LibclangPath(path)) };
    }
    let versioned = VERSIONED.iter().flat_map(|folder| llvm_folders(&environment.path(folder)));
    let plain = LIBRARIES.iter().map(|folder| environment.path(folder));
    versioned.chain(plain).find(|folder| holds_libclang(folder)).ok_or(Error::NoLibclang)
}

/// `llvm-*/lib` below `folder`, newest version first.
fn llvm_folders(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = entries(folder)
        .filter_map(|path| {
            let version = path.file_name()?.to_str()?.strip_prefix("llvm-")?.parse().ok()?;
            Some((version, path.join("lib")))
        })
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, path)| path).collect()
}

fn holds_libclang(folder: &Path) -> bool {
    entries(folder).any(|path| is_libclang(&path))
}

/// Whether `path` has a name under which bindgen takes a library for libclang: `libclang.so`, `libclang-14.so`,
/// `libclang.so.1`, `libclang-14.so.14.0.6`. Not libclang-cpp, which is another library.
fn is_libclang(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Some(rest) = name.strip_prefix("libclang") else { return false };
    let rest = rest
        .strip_prefix('-')
        .map_or(rest, |version| version.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'));
    // A version eats the dot of `.so` as well.
    matches!(rest.trim_start_matches('.'), "so") || rest.trim_start_matches('.').starts_with("so.")
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        root
    }

    #[test]
    fn names_of_libclang_are_told_from_its_neighbours() {
        for name in
            ["libclang.so", "libclang.so.1", "libclang-14.so", "libclang-14.so.14.0.6", "libclang-14.0.6.so"]
        {
            assert!(is_libclang(name.as_ref()), "{name}");
        }
        for name in ["libclang-cpp.so.14", "libclangAST.a", "libclang.a", "clang", "libclang-cpp14.so"] {
            assert!(!is_libclang(name.as_ref()), "{name}");
        }
    }

    #[test]
    fn the_newest_of_a_distribution_is_taken() {
        let root = machine(&[
            "usr/lib/llvm-9/lib/libclang.so",
            "usr/lib/llvm-14/lib/libclang-14.so.1",
            "usr/lib/llvm-16/lib/libLLVM.so",
        ]);
        let found = find(&Environment::new([], root.path())).unwrap();
        assert_eq!(found, root.path().join("usr/lib/llvm-14/lib"));
    }

    #[test]
    fn a_library_folder_will_do() {
        let root = machine(&["usr/lib/x86_64-linux-gnu/libclang-14.so.14.0.6"]);
        let found = find(&Environment::new([], root.path())).unwrap();
        assert_eq!(found, root.path().join("usr/lib/x86_64-linux-gnu"));
    }

    #[test]
    fn the_variable_comes_first() {
        let root = machine(&["usr/lib/libclang.so", "mine/libclang.so.1"]);
        let mine = root.path().join("mine");
        assert_eq!(find(&Environment::new([(VARIABLE, &mine)], root.path())).unwrap(), mine);
    }

    #[test]
    fn a_variable_that_leads_nowhere_is_named() {
        let root = machine(&["usr/lib/libclang.so"]);
        let wrong = root.path().join("nowhere");
        let error = find(&Environment::new([(VARIABLE, &wrong)], root.path())).unwrap_err();
        assert!(matches!(&error, Error::LibclangPath(path) if *path == wrong), "{error}");
    }

    #[test]
    fn none_at_all_is_said() {
        let root = machine(&["usr/lib/libclang-cpp.so.14"]);
        let error = find(&Environment::new([], root.path())).unwrap_err();
        assert!(matches!(error, Error::NoLibclang), "{error}");
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! What differs between the platforms is in crates that Cargo exchanges, and nowhere else.

#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap()
}

/// The Rust sources below `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path {
            folder if folder.is_dir() => sources(&folder),
            file if file.extension().is_some_and(|extension| extension == "rs") => vec![file],
            _ => vec![],
        })
        .collect()
}

#[test]
fn no_domain_and_no_driver_knows_its_platform() {
    for folder in ["pds", "drivers", "tests/system", "tests/bench"] {
        for file in sources(&workspace().join(folder)) {
            let text = fs::read_to_string(&file).unwrap();
            // The embedded default's own interface, rust-sel4's, and every condition that could tell them apart.
            for word in ["sel4_abi", "sel4::", "cfg(feature", "cfg!(feature", "cfg(target_os", "cfg(sel4"] {
                assert!(!text.contains(word), "{}: {word}", file.display());
            }
        }
    }
}

/// The public names that a crate's `lib.rs` declares, apart from those that a macro makes of its arguments.
fn names(krate: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(workspace().join(krate).join("src/lib.rs")).unwrap();
    let declared = text.lines().filter_map(|line| {
        let line = line.trim_start();
        let rest = line.strip_prefix("pub ").or_else(|| line.strip_prefix("macro_rules! "))?;
        let rest = rest.trim_start_matches("const ");
        let name = rest.strip_prefix("fn ").or_else(|| rest.strip_prefix("struct ")).unwrap_or(rest);
        let end =
            name.find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).unwrap_or(name.len());
        Some(name[..end].to_owned())
    });
    // Macros that a crate keeps to itself, and what its macros expand to.
    declared.filter(|name| !name.is_empty() && !matches!(&**name, "access" | "use")).collect()
}

#[test]
fn a_crate_that_is_exchanged_has_the_same_names() {
    for name in ["child", "ioport"] {
        let (embedded, sdk) = (format!("tools/microkit/{name}"), format!("tools/microkit/sdk/{name}"));
        let found = names(&embedded);
        assert!(found.len() > 2, "{found:?}");
        assert_eq!(found, names(&sdk), "{name}");
    }
}

#[test]
fn what_is_exchanged_is_the_same_for_every_release() {
    let patched = |file: &str| {
        let table: toml::Table = fs::read_to_string(workspace().join(file)).unwrap().parse().unwrap();
        table["patch"]["crates-io"].as_table().unwrap().keys().cloned().collect::<BTreeSet<_>>()
    };
    let (older, newer) = (patched("tools/microkit/sdk/2.2.0.toml"), patched("tools/microkit/sdk/2.3.0.toml"));
    assert_eq!(older, newer);
    assert!(
        older.is_superset(&["sel4-microkit", "microkit-child", "microkit-ioport"].map(str::to_owned).into())
    );
}

#[test]
fn documents_say_what_is_built_with() {
    let read = |file: &str| fs::read_to_string(workspace().join(file)).unwrap();
    let (document, fragment) = (read("docs/integration.md"), read("pds/ioasid/ioasid.mk"));
    for version in ["2.2.0", "2.3.0"] {
        let release = microkit_sdk::Release::of(version).unwrap();
        let row = format!("| {version} | {} | {} |", release.sel4, release.rust_sel4);
        assert!(document.contains(&row), "docs/integration.md has no row {row}");
        let arguments = release.kernel_arguments.unwrap_or_default();
        assert!(document.contains(arguments) && fragment.contains(arguments), "{arguments}");
    }
    for text in [document, fragment] {
        assert!(text.contains(&format!("-cpu {} ", microkit_sdk::Image::CPU)));
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! Where things are: the workspace's folders and its packages.

use miette::{IntoDiagnostic as _, Result, WrapErr as _, miette};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The workspace's root folder.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
        folder.map_or_else(|| PathBuf::from("."), Path::to_owned)
    });
    &ROOT
}

/// This program's file. To be asked for first at the start: when tests are built Cargo may put the program there anew, and
/// what runs is a file that was deleted then.
pub fn this_program() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> =
        LazyLock::new(|| std::env::current_exe().unwrap_or_else(|_| PathBuf::from("xtask")));
    &PROGRAM
}

/// Cargo's output folder of this workspace.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Everything that xtask itself writes.
pub fn output() -> PathBuf {
    target().join("ioasid")
}

/// `path` as a person would write it: relative to the workspace where it is inside.
pub fn display(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Writes a file; the error names it.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).into_diagnostic().wrap_err_with(|| format!("cannot write {}", display(path)))
}

/// Puts a file with these bytes in the place of the one that may be there: systems are built side by side, and whoever boots
/// what another builds anew has the old file or the new one, each whole.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    replace_with(path, |new| std::fs::write(new, bytes))
        .wrap_err_with(|| format!("cannot write {}", display(path)))
}

/// Copies a file into the place of the one that may be there, as [`replace`] does; the error names both.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    replace_with(to, |new| std::fs::copy(from, new).map(drop))
        .wrap_err_with(|| format!("cannot copy {} to {}", display(from), display(to)))
}

fn replace_with(path: &Path, fill: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    std::fs::create_dir_all(folder).into_diagnostic()?;
    let new = tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(folder);
    let new = new.into_diagnostic()?.into_temp_path();
    fill(&new).into_diagnostic()?;
    new.persist(path).into_diagnostic()
}

/// A `cargo` that works on this workspace with the lock file as it is.
pub fn cargo(verb: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.arg(verb).current_dir(root());
    // What `cargo run` tells this program about itself says nothing about what it builds.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name.as_ref());
        }
    }
    command
}

/// Runs `command` to its end; its output goes to this program's own, so that a person sees it work.
pub fn run(command: &mut Command) -> Result<()> {
    let line = || {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    };
    let line = line();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            Err(miette!(help = format!("the command was: {line}"), "a build step failed ({status})"))
        }
        Err(error) => Err(miette!("cannot run `{line}`: {error}")),
    }
}

/// The crates that the workspace's manifest patches, and the folders of what it puts in their places.
pub fn patches() -> Result<Vec<(String, PathBuf)>> {
    #[derive(Deserialize)]
    struct Manifest {
        patch: BTreeMap<String, BTreeMap<String, Patch>>,
    }
    #[derive(Deserialize)]
    struct Patch {
        path: PathBuf,
    }
    let file = root().join("Cargo.toml");
    let text = std::fs::read_to_string(&file).into_diagnostic().wrap_err_with(|| display(&file))?;
    let manifest: Manifest = toml::from_str(&text).into_diagnostic().wrap_err_with(|| display(&file))?;
    let all = manifest.patch.into_values().flatten();
    Ok(all.map(|(name, patch)| (name, root().join(patch.path))).collect())
}

/// The package that everything which runs on seL4 is built on.
const KERNEL_INTERFACE: &str = "sel4-abi";

/// A workspace's packages, as Cargo tells.
pub struct Packages {
    /// The workspace's folder.
    pub root: PathBuf,
    /// Program name to the package that makes it.
    programs: BTreeMap<String, String>,
    /// Packages that run on seL4: outside the default members, and built on the kernel's interface.
    pub embedded: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
    workspace_default_members: Vec<String>,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    targets: Vec<Target>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `dev`, `build`; a normal dependency has none.
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Packages {
    /// Those of this workspace.
    pub fn load() -> Result<Self> {
        Self::of(&root().join("Cargo.toml"))
    }

    /// Those of the workspace that the package with this `Cargo.toml` is of.
    pub fn of(manifest: &Path) -> Result<Self> {
        let output = cargo("metadata")
            .args(["--no-deps", "--format-version", "1", "--manifest-path"])
            .arg(manifest)
            .output()
            .into_diagnostic()
            .wrap_err("cannot run cargo metadata")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(miette!("{}: {said}", display(manifest)));
        }
        Self::parse(&output.stdout)
    }

    fn parse(json: &[u8]) -> Result<Self> {
        let metadata: Metadata = serde_json::from_slice(json)
            .into_diagnostic()
            .wrap_err("cargo metadata's answer is not what this xtask knows")?;
        let mut programs = BTreeMap::new();
        let host = |package: &&Package| !metadata.workspace_default_members.contains(&package.id);
        let sel4 = on_sel4(&metadata.packages);
        let embedded = metadata.packages.iter().filter(host).map(|package| package.name.clone());
        let embedded = embedded.filter(|name| sel4.contains(name)).collect();
        for package in metadata.packages {
            for target in package.targets.into_iter().filter(|t| t.kind.iter().any(|k| k == "bin")) {
                if let Some(other) = programs.insert(target.name.clone(), package.name.clone()) {
                    let (program, package) = (target.name, package.name);
                    return Err(miette!(
                        help = "give one of them another name: system.xml names a program by its file",
                        "two packages make a program `{program}`: {other} and {package}"
                    ));
                }
            }
        }
        Ok(Self { root: metadata.workspace_root, programs, embedded })
    }

    /// The package that makes `program`.
    pub fn of_program(&self, program: &str) -> Option<&str> {
        self.programs.get(program).map(String::as_str)
    }

    /// Names of all programs.
    pub fn programs(&self) -> impl Iterator<Item = &str> {
        self.programs.keys().map(String::as_str)
    }
}

/// The names of [`KERNEL_INTERFACE`] and of what depends on it, over however many steps.
fn on_sel4(packages: &[Package]) -> BTreeSet<String> {
    let mut names = BTreeSet::from([KERNEL_INTERFACE.to_owned()]);
    loop {
        let depends = |package: &&Package| {
            let mut normal = package.dependencies.iter().filter(|dependency| dependency.kind.is_none());
            normal.any(|dependency| names.contains(&dependency.name))
        };
        let more: Vec<_> = packages.iter().filter(depends).map(|package| package.name.clone()).collect();
        let before = names.len();
        names.extend(more);
        if names.len() == before {
            return names;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = r#"{
        "packages": [
            {"id": "a#1", "name": "alpha", "targets": [{"name": "one", "kind": ["bin"]}],
             "dependencies": [{"name": "runtime", "kind": null}]},
            {"id": "b#1", "name": "beta", "targets": [{"name": "beta", "kind": ["lib"]}],
             "dependencies": [{"name": "sel4-abi", "kind": "dev"}]},
            {"id": "h#1", "name": "heavy", "targets": [], "dependencies": [{"name": "beta", "kind": null}]},
            {"id": "r#1", "name": "runtime", "targets": [], "dependencies": [{"name": "sel4-abi", "kind": null}]}
        ],
        "workspace_root": "/there",
        "workspace_default_members": ["b#1"]
    }"#;

    #[test]
    fn whoever_reads_a_file_that_is_replaced_reads_the_old_one_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let [file, other] = ["deep/file", "other"].map(|name| folder.path().join(name));
        replace(&file, b"old").unwrap();
        let mut reader = std::fs::File::open(&file).unwrap();
        std::fs::write(&other, "new").unwrap();
        copy(&other, &file).unwrap();
        assert_eq!(std::io::read_to_string(&mut reader).unwrap(), "old");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new");
        assert!(copy(&folder.path().join("none"), &file).is_err());
        assert_eq!(
            std::fs::read_dir(file.parent().unwrap()).unwrap().count(),
            1,
            "nothing else is left there"
        );
    }

    #[test]
    fn programs_lead_to_their_packages() {
        let packages = Packages::parse(METADATA.as_bytes()).unwrap();
        assert_eq!(packages.of_program("one"), Some("alpha"));
        assert_eq!(packages.of_program("beta"), None, "a library is not a program");
        assert_eq!(packages.embedded, ["alpha", "runtime"], "not the host's, be they default members or not");
    }

    #[test]
    fn a_program_name_belongs_to_one_package() {
        let twice = METADATA.replace(r#""beta", "kind": ["lib"]"#, r#""one", "kind": ["bin"]"#);
        let error = Packages::parse(twice.as_bytes()).err().unwrap();
        assert!(error.to_string().contains("alpha and beta"), "{error}");
    }

    #[test]
    fn this_workspace_is_understood() {
        assert!(root().join("Cargo.toml").is_file());
        assert_eq!(Packages::load().unwrap().of_program("xtask"), Some("xtask"));
    }
}

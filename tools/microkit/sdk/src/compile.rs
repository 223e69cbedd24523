// SPDX-License-Identifier: BSD-2-Clause
//! Compiling protection domains against rust-sel4.
//!
//! Two steps, so that what each says can be told apart: `cargo fetch` reaches for sources and is silent when all is
//! well; `cargo build` compiles, and what it says goes to the terminal.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::{BOARD, BuildRequest, Configuration, Error, Outside, Result, Sdk, libclang, lock};

/// Target of the protection domains: of those that come with Rust, the one whose `core` brings memory functions.
pub const PD_TARGET: &str = "x86_64-unknown-none";

/// rust-sel4's repository, as the configuration files name it.
pub(crate) const RUST_SEL4: &str = "https://github.com/seL4/rust-sel4";

/// A program of the workspace and the file that the system description calls it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The Cargo package.
    pub package: String,
    /// The program in it.
    pub binary: String,
    /// The file, relative to the output folder.
    pub image: String,
}

/// What a step of Cargo's goes by.
struct Step<'a> {
    workspace: &'a Path,
    outside: Option<&'a Outside>,
    include: PathBuf,
    libclang: PathBuf,
    target: PathBuf,
    lock: PathBuf,
}

impl Sdk {
    /// Compiles the programs of `request` and copies each to its image in the output folder.
    ///
    /// # Errors
    /// When a tool is missing, a source is out of reach or a program does not compile.
    pub fn compile(&self, request: &BuildRequest) -> Result<()> {
        let step =
            self.prepare(&request.workspace, request.outside.as_ref(), request.board, request.configuration)?;
        self.fetch(&step)?;
        let mut build = self.cargo("build", &step);
        build.args(["--release", "--target", PD_TARGET, "--target-dir"]).arg(&step.target);
        build.args(request.quiet.then_some("--quiet"));
        for program in &request.programs {
            build.args(["--package", &program.package, "--bin", &program.binary]);
        }
        let status = start(&mut build, Command::status)?;
        if !status.success() {
            return Err(self.failed("build", &build, String::new()));
        }
        let built = step.target.join(PD_TARGET).join("release");
        request
            .programs
            .iter()
            .try_for_each(|program| copy(&built.join(&program.binary), &request.output.join(&program.image)))
    }

    /// Keeps the versions of what rust-sel4 needs as they are now in the workspace's lock file for this release, and
    /// says where that is. What the file pins stays as it is; delete it to have the newest of everything.
    ///
    /// # Errors
    /// As for [`compile`](Self::compile).
    pub fn lock(&self, workspace: &Path) -> Result<PathBuf> {
        let step = self.prepare(workspace, None, BOARD, Configuration::Debug)?;
        self.fetch(&step)?;
        lock::keep(workspace, self.release(), &step.lock)
    }

    /// Looks for everything that Cargo is going to need.
    fn prepare<'a>(
        &self,
        workspace: &'a Path,
        outside: Option<&'a Outside>,
        board: &'static str,
        configuration: Configuration,
    ) -> Result<Step<'a>> {
        let include = self.board(board, configuration)?.include;
        let libclang = libclang::find(self.environment())?;
        self.look_for_target(workspace)?;
        let mut target = self.target_folder(workspace, board);
        target.extend(outside.map(|_| "outside"));
        let lock = lock::prepare(workspace, Some(self.release()), outside, &target)?;
        Ok(Step { workspace, outside, include, libclang, target, lock })
    }

    /// Has Cargo fetch every source.
    fn fetch(&self, step: &Step<'_>) -> Result<()> {
        let mut fetch = self.cargo("fetch", step);
        fetch.args(["--target", PD_TARGET]);
        let output = start(&mut fetch, Command::output)?;
        self.judge("fetch", &fetch, &output)
    }

    /// The build folder: one for each release and board, beside that of the embedded default.
    fn target_folder(&self, workspace: &Path, board: &str) -> PathBuf {
        let target = self.environment().variable("CARGO_TARGET_DIR").map(PathBuf::from);
        let target = workspace.join(target.unwrap_or_else(|| "target".into()));
        // Programs are compiled against a kernel's headers.
        let other = if board == BOARD { "" } else { board };
        target.join("microkit-sdk").join(self.release().version).join(other)
    }

    /// A Cargo that has rust-sel4's crates patched in and its own lock file.
    fn cargo(&self, verb: &str, step: &Step<'_>) -> Command {
        let workspace = step.workspace;
        let program = self.environment().variable("CARGO").cloned();
        let mut cargo = Command::new(program.unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(workspace).arg(verb);
        if let Some(outside) = step.outside {
            cargo.arg("--manifest-path").arg(&outside.manifest);
        }
        cargo
            .arg("--config")
            .arg(workspace.join(format!("tools/microkit/sdk/{}.toml", self.release().version)));
        // TOML literal strings take paths as they are.
        let setting = |before: &str, path: &Path, after: &str| {
            [before.as_ref(), path.as_os_str(), after.as_ref()].into_iter().collect::<OsString>()
        };
        cargo.args(["--config", "unstable.lockfile-path=true", "--config"]);
        cargo.arg(setting("resolver.lockfile-path='", &step.lock, "'")).arg("--config");
        // Added to those of the configuration file, which cannot know where the workspace lies.
        let start = workspace.join("tools/microkit/sdk/start.ld");
        cargo.arg(setting(&format!("target.{PD_TARGET}.rustflags=['-Clink-arg="), &start, "']"));
        // rust-sel4 is written in a Rust with features that stable has not let go of yet; the same switch lets Cargo
        // have its lock file elsewhere.
        cargo.env("RUSTC_BOOTSTRAP", "1");
        cargo.env("SEL4_INCLUDE_DIRS", &step.include).env(libclang::VARIABLE, &step.libclang);
        // These would take the place of what the configuration file says.
        for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "SEL4_PREFIX"] {
            cargo.env_remove(variable);
        }
        cargo
    }

    fn look_for_target(&self, workspace: &Path) -> Result<()> {
        let program = self.environment().variable("RUSTC").cloned();
        let mut rustc = Command::new(program.unwrap_or_else(|| "rustc".into()));
        rustc.current_dir(workspace).args(["--print", "target-libdir", "--target", PD_TARGET]);
        let output = start(&mut rustc, Command::output)?;
        let folder = String::from_utf8_lossy(&output.stdout);
        if output.status.success() && Path::new(folder.trim()).is_dir() {
            Ok(())
        } else {
            Err(Error::NoTarget)
        }
    }

    /// Turns the end of a silent step into a result.
    fn judge(&self, verb: &'static str, command: &Command, output: &Output) -> Result<()> {
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        if said.to_lowercase().contains(&format!("unable to update {}", RUST_SEL4.to_lowercase())) {
            return Err(Error::SourceOutOfReach { release: self.release(), said: reason(&said).to_owned() });
        }
        Err(self.failed(verb, command, format!(":\n{}", said.trim())))
    }

    fn failed(&self, verb: &'static str, command: &Command, said: String) -> Error {
        Error::Cargo { release: self.release(), verb, said, line: line(command) }
    }
}

/// The one line of Cargo's that tells why: git's own, else the innermost cause.
fn reason(said: &str) -> &str {
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    let git = lines().find_map(|line| line.strip_prefix("fatal: "));
    git.or_else(|| lines().next_back()).unwrap_or("Cargo does not say why")
}

/// Runs `command`; a program that is not there is an error of its own.
pub(crate) fn start<T>(
    command: &mut Command,
    run: impl FnOnce(&mut Command) -> std::io::Result<T>,
) -> Result<T> {
    let program = command.get_program().to_string_lossy().into_owned();
    run(command).map_err(|why| Error::Start { program, why })
}

/// `command` as a person would type it.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let file = |verb, path: &Path, why| Error::File { verb, path: path.to_owned(), why };
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(|why| file("make", folder, why))?;
    }
    std::fs::copy(from, to).map_err(|why| file("copy", from, why))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_has_the_word_when_a_source_is_out_of_reach() {
        let said = "    Updating git repository\nfatal: unable to access: Could not resolve host\nwarning: spurious\n\
                    error: failed to load source\n\nCaused by:\n  process didn't exit successfully\n";
        assert_eq!(reason(said), "unable to access: Could not resolve host");
        assert_eq!(
            reason("error: a\n\nCaused by:\n  failed to resolve address\n\n"),
            "failed to resolve address"
        );
        assert_eq!(reason(""), "Cargo does not say why");
    }

    #[test]
    fn every_release_has_its_configuration_file() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        for release in &crate::release::RELEASES {
            let path = folder.join(format!("{}.toml", release.version));
            let text = std::fs::read_to_string(&path).unwrap();
            let table: toml::Table = text.parse().unwrap();
            let patch = &table["patch"]["crates-io"];
            for name in ["sel4-microkit", "sel4"] {
                assert_eq!(patch[name]["git"].as_str(), Some(RUST_SEL4), "{name} in {}", path.display());
                assert_eq!(
                    patch[name]["tag"].as_str(),
                    Some(release.rust_sel4),
                    "{name} in {}",
                    path.display()
                );
            }
        }
    }
}

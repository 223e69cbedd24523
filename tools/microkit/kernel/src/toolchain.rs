// SPDX-License-Identifier: BSD-2-Clause
//! The programs that build the kernel: where they are, which they are, and running them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::error::{Error, IoContext};
use crate::plan::{Step, Tool};

/// What a failed step's message shows of its output.
const SHOWN_LINES: usize = 20;

/// The programs of the build, found.
pub(crate) struct Toolchain {
    gcc: PathBuf,
    objcopy: PathBuf,
    python: PathBuf,
}

/// The tools that are needed to build the kernel and not there, one message for each; empty when all are.
#[must_use]
pub fn missing_tools() -> Vec<Error> {
    let places = Places::of_this_machine();
    [places.gcc().err(), places.binutils().err(), places.python().err()].into_iter().flatten().collect()
}

impl Toolchain {
    /// Finds every program.
    ///
    /// # Errors
    /// [`Error::MissingTool`] or [`Error::WrongCompiler`] for the first that will not do.
    pub(crate) fn find() -> Result<Self, Error> {
        let places = Places::of_this_machine();
        Ok(Self { gcc: places.gcc()?, objcopy: places.binutils()?, python: places.python()? })
    }

    /// What decides the bytes that come out: the versions of compiler, assembler and linker.
    pub(crate) fn version(&self) -> Result<String, Error> {
        let mut version = String::new();
        for (program, argument) in [(&self.gcc, "--version"), (&self.objcopy, "--version")] {
            let output = command(program).arg(argument).output().at("run", program)?;
            version.push_str(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default());
            version.push('\n');
        }
        Ok(version)
    }

    /// Runs one step in the folder `dir`.
    ///
    /// # Errors
    /// [`Error::Step`] with the last lines of what the program said when it fails.
    pub(crate) fn run(&self, step: &Step, dir: &Path) -> Result<(), Error> {
        let program = match step.tool {
            Tool::Gcc => &self.gcc,
            Tool::Objcopy => &self.objcopy,
            Tool::Python => &self.python,
        };
        let output = command(program).args(&step.args).current_dir(dir).output().at("run", program)?;
        if output.status.success() {
            return Ok(());
        }
        Err(Error::Step {
            step: step.what,
            status: output.status.to_string(),
            command: format!("{} {}", program.display(), step.args.join(" ")),
            output: last_lines(&output),
        })
    }
}

/// A command that nothing of the caller's environment can turn away from its task.
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    for name in ["PATH", "HOME", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
        .env("LC_ALL", "C")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONHASHSEED", "0")
        .env("PYTHONPATH", "source/tools");
    command
}

/// Where programs are looked for.
struct Places {
    /// Folders, as the variable PATH has them.
    path: OsString,
    /// Debian's own Python, which has Debian's modules also where another Python comes first in PATH.
    system_python: PathBuf,
}

impl Places {
    fn of_this_machine() -> Self {
        Self {
            path: std::env::var_os("PATH").unwrap_or_default(),
            system_python: PathBuf::from("/usr/bin/python3"),
        }
    }

    fn gcc(&self) -> Result<PathBuf, Error> {
        let gcc = self.find("gcc", "gcc")?;
        let output = command(&gcc).arg("-dumpmachine").output().at("run", &gcc)?;
        let machine = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if machine.starts_with("x86_64") { Ok(gcc) } else { Err(Error::WrongCompiler { machine }) }
    }

    /// gcc runs the assembler and the linker by itself; they come in one package with objcopy.
    fn binutils(&self) -> Result<PathBuf, Error> {
        self.find("as", "binutils")?;
        self.find("ld", "binutils")?;
        self.find("objcopy", "binutils")
    }

    /// The first Python 3 that has the modules of the kernel's generators.
    fn python(&self) -> Result<PathBuf, Error> {
        let in_path = self.find("python3", "python3").ok();
        let pythons: Vec<_> =
            in_path.into_iter().chain([self.system_python.clone()]).filter(|file| file.is_file()).collect();
        let has_modules = |python: &&PathBuf| {
            let import = command(python).args(["-c", "import six, ply.lex, tempita"]).output();
            import.is_ok_and(|output| output.status.success())
        };
        pythons.iter().find(has_modules).cloned().ok_or_else(|| Error::MissingTool {
            tool: if pythons.is_empty() { "python3" } else { "python3's modules six, ply and tempita" }
                .to_owned(),
            packages: "python3 python3-six python3-ply python3-tempita",
        })
    }

    /// The file that a shell would run for `tool`.
    fn find(&self, tool: &str, packages: &'static str) -> Result<PathBuf, Error> {
        std::env::split_paths(&self.path)
            .filter(|folder| !folder.as_os_str().is_empty())
            .map(|folder| folder.join(tool))
            .find(|file| file.is_file())
            .ok_or_else(|| Error::MissingTool { tool: tool.to_owned(), packages })
    }
}

fn last_lines(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder in which `name` is another program of the system.
    fn folder_with(name: &str, program: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(Path::new("/bin").join(program), folder.path().join(name)).unwrap();
        folder
    }

    fn places(folder: &Path) -> Places {
        Places { path: folder.into(), system_python: folder.join("no-system-python") }
    }

    #[test]
    fn each_missing_program_is_named_with_its_debian_package() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(folder.path());
        let said = |result: Result<PathBuf, Error>| result.unwrap_err().to_string();
        assert!(said(places.gcc()).contains("needs gcc,"));
        assert!(said(places.gcc()).ends_with("apt-get install gcc"));
        assert!(said(places.binutils()).contains("needs as,"));
        assert!(said(places.binutils()).ends_with("apt-get install binutils"));
        assert!(said(places.python()).contains("needs python3,"));
        assert!(said(places.python()).ends_with("python3 python3-six python3-ply python3-tempita"));
    }

    #[test]
    fn a_python_without_the_modules_is_told_from_no_python() {
        let folder = folder_with("python3", "false");
        let error = places(folder.path()).python().unwrap_err().to_string();
        assert!(error.contains("python3's modules six, ply and tempita"), "{error}");
    }

    #[test]
    fn the_python_with_the_modules_is_taken_whatever_comes_first_in_path() {
        let (without, with) = (folder_with("python3", "false"), folder_with("python3", "true"));
        let system_python = with.path().join("python3");
        let places = Places { path: without.path().into(), system_python: system_python.clone() };
        assert_eq!(places.python().unwrap(), system_python);
    }

    #[test]
    fn a_compiler_for_another_machine_is_refused() {
        // What this compiler says of its machine is its argument.
        let folder = folder_with("gcc", "echo");
        let error = places(folder.path()).gcc().unwrap_err().to_string();
        assert!(error.ends_with("the one installed is for -dumpmachine"), "{error}");
    }

    #[test]
    fn a_failing_step_shows_the_end_of_what_it_said() {
        let shell = PathBuf::from("/bin/sh");
        let toolchain = Toolchain { gcc: shell.clone(), objcopy: shell.clone(), python: shell };
        let script = "for i in $(seq 100); do echo line $i; done; exit 3";
        let step = Step { what: "link", tool: Tool::Gcc, args: ["-c", script].map(str::to_owned).to_vec() };
        let error = toolchain.run(&step, Path::new("/")).unwrap_err().to_string();
        assert!(error.contains("failed at \"link\" (exit status: 3)"), "{error}");
        assert!(error.contains("line 81\n") && error.ends_with("line 100"), "{error}");
        assert!(!error.contains("line 80\n"), "{error}");
    }
}

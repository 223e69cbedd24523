// SPDX-License-Identifier: BSD-2-Clause
//! `cargo xtask trace`: what the ioasid server did, read from outside a running machine or out of what a run left.

use crate::progress::note;
use crate::system::System;
use crate::workspace;
use config_compiler::{FILE_NAME, Schema};
use miette::{IntoDiagnostic as _, Report, Result, WrapErr as _, miette};
use std::fs::File;
use std::path::{Path, PathBuf};
use system_trace::{Class, History, Place, Snapshot, SnapshotError};

/// Options of `cargo xtask trace`.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  cargo xtask trace\n  cargo xtask trace --only faults,refusals --last 10\n  cargo xtask trace --html trace.html\n  cargo xtask trace --dump target/ioasid/reference/trace.bin --json"
)]
pub struct Args {
    /// Folder of the system.xml whose run is looked at [default: the workspace's own]
    #[arg(long, value_name = "DIR", conflicts_with = "dump")]
    system: Option<PathBuf>,
    /// A file that holds the memory of a trace and nothing else, as a run leaves it
    #[arg(long, value_name = "FILE")]
    dump: Option<PathBuf>,
    /// Write JSON: everything that the trace tells
    #[arg(long, conflicts_with = "html")]
    json: bool,
    /// Write one page of HTML that needs nothing else
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// How many of the newest events are shown
    #[arg(long, value_name = "N", default_value_t = 40)]
    last: usize,
    /// Which kinds of event are shown; all where none is named
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = class)]
    only: Vec<Class>,
}

/// The class of this name.
fn class(name: &str) -> Result<Class, String> {
    let known = Class::ALL.map(Class::name).join(", ");
    Class::ALL.into_iter().find(|class| class.name() == name).ok_or_else(|| format!("the kinds are: {known}"))
}

/// Shows a trace.
pub fn main(args: &Args) -> Result<()> {
    let (name, snapshot) = match &args.dump {
        Some(file) => (workspace::display(file), read_dump(file)?),
        None => {
            let system = System::load(args.system.as_deref())?;
            let snapshot = Files::of(&system)?.read()?;
            (system.name, snapshot)
        }
    };
    let trace = snapshot.trace().into_diagnostic()?;
    let history = History::of(&trace, snapshot.written_since());
    match &args.html {
        Some(file) => {
            workspace::write(file, history.to_html(&name).as_bytes())?;
            note(&format!("{} events are in {}", history.entries.len(), workspace::display(file)));
        }
        None if args.json => print!("{}", history.to_json()),
        None => {
            let classes = if args.only.is_empty() { &Class::ALL[..] } else { &args.only };
            print!("{}", history.to_text(args.last, classes));
        }
    }
    Ok(())
}

/// Where the runs of a system leave their trace.
#[derive(Clone, Debug)]
pub struct Files {
    /// The machine's memory while it runs, or when it was cut short.
    pub memory: PathBuf,
    /// The trace alone, of the last run that ended.
    pub dump: PathBuf,
    /// Where the trace is in memory.
    pub place: Place,
}

impl Files {
    /// Those of `system`, where it has a trace.
    pub fn find(system: &System) -> Result<Option<Self>> {
        let file = system.folder.join(FILE_NAME);
        if !file.is_file() {
            return Ok(None);
        }
        let name = workspace::display(&file);
        let text = std::fs::read_to_string(&file)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot read {name}"))?;
        let policy = Schema::parse(&name, &text).map_err(Report::new)?;
        let output = system.output();
        let files = |place| Self { memory: output.join("memory"), dump: output.join("trace.bin"), place };
        Ok(Place::of(&system.sdf, &policy).map(files))
    }

    /// Those of `system`; an error that says what to add where it has no trace.
    pub fn of(system: &System) -> Result<Self> {
        Self::find(system)?.ok_or_else(|| {
            miette!(
                help = "give the server a <memory_region> with a phys_addr and say trace = \"its name\" in ioasid.toml: \
                        docs/integration.md shows how",
                "{} has no trace",
                system.name
            )
        })
    }

    /// The same for a run that has its files beside `log`, under its name.
    pub fn beside(self, log: &Path) -> Self {
        Self { memory: log.with_extension("memory"), dump: log.with_extension("trace.bin"), ..self }
    }

    /// Takes away what an earlier run left: QEMU makes its memory anew.
    pub fn clear(&self) {
        for file in [&self.memory, &self.dump] {
            // What is not there need not go.
            let _ = std::fs::remove_file(file);
        }
    }

    /// Keeps the trace of a run that has ended, and nothing else of its memory.
    pub fn keep(&self) -> Result<()> {
        let snapshot = File::open(&self.memory).map_err(SnapshotError::from);
        if let Ok(snapshot) = snapshot.and_then(|file| Snapshot::of_memory(&file, self.place)) {
            workspace::write(&self.dump, &snapshot.to_bytes())?;
        }
        let _ = std::fs::remove_file(&self.memory);
        Ok(())
    }

    /// The trace of the run that is under way, or of the last.
    pub fn read(&self) -> Result<Snapshot> {
        if let Ok(memory) = File::open(&self.memory) {
            let name = workspace::display(&self.memory);
            return Snapshot::of_memory(&memory, self.place).map_err(|error| unreadable(&name, &error));
        }
        if self.dump.exists() {
            return read_dump(&self.dump);
        }
        Err(miette!(
            help = "`cargo xtask run` leaves one, and `cargo xtask monitor` shows it as it grows",
            "no run of this system has left a trace in {}",
            workspace::display(&self.dump)
        ))
    }
}

fn read_dump(file: &Path) -> Result<Snapshot> {
    let name = workspace::display(file);
    let help = "a run leaves one: target/ioasid/<system>/trace.bin";
    let dump = File::open(file).map_err(|error| miette!(help = help, "cannot read {name}: {error}"))?;
    Snapshot::of_dump(&dump).map_err(|error| unreadable(&name, &error))
}

fn unreadable(name: &str, error: &SnapshotError) -> Report {
    let help = match error {
        SnapshotError::Trace(ioasid_trace::Error::Magic) => {
            "the server has not begun, or its region is another: its address is `phys_addr` in system.xml"
        }
        SnapshotError::Trace(ioasid_trace::Error::Version(_)) => {
            "build the system and this tool from one state"
        }
        _ => "give a file that holds the region of the trace from its first byte to its last",
    };
    miette!(help = help, "{name}: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSTEM: &str = r#"<system>
        <memory_region name="trace" size="0x2000" phys_addr="0x3000" />
        <protection_domain name="server" priority="9"><program_image path="ioasid.elf" />
            <map mr="trace" vaddr="0x10000000" perms="rw" /></protection_domain></system>"#;
    const POLICY: &str =
        "pd = \"server\"\nconfig = \"config\"\ntrace = \"trace\"\n[unit]\nregistry = \"registry\"\n";

    fn system(policy: Option<&str>) -> (tempfile::TempDir, System) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("system.xml"), SYSTEM).unwrap();
        if let Some(policy) = policy {
            std::fs::write(folder.path().join("ioasid.toml"), policy).unwrap();
        }
        let system = System::load(Some(folder.path())).unwrap();
        (folder, system)
    }

    fn files(folder: &Path) -> Files {
        let (_kept, system) = system(Some(POLICY));
        let place = Files::of(&system).unwrap().place;
        assert_eq!(place, Place { address: 0x3000, bytes: 0x2000 });
        Files { memory: folder.join("memory"), dump: folder.join("trace.bin"), place }
    }

    #[test]
    fn a_system_without_a_trace_says_what_to_add() {
        for policy in [None, Some(&*POLICY.replace("trace = \"trace\"\n", ""))] {
            let error = Files::of(&system(policy).1).unwrap_err();
            assert!(error.help().unwrap().to_string().contains("trace = "), "{error}");
        }
    }

    #[test]
    fn a_run_leaves_its_trace_and_not_its_memory() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let missing = files.read().unwrap_err();
        assert!(missing.help().unwrap().to_string().contains("cargo xtask run"), "{missing}");

        // Memory in which the server has not begun, then one that holds an empty trace.
        let mut memory = vec![0_u8; 0x6000];
        std::fs::write(&files.memory, &memory).unwrap();
        assert!(files.read().unwrap_err().to_string().ends_with("memory: no trace is there yet"));
        for (at, word) in
            [u64::from_le_bytes(*b"ioasidtr"), ioasid_trace::VERSION, 0, 8].into_iter().enumerate()
        {
            memory[0x3000 + 8 * at..][..8].copy_from_slice(&word.to_le_bytes());
        }
        std::fs::write(&files.memory, &memory).unwrap();
        let running = files.read().unwrap();
        files.keep().unwrap();
        assert!(!files.memory.exists());
        assert_eq!(files.read().unwrap(), running);

        let html = folder.path().join("trace.html");
        main(&Args {
            system: None,
            dump: Some(files.dump.clone()),
            json: false,
            html: Some(html.clone()),
            last: 1,
            only: Vec::new(),
        })
        .unwrap();
        assert!(std::fs::read_to_string(html).unwrap().starts_with("<!DOCTYPE html>"));
        files.clear();
        assert!(files.read().is_err());
    }

    #[test]
    fn what_is_no_dump_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("serial.log");
        std::fs::write(&file, "Booting all finished, dropped to user space\n".repeat(9)).unwrap();
        let error = read_dump(&file).unwrap_err();
        assert!(error.to_string().ends_with("serial.log: no trace is there yet"), "{error}");
        assert!(read_dump(&folder.path().join("none")).unwrap_err().to_string().starts_with("cannot read"));
        assert_eq!(class("faults"), Ok(Class::Faults));
        assert!(class("fault").unwrap_err().contains("ids, spaces, faults"));
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! One run: the emulator's life, bounded, and its serial line, read while it is written.

use std::fs::File;
use std::io::Read as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::cd;
use crate::error::{Error, IoContext};
use crate::machine::{BOCHS_LOG, CMOS, Machine, SERIAL_LOG};
use crate::tools::Bochs;

/// What Bochs prints on its own output: the screen as text, and why it did not start.
const OUTPUT: &str = "bochs.out";
/// How often the serial line is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Bounds of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Host time before the run is ended.
    pub time: Duration,
    /// Bytes of serial log, or of Bochs's own log, before the run is ended.
    pub log_bytes: u64,
}

impl Limits {
    /// `seconds` of time and 16 MiB of log.
    #[must_use]
    pub fn seconds(seconds: u64) -> Self {
        Self { time: Duration::from_secs(seconds), log_bytes: 16 << 20 }
    }
}

/// What gets the bytes of the serial line as they come.
pub type OnSerial<'a> = dyn FnMut(&[u8]) -> ControlFlow<()> + 'a;

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The guest wrote `Shutdown` to port 0x8900.
    Shutdown,
    /// The guest executed `xchg bx, bx`.
    Break,
    /// The caller had seen enough.
    Stopped,
    /// The processor found no way to deliver a fault.
    TripleFault,
    /// The time was up.
    TimedOut,
    /// A log grew beyond its bound.
    LogTooLong,
    /// Bochs stopped by itself; this is what it said.
    Failed(String),
}

/// What a run left.
#[derive(Debug, Clone)]
pub struct Run {
    /// How it ended.
    pub end: End,
    /// The serial log.
    pub serial_log: PathBuf,
    /// Host time from start to end of the emulator.
    pub elapsed: Duration,
}

impl Bochs {
    /// Boots `kernel` (32-bit ELF, multiboot) with the one module `root` on `machine` and waits for the end.
    /// Everything that the run reads and writes lies in `folder`. `on_serial` gets what the guest sends on its
    /// serial line while it runs, and ends the run by returning [`ControlFlow::Break`].
    ///
    /// # Errors
    /// [`Error`] when the machine could not be started. Once it runs, [`Run::end`] tells how it ended.
    pub fn boot(
        &self,
        machine: &Machine,
        kernel: &Path,
        root: &Path,
        folder: &Path,
        limits: Limits,
        on_serial: &mut OnSerial<'_>,
    ) -> Result<Run, Error> {
        std::fs::create_dir_all(folder).at("create", folder)?;
        cd::make(self, kernel, root, folder)?;
        for (name, contents) in [
            ("bochsrc", machine.configuration(self).as_bytes()),
            (CMOS, &machine.cmos()),
            // The debugger that Debian's Bochs has: run, and quit when the run stops.
            ("commands", b"c\nq\n"),
            (SERIAL_LOG, b""),
            (BOCHS_LOG, b""),
        ] {
            let file = folder.join(name);
            std::fs::write(&file, contents).at("write", &file)?;
        }
        let start = Instant::now();
        let mut child = self.start(folder)?;
        let serial_log = folder.join(SERIAL_LOG);
        let mut serial = File::open(&serial_log).at("read", &serial_log)?;
        let result = follow(&mut child, &mut serial, folder, start, limits, on_serial);
        // Whatever ended the loop: nothing of the run is left. Killing what has ended does nothing.
        let _ = child.kill();
        let _ = child.wait();
        let end = result?;
        if end != End::Stopped {
            // The last words, between the last look and the end: whether they are enough changes nothing now.
            let _ = pass_on(&mut serial, on_serial).at("read", &serial_log)?;
        }
        Ok(Run { end, serial_log, elapsed: start.elapsed() })
    }

    fn start(&self, folder: &Path) -> Result<Child, Error> {
        let path = folder.join(OUTPUT);
        let output = File::create(&path).at("write", &path)?;
        let errors = output.try_clone().at("write", &path)?;
        Command::new(&self.setpriv)
            .args(["--pdeathsig", "KILL", "--"])
            .arg(&self.bochs)
            .args(["-q", "-f", "bochsrc", "-rc", "commands"])
            .env("TERM", "dumb")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .at("run", &self.bochs)
    }
}

/// Passes the serial line on until the run ends or has to be ended.
fn follow(
    child: &mut Child,
    serial: &mut File,
    folder: &Path,
    start: Instant,
    limits: Limits,
    on_serial: &mut OnSerial<'_>,
) -> Result<End, Error> {
    let (serial_log, bochs_log) = (folder.join(SERIAL_LOG), folder.join(BOCHS_LOG));
    loop {
        if pass_on(serial, on_serial).at("read", &serial_log)?.is_break() {
            return Ok(End::Stopped);
        }
        if let Some(status) = child.try_wait().at("wait for", Path::new("bochs"))? {
            return Ok(classify(status, folder));
        }
        if start.elapsed() >= limits.time {
            return Ok(End::TimedOut);
        }
        let too_long = |log: &Path| log.metadata().is_ok_and(|log| log.len() > limits.log_bytes);
        if too_long(&serial_log) || too_long(&bochs_log) {
            return Ok(End::LogTooLong);
        }
        thread::sleep(LOOK);
    }
}

/// Passes on what the file has had since the last time.
fn pass_on(serial: &mut File, on_serial: &mut OnSerial<'_>) -> std::io::Result<ControlFlow<()>> {
    let mut buffer = [0; 8192];
    loop {
        match serial.read(&mut buffer)? {
            0 => return Ok(ControlFlow::Continue(())),
            count => {
                if on_serial(&buffer[..count]).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
    }
}

/// Reads the end out of the emulator's status and its log.
fn classify(status: ExitStatus, folder: &Path) -> End {
    if status.success() {
        return End::Break;
    }
    let read = |name| std::fs::read(folder.join(name)).unwrap_or_default();
    let log = String::from_utf8_lossy(&read(BOCHS_LOG)).into_owned();
    let panic = log.lines().rev().find_map(|line| line.split_once(">>PANIC<< ")).map(|(_, what)| what);
    match panic {
        Some(what) if what.starts_with("Shutdown port") => End::Shutdown,
        Some(what) if what.contains("exception with no resolution") => End::TripleFault,
        Some(what) => End::Failed(what.to_owned()),
        None => {
            let output = String::from_utf8_lossy(&read(OUTPUT)).into_owned();
            let last = output.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing");
            End::Failed(format!("{status}; it said last: {}", last.trim()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An emulator that does what the file `script` in its folder says, and a CD that is made of nothing.
    fn emulator() -> Bochs {
        Bochs {
            bochs: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulator.sh"),
            firmware: "bios".into(),
            vga_firmware: "vgabios".into(),
            grub_mkimage: "true".into(),
            grub_modules: "modules".into(),
            xorriso: "true".into(),
            setpriv: "setpriv".into(),
        }
    }

    /// Runs `script` in the place of Bochs: how it ended, and what came over the serial line.
    fn run(script: &str, limits: Limits) -> (End, String) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("script");
        std::fs::write(&file, script).unwrap();
        let mut serial = Vec::new();
        let run = emulator()
            .boot(&Machine::default(), &file, &file, folder.path(), limits, &mut |bytes| {
                serial.extend_from_slice(bytes);
                if bytes.ends_with(b"enough\n") { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .unwrap();
        assert_eq!(std::fs::read(run.serial_log).unwrap(), serial);
        (run.end, String::from_utf8(serial).unwrap())
    }

    fn long() -> Limits {
        Limits::seconds(60)
    }

    #[test]
    fn a_shutdown_is_told_from_a_triple_fault_and_a_break() {
        let panic = |what: &str| {
            format!("printf hello > serial.log; echo '01p[X] >>PANIC<< {what}' > bochs.log; exit 1")
        };
        let shutdown = run(&panic("Shutdown port: shutdown requested"), long());
        assert_eq!(shutdown, (End::Shutdown, "hello".to_owned()));
        let fault = run(&panic("exception(): 3rd (13) exception with no resolution"), long());
        assert_eq!(fault.0, End::TripleFault);
        assert_eq!(run("exit 0", long()).0, End::Break);
        assert_eq!(run(&panic("ata0-0: no image"), long()).0, End::Failed("ata0-0: no image".to_owned()));
    }

    #[test]
    fn an_emulator_that_does_not_start_is_quoted() {
        let (end, _) = run("echo cannot connect to screen >&2; echo; exit 2", long());
        assert_eq!(end, End::Failed("exit status: 2; it said last: cannot connect to screen".to_owned()));
    }

    #[test]
    fn a_run_ends_when_its_time_is_up_and_keeps_what_was_said() {
        let limits = Limits { time: Duration::from_millis(300), ..long() };
        let (end, serial) = run("echo last words > serial.log; exec sleep 600", limits);
        assert_eq!((end, serial.as_str()), (End::TimedOut, "last words\n"));
    }

    #[test]
    fn the_caller_ends_a_run_when_it_has_seen_enough() {
        let (end, serial) = run("echo enough > serial.log; exec sleep 600", long());
        assert_eq!((end, serial.as_str()), (End::Stopped, "enough\n"));
    }

    #[test]
    fn a_log_that_grows_too_long_ends_the_run() {
        let limits = Limits { log_bytes: 1000, ..long() };
        for log in ["serial.log", "bochs.log"] {
            let (end, _) = run(&format!("head -c 2000 /dev/zero > {log}; exec sleep 600"), limits);
            assert_eq!(end, End::LogTooLong, "{log}");
        }
    }

    #[test]
    fn a_cd_that_cannot_be_made_is_an_error_that_names_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("image");
        std::fs::write(&file, "").unwrap();
        let bochs = Bochs { xorriso: "false".into(), ..emulator() };
        let result = bochs.boot(&Machine::default(), &file, &file, folder.path(), long(), &mut |_| {
            ControlFlow::Continue(())
        });
        let error = result.unwrap_err().to_string();
        assert!(error.starts_with("making the boot CD failed: false ended with exit status: 1"), "{error}");
    }
}

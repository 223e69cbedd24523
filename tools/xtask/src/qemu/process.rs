// SPDX-License-Identifier: BSD-2-Clause
//! One QEMU process: its serial line streamed, its life bounded.
//!
//! Whatever the guest does, [`boot`] comes back: a watchdog ends the run after its time, a log beyond its limit
//! ends it too, and the kernel ends QEMU when this program dies (`setpriv --pdeathsig`).

use crate::serial::Lines;
use miette::{IntoDiagnostic as _, Result, WrapErr as _, miette};
use std::ffi::OsString;
use std::io::{Read, Write as _};
use std::ops::ControlFlow;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// Bounds of one run.
#[derive(Clone, Copy, Debug)]
pub struct LogLimits {
    /// Host time before the watchdog ends the run.
    pub timeout: Duration,
    /// Bytes of serial log before the run is ended.
    pub bytes: usize,
}

impl LogLimits {
    /// `timeout_s` seconds and 16 MiB of log.
    pub fn seconds(timeout_s: u64) -> Self {
        Self { timeout: Duration::from_secs(timeout_s), bytes: 16 << 20 }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The guest wrote this value to the debug exit port.
    Guest(u8),
    /// QEMU ended with status 0: the guest switched the machine off or reset it (a triple fault).
    PoweredOff,
    /// QEMU failed before the guest could print anything.
    NeverStarted,
    /// QEMU was ended by this signal.
    Signal(i32),
    /// QEMU ended with a status that the debug exit port cannot give.
    Status(i32),
    /// The watchdog's time was up.
    TimedOut,
    /// Whoever watched the lines had seen enough.
    Stopped,
    /// The log grew beyond its limit.
    LogTooLong,
}

/// What one run left.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// The serial log.
    pub lines: Vec<String>,
    /// What QEMU itself said on its standard error.
    pub stderr: String,
    /// Host time.
    pub elapsed: Duration,
}

/// Runs `program` with `arguments` in `folder` within `limits`; each line of its standard output goes to `log` and `on_line`
/// as it comes, and `on_line` may end the run.
pub fn boot(
    program: &Path,
    arguments: &[OsString],
    folder: &Path,
    limits: LogLimits,
    log: &Path,
    on_line: &mut dyn FnMut(&str) -> ControlFlow<()>,
) -> Result<Outcome> {
    if let Some(logs) = log.parent() {
        std::fs::create_dir_all(logs).into_diagnostic()?;
    }
    let mut file = std::fs::File::create(log)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot write {}", log.display()))?;
    let start = Instant::now();
    let mut child = spawn(program, arguments, folder)?;
    let (sender, events) = mpsc::channel();
    let stdout = child.stdout.take().map(|pipe| pump(pipe, sender));
    let stderr = child.stderr.take().map(|pipe| thread::spawn(move || tail(pipe)));

    let (mut lines, mut bytes) = (Vec::new(), 0);
    let cut_short = loop {
        let left = limits.timeout.saturating_sub(start.elapsed());
        match events.recv_timeout(left) {
            Ok(line) => {
                bytes += line.len() + 1;
                writeln!(file, "{line}").into_diagnostic()?;
                let enough = on_line(&line).is_break();
                lines.push(line);
                if enough {
                    break Some(End::Stopped);
                }
                if bytes > limits.bytes {
                    break Some(End::LogTooLong);
                }
            }
            Err(RecvTimeoutError::Timeout) => break Some(End::TimedOut),
            Err(RecvTimeoutError::Disconnected) => break None,
        }
    };
    // Its output is closed: it ends at once, or the watchdog ends it.
    let left =
        if cut_short.is_some() { Duration::ZERO } else { limits.timeout.saturating_sub(start.elapsed()) };
    let status = wait(&mut child, left)?;
    if let Some(thread) = stdout {
        let _ = thread.join();
    }
    // Lines that came between the last look and the end belong to the log (the hang's last words).
    for line in events.try_iter().take(1000) {
        writeln!(file, "{line}").into_diagnostic()?;
        // The run is over, whatever is thought of its last lines.
        let _ = on_line(&line);
        lines.push(line);
    }
    let stderr = stderr.and_then(|thread| thread.join().ok()).unwrap_or_default();
    let end = cut_short.or(status.map(|s| classify(s, &lines))).unwrap_or(End::TimedOut);
    Ok(Outcome { end, lines, stderr, elapsed: start.elapsed() })
}

fn spawn(program: &Path, arguments: &[OsString], folder: &Path) -> Result<Child> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program).args(arguments).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            miette!(help = "install the package util-linux", "the program setpriv is not there")
        }
        _ => miette!("cannot start {}: {error}", program.display()),
    })
}

/// Reads the serial line on a thread of its own, which ends with the pipe.
fn pump(mut pipe: impl Read + Send + 'static, sender: Sender<String>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let (mut lines, mut buffer) = (Lines::default(), [0; 8192]);
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            // The receiver is gone once the run was cut short; then only the pipe is drained.
            lines.push(&buffer[..count], |line| drop(sender.send(line)));
        }
        lines.finish().map(|line| sender.send(line));
    })
}

/// The first 8 KiB that QEMU says on its standard error.
fn tail(mut pipe: impl Read) -> String {
    let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = pipe.read(&mut buffer) {
        let room = 8192_usize.saturating_sub(kept.len()).min(count);
        kept.extend_from_slice(&buffer[..room]);
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

/// Waits for `child` at most `bound`, then ends it. `None`: it had to be ended.
fn wait(child: &mut Child, bound: Duration) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().into_diagnostic()? {
            return Ok(Some(status));
        }
        if start.elapsed() >= bound {
            child.kill().into_diagnostic()?;
            child.wait().into_diagnostic()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// `isa-debug-exit` turns the guest's value v into the status `v << 1 | 1`; QEMU's own failure is status 1 too, but
/// then with words on standard error and a silent serial line.
fn classify(status: ExitStatus, lines: &[String]) -> End {
    match (status.code(), status.signal()) {
        (Some(0), _) => End::PoweredOff,
        (Some(1), _) if lines.is_empty() => End::NeverStarted,
        (Some(code), _) if code & 1 == 1 => u8::try_from(code >> 1).map_or(End::Status(code), End::Guest),
        (Some(code), _) => End::Status(code),
        (None, signal) => End::Signal(signal.unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, limits: LogLimits) -> Outcome {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("deep/serial.log");
        let arguments = ["-c".into(), script.into()];
        let outcome =
            boot(Path::new("/bin/sh"), &arguments, folder.path(), limits, &log, &mut |line| match line {
                "enough" => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            })
            .unwrap();
        let written = std::fs::read_to_string(&log).unwrap();
        assert_eq!(written.lines().collect::<Vec<_>>(), outcome.lines, "the log holds what was seen");
        outcome
    }

    fn minute() -> LogLimits {
        LogLimits::seconds(60)
    }

    #[test]
    fn exit_statuses_are_told_apart() {
        assert_eq!(run("echo hello; exit 1", minute()).end, End::Guest(0));
        assert_eq!(run("echo hello; exit 7", minute()).end, End::Guest(3));
        assert_eq!(run("echo hello; exit 2", minute()).end, End::Status(2));
        assert_eq!(run("echo hello", minute()).end, End::PoweredOff);
        assert_eq!(run("kill -SEGV $$", minute()).end, End::Signal(11));
        let outcome = run("echo no such device >&2; exit 1", minute());
        assert_eq!((outcome.end, outcome.stderr.as_str()), (End::NeverStarted, "no such device"));
    }

    #[test]
    fn a_hang_ends_and_its_last_words_are_kept() {
        let limits = LogLimits { timeout: Duration::from_millis(300), ..minute() };
        let outcome = run("printf 'booting\\nhalf a line'; exec sleep 1000", limits);
        assert_eq!(outcome.end, End::TimedOut);
        assert_eq!(outcome.lines, ["booting", "half a line"]);
    }

    #[test]
    fn a_process_that_closes_its_output_and_stays_is_ended() {
        let limits = LogLimits { timeout: Duration::from_millis(300), ..minute() };
        assert_eq!(run("exec >&- 2>&- sleep 1000", limits).end, End::TimedOut);
    }

    #[test]
    fn who_watches_may_end_a_run() {
        let outcome = run("echo working; echo enough; exec sleep 1000", minute());
        assert_eq!(
            (outcome.end, outcome.lines.as_slice()),
            (End::Stopped, &["working".into(), "enough".into()][..])
        );
    }

    #[test]
    fn a_flood_ends() {
        let outcome = run("exec yes flood", LogLimits { bytes: 100_000, ..minute() });
        assert_eq!(outcome.end, End::LogTooLong);
        assert!(outcome.lines.len() < 30_000);
    }
}

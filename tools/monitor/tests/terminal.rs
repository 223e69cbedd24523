// SPDX-License-Identifier: BSD-2-Clause
//! The monitor in a real terminal: what it shows while a server writes, its keys, any size, and how it leaves.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ioasid_trace::{Direction, Event, Handle, Name, ShareWhy, Writer, region_bytes};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

/// Nothing takes this long, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Where the memory of the machine holds its trace.
const ADDRESS: u64 = 0x3000;
const RECORDS: usize = 256;

/// A server that writes its trace into a machine's memory, which is a file.
struct Machine {
    folder: tempfile::TempDir,
    words: Vec<AtomicU64>,
    time: u32,
}

impl Machine {
    fn new() -> Self {
        let words = (0..region_bytes(2, 1, RECORDS) / 8).map(|_| AtomicU64::new(0)).collect();
        Self { folder: tempfile::tempdir().unwrap(), words, time: 0 }
    }

    fn memory(&self) -> PathBuf {
        self.folder.path().join("memory")
    }

    fn begin(&self) {
        File::create(self.memory()).unwrap().set_len(ADDRESS + self.bytes() + 0x1000).unwrap();
    }

    fn bytes(&self) -> u64 {
        self.words.len() as u64 * 8
    }

    fn write(&mut self, set: Option<u8>, event: Event) {
        self.time += 1;
        let devices = [(Name::new("edu"), 0x18, 0)];
        Writer::new(&self.words, ["guest_a", "guest_b"].map(Name::new), devices).push(self.time, set, event);
        let bytes: Vec<u8> =
            self.words.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect();
        OpenOptions::new().write(true).open(self.memory()).unwrap().write_all_at(&bytes, ADDRESS).unwrap();
    }

    fn monitor(&self) -> Terminal {
        let program = env!("CARGO_BIN_EXE_monitor");
        let arguments = ["--name", "demo", "--memory", self.memory().to_str().unwrap()].map(str::to_owned);
        let place = ["--address".into(), ADDRESS.to_string(), "--bytes".into(), self.bytes().to_string()];
        Terminal::run(program.as_ref(), &[&arguments[..], &place[..]].concat())
    }
}

fn share(used: u32) -> Event {
    Event::Share { why: ShareWhy::Stated, reservation: 2, limit: 8, used, peak: used, faults: 0, refused: 0 }
}

fn alloc(pasid: u32) -> Event {
    Event::Alloc { id: Handle { pasid, generation: 0, epoch: 1 } }
}

/// A program in a terminal of its own.
struct Terminal {
    child: Child,
    /// The user's end, until it hangs up.
    master: Option<File>,
    reader: Option<JoinHandle<()>>,
    hung_up: Arc<AtomicBool>,
    screen: Arc<Mutex<vt100::Parser>>,
    /// Everything that it wrote.
    written: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    fn run(program: &std::path::Path, arguments: &[String]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        tcsetwinsize(&master, size(30, 100)).unwrap();
        let stream = || Stdio::from(slave.try_clone().unwrap());
        // A session of its own, whose terminal this is: so that it is told of its size.
        let child = Command::new("setsid")
            .args(["--ctty", "--wait"])
            .arg(program)
            .args(arguments)
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .stdin(stream())
            .stdout(stream())
            .stderr(stream())
            .spawn()
            .unwrap();
        let master = File::from(master);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(30, 100, 0)));
        let written = Arc::new(Mutex::new(Vec::new()));
        let hung_up = Arc::new(AtomicBool::new(false));
        let (mut reader, screen_of, written_of, stop) =
            (master.try_clone().unwrap(), screen.clone(), written.clone(), hung_up.clone());
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Ends with an error when nobody has the terminal any more.
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                screen_of.lock().unwrap().process(&buffer[..count]);
                written_of.lock().unwrap().extend_from_slice(&buffer[..count]);
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        Self { child, master: Some(master), reader: Some(reader), hung_up, screen, written }
    }

    /// The user's end is closed, as when its window is.
    fn hang_up(&mut self) {
        self.hung_up.store(true, Ordering::Relaxed);
        // Whatever this makes it write, the reader looks up.
        self.press(" ");
        self.reader.take().unwrap().join().unwrap();
        self.master = None;
    }

    fn master(&self) -> &File {
        self.master.as_ref().unwrap()
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits until the screen is as it is to be.
    fn wait(&self, what: &str, holds: impl Fn(&str) -> bool) {
        let start = Instant::now();
        while !holds(&self.text()) {
            assert!(start.elapsed() < PATIENCE, "{what}: the screen shows\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn shows(&self, words: &str) {
        self.wait(&format!("\"{words}\" is to be shown"), |text| text.contains(words));
    }

    fn hides(&self, words: &str) {
        self.wait(&format!("\"{words}\" is not to be shown"), |text| !text.contains(words));
    }

    fn press(&mut self, keys: &str) {
        self.master().write_all(keys.as_bytes()).unwrap();
    }

    fn resize(&self, rows: u16, columns: u16) {
        let mut screen = self.screen.lock().unwrap();
        *screen = vt100::Parser::new(rows, columns, 0);
        tcsetwinsize(self.master(), size(rows, columns)).unwrap();
    }

    /// The process that shows something.
    fn monitor(&self) -> Pid {
        let children = format!("/proc/{0}/task/{0}/children", self.child.id());
        let children = std::fs::read_to_string(children).unwrap();
        // `setsid` forks only where it leads a group already.
        let pid = children.split_whitespace().next().map_or(self.child.id(), |pid| pid.parse().unwrap());
        Pid::from_raw(pid.try_into().unwrap()).unwrap()
    }

    fn end(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "it does not end: {}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// That the terminal is as it was: its own screen, the cursor, keys that are echoed and lines that are edited.
    fn is_given_back(&self) {
        let modes = tcgetattr(self.master()).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG), "{modes:?}");
        let start = Instant::now();
        let restored = || {
            let screen = self.screen.lock().unwrap();
            !screen.screen().alternate_screen() && !screen.screen().hide_cursor()
        };
        while !restored() {
            assert!(start.elapsed() < PATIENCE, "another screen, or no cursor: {}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

#[test]
fn a_run_is_watched_from_before_its_beginning_to_its_end_and_the_next() {
    let mut machine = Machine::new();
    let mut terminal = machine.monitor();
    terminal.shows("waiting for `cargo xtask run`");
    machine.begin();
    terminal.shows("the system boots");
    machine.write(None, Event::Started { epoch: 1, unit: true });
    machine.write(Some(0), share(3));
    machine.write(Some(1), share(0));
    terminal.shows("running");
    terminal.shows("  3/8");
    machine.write(Some(0), alloc(4711));
    terminal.shows("  4/8");
    terminal.shows("PASID 4711");
    std::fs::remove_file(machine.memory()).unwrap();
    terminal.shows("the run has ended");
    terminal.shows("PASID 4711");

    machine = Machine { folder: machine.folder, ..Machine::new() };
    machine.begin();
    terminal.shows("the system boots");
    terminal.hides("PASID 4711");
    machine.write(Some(0), share(7));
    terminal.shows("  7/8");
    terminal.press("q");
    assert!(terminal.end().success());
    terminal.is_given_back();
}

#[test]
fn keys_pause_choose_and_scroll() {
    let mut machine = Machine::new();
    machine.begin();
    machine.write(Some(0), share(0));
    machine.write(Some(1), share(0));
    (100..160).for_each(|pasid| machine.write(Some(0), alloc(pasid)));
    machine.write(Some(1), Event::Free { id: Handle { pasid: 33, generation: 0, epoch: 1 } });
    let (direction, address) = (Direction::Write, 0x5000);
    let fault = Event::Fault { device: 0x18, reason: 5, direction, pasid: None, address, id: None };
    machine.write(Some(0), fault);
    let mut terminal = machine.monitor();
    terminal.shows("edu write 0x5000: second-stage table: no write permission");
    terminal.shows("PASID 33");

    // One set after the other, then all.
    terminal.press("\t");
    terminal.shows("events of guest_a");
    terminal.hides("PASID 33");
    terminal.press("\t");
    terminal.shows("2 events of guest_b");
    terminal.press("\t");
    terminal.shows("64 events");

    // Without ids only shares and the fault are left.
    terminal.press("1");
    terminal.shows("3 events");
    terminal.press("a");
    terminal.shows("64 events");

    // The oldest, the newest, and what comes while the oldest are looked at.
    terminal.press("\x1b[H");
    terminal.shows("0 used of 8");
    machine.write(Some(0), alloc(4711));
    terminal.shows("65 events");
    terminal.shows("0 used of 8");
    terminal.press("\x1b[B\x1b[6~\x1b[F");
    terminal.shows("PASID 4711");

    terminal.press(" ");
    terminal.shows("PAUSED");
    machine.write(Some(0), alloc(1234));
    terminal.press("\x1b[A");
    terminal.shows("1 newer below");
    assert!(!terminal.text().contains("66 events"));
    terminal.press("\x1b[B ");
    terminal.shows("PASID 1234");
    terminal.hides("PAUSED");
    terminal.press("\x03");
    assert!(terminal.end().success());
    terminal.is_given_back();
}

#[test]
fn any_size_will_do() {
    let mut machine = Machine::new();
    machine.begin();
    machine.write(Some(0), share(5));
    machine.write(Some(1), share(8));
    let mut terminal = machine.monitor();
    terminal.shows("  5/8");
    // The emulator takes no line that wraps on a screen of one row.
    for (rows, columns) in [(2, 1), (2, 5), (4, 20), (3, 200), (60, 3), (10, 40), (24, 80), (50, 300)] {
        terminal.resize(rows, columns);
        terminal.wait(&format!("{rows} × {columns}: the title"), |text| {
            text.starts_with(&"demo"[..usize::from(columns.min(4))])
        });
        if (rows, columns) == (10, 40) {
            terminal.shows("5/8");
        }
    }
    terminal.resize(24, 80);
    terminal.shows("faults 0");
    terminal.shows("1 device ");
    terminal.press("q");
    assert!(terminal.end().success());
}

#[test]
fn it_leaves_the_terminal_as_it_was_when_it_is_ended() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let machine = Machine::new();
        let mut terminal = machine.monitor();
        terminal.shows("waiting");
        kill_process(terminal.monitor(), signal).unwrap();
        assert!(terminal.end().success(), "{signal:?}");
        terminal.is_given_back();
    }
}

#[test]
fn it_ends_when_its_terminal_is_gone() {
    let machine = Machine::new();
    let mut terminal = machine.monitor();
    terminal.shows("waiting");
    terminal.hang_up();
    terminal.end();
}

#[test]
fn it_leaves_the_terminal_as_it_was_when_it_panics() {
    let tests = std::env::current_exe().unwrap();
    let example = tests.parent().and_then(|deps| deps.parent()).unwrap().join("examples/panics");
    let mut terminal = Terminal::run(&example, &[]);
    assert!(!terminal.end().success());
    terminal.is_given_back();
    terminal.shows("as the example does");
    let written = terminal.written.lock().unwrap();
    let at = |words: &[u8]| written.windows(words.len()).position(|window| window == words);
    // Blanks are not written.
    assert!(at(b"about").unwrap() < at(b"\x1b[?1049l").unwrap());
    assert!(
        at(b"\x1b[?1049l").unwrap() < at(b"as the example does").unwrap(),
        "first the screen, then the message"
    );
}

// SPDX-License-Identifier: BSD-2-Clause
//! A running QEMU: started, connected, and gone with the value that stands for it.
use std::fs::File;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Signal, set_parent_process_death_signal};
use tempfile::TempDir;

use crate::memory::GuestMemory;
use crate::socket::Socket;

/// How long QEMU may take to start.
const START: Duration = Duration::from_secs(60);
/// Bytes of firmware: the least that QEMU takes.
const FIRMWARE: usize = 64 * 1024;

/// Which QEMU.
#[derive(Clone, Debug)]
pub struct Qemu {
    /// The program.
    pub program: PathBuf,
    /// Where its own files are, where it does not find them itself (`-L`).
    pub data: Option<PathBuf>,
    /// Where its modules are, likewise.
    pub modules: Option<PathBuf>,
}

impl Default for Qemu {
    fn default() -> Self {
        Self { program: "qemu-system-x86_64".into(), data: None, modules: None }
    }
}

impl Qemu {
    /// Debian's QEMU 7.2, where `cargo xtask` unpacks it, or under the folder that `QEMU_7_2` names.
    #[must_use]
    pub fn unpacked_7_2() -> Self {
        let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/ioasid/qemu-7.2");
        let root = std::env::var_os("QEMU_7_2").map_or_else(built, PathBuf::from);
        Self {
            program: root.join("usr/bin/qemu-system-x86_64"),
            data: Some(root.join("usr/share/qemu")),
            modules: Some(root.join("usr/lib/x86_64-linux-gnu/qemu")),
        }
    }
}

/// What the machine has.
#[derive(Clone, Debug)]
pub struct Options {
    /// MiB of memory.
    pub memory: u64,
    /// `-device` arguments, the unit's first.
    pub devices: Vec<String>,
}

/// A running machine. Dropping it ends QEMU and removes its files; so does the end of the thread that started
/// it, however that comes.
#[derive(Debug)]
pub struct Machine {
    child: Child,
    /// Its registers.
    pub socket: Socket,
    /// Its memory.
    pub memory: GuestMemory,
    _folder: TempDir,
}

impl Machine {
    /// Starts a machine whose processor halts at its first instruction.
    ///
    /// # Errors
    /// Where QEMU does not start or does not connect.
    pub fn start(qemu: &Qemu, options: &Options) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("qtest").tempdir()?;
        let path = |name: &str| folder.path().join(name);
        // Memory that no disk backs, where there is such a place.
        let shared = Path::new("/dev/shm");
        let memory = match shared.is_dir() {
            true => tempfile::NamedTempFile::new_in(shared)?,
            false => tempfile::NamedTempFile::new_in(folder.path())?,
        };
        memory.as_file().set_len(options.memory << 20)?;
        std::fs::write(path("halt.bin"), firmware())?;
        let listener = UnixListener::bind(path("qtest"))?;
        listener.set_nonblocking(true)?;

        let mut command = Command::new(&qemu.program);
        if let Some(data) = &qemu.data {
            command.arg("-L").arg(data);
        }
        if let Some(modules) = &qemu.modules {
            command.env("QEMU_MODULE_DIR", modules);
        }
        command.args(["-accel", "tcg", "-icount", "shift=0,sleep=off", "-cpu", "qemu64"]);
        command.args(["-machine", "q35,pit=off,memory-backend=ram", "-m", &format!("{}M", options.memory)]);
        command.arg("-object").arg(format!(
            "memory-backend-file,id=ram,share=on,size={}M,mem-path={}",
            options.memory,
            memory.path().display()
        ));
        command.arg("-bios").arg(path("halt.bin"));
        command.args(["-nodefaults", "-no-user-config", "-display", "none"]);
        command.arg("-qtest").arg(format!("unix:{}", path("qtest").display()));
        command.args(["-qtest-log", "none"]);
        for device in &options.devices {
            command.arg("-device").arg(device);
        }
        let log = File::create(path("log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        // SAFETY: between fork and exec only one system call is made, which allocates nothing and takes no lock.
        unsafe {
            command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
        }
        let mut child = command.spawn().with_context(|| format!("{}", qemu.program.display()))?;
        let stream = match accept(&listener, &mut child) {
            Ok(stream) => stream,
            Err(error) => {
                end(&mut child);
                let log = std::fs::read_to_string(path("log")).unwrap_or_default();
                return Err(error.context(log));
            }
        };
        let socket = Socket::new(stream)?;
        let guest = GuestMemory::map(memory.as_file())?;
        // QEMU connects before it opens the memory file, and answers after: then the name is no longer needed.
        socket.wait_until_ready();
        drop(memory);
        Ok(Self { child, socket, memory: guest, _folder: folder })
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    // Both fail only where it has ended already.
    let _ = child.kill();
    let _ = child.wait();
}

fn accept(listener: &UnixListener, child: &mut Child) -> Result<std::os::unix::net::UnixStream> {
    let start = Instant::now();
    while start.elapsed() < START {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                return Ok(stream);
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(status) = child.try_wait()? {
            bail!("QEMU ended: {status}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    bail!("QEMU did not connect")
}

/// Firmware that halts: `cli; hlt; jmp` back, at the reset vector, 16 bytes before the end.
fn firmware() -> Vec<u8> {
    let mut image = vec![0; FIRMWARE];
    image[FIRMWARE - 16..FIRMWARE - 12].copy_from_slice(&[0xfa, 0xf4, 0xeb, 0xfd]);
    image
}

// SPDX-License-Identifier: BSD-2-Clause
//! The qtest protocol: one line a command, one line a reply.
use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a reply may take before the machine counts as hung.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to a machine, shared by everything that reaches it. A broken connection is a failed test, so
/// methods panic where QEMU does not answer as it must.
#[derive(Clone, Debug)]
pub struct Socket(Arc<Mutex<BufReader<UnixStream>>>);

impl Socket {
    /// Speaks over `stream`.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn new(stream: UnixStream) -> std::io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(Arc::new(Mutex::new(BufReader::new(stream)))))
    }

    fn command(&self, line: &impl Display) -> u64 {
        self.commands(1, &format_args!("{line}\n"))
    }

    /// Sends `count` lines in one go, and gives the value that the last one is answered with.
    fn commands(&self, count: usize, lines: &impl Display) -> u64 {
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stream.get_mut().write_all(lines.to_string().as_bytes()).expect("QEMU takes commands");
        let mut reply = String::new();
        for _ in 0..count {
            loop {
                reply.clear();
                assert_ne!(
                    stream.read_line(&mut reply).expect("QEMU answers"),
                    0,
                    "QEMU is gone after {lines}"
                );
                // Lines about interrupts may come between.
                if !reply.starts_with("IRQ") {
                    break;
                }
            }
            assert!(reply.starts_with("OK"), "{lines}: {reply}");
        }
        match reply.trim_end().strip_prefix("OK 0x") {
            Some(digits) => u64::from_str_radix(digits, 16).expect("a number"),
            None => 0,
        }
    }

    /// Returns when the machine is up.
    pub(crate) fn wait_until_ready(&self) {
        self.command(&"outl 0xcf8 0");
    }

    /// Reads 32 bits at a guest-physical address.
    #[must_use]
    pub fn read32(&self, phys: u64) -> u32 {
        u32::try_from(self.command(&format_args!("readl {phys:#x}"))).expect("32 bits")
    }

    /// Writes 32 bits.
    pub fn write32(&self, phys: u64, value: u32) {
        self.command(&format_args!("writel {phys:#x} {value:#x}"));
    }

    /// Reads 64 bits.
    #[must_use]
    pub fn read64(&self, phys: u64) -> u64 {
        self.command(&format_args!("readq {phys:#x}"))
    }

    /// Writes 64 bits.
    pub fn write64(&self, phys: u64, value: u64) {
        self.command(&format_args!("writeq {phys:#x} {value:#x}"));
    }

    /// Writes 64 bits at each of four addresses, then reads 64 bits, in one exchange.
    #[must_use]
    pub fn write64s_and_read(&self, writes: [(u64, u64); 4], read: u64) -> u64 {
        let [(a, av), (b, bv), (c, cv), (d, dv)] = writes;
        self.commands(
            5,
            &format_args!(
                "writeq {a:#x} {av:#x}\nwriteq {b:#x} {bv:#x}\nwriteq {c:#x} {cv:#x}\nwriteq {d:#x} {dv:#x}\nreadq {read:#x}\n"
            ),
        )
    }

    /// Writes a 32-bit register of a function's configuration space, through the ports.
    pub fn write_config(&self, device: vtd::SourceId, register: u8, value: u32) {
        let address = 1 << 31 | u32::from(device.get()) << 8 | u32::from(register);
        self.commands(2, &format_args!("outl 0xcf8 {address:#x}\noutl 0xcfc {value:#x}\n"));
    }

    /// Lets the configuration device do what the request at `phys` (below 4 GiB) says.
    pub(crate) fn start_firmware_dma(&self, phys: u64) {
        let low = u32::try_from(phys).expect("an address below 4 GiB").swap_bytes();
        self.command(&"outl 0x514 0");
        self.command(&format_args!("outl 0x518 {low:#x}"));
    }

    /// The unit's register page at `base`.
    #[must_use]
    pub fn unit(&self, base: u64) -> UnitRegisters {
        UnitRegisters { socket: self.clone(), base, accesses: 0 }
    }
}

/// The registers of a unit behind a socket.
#[derive(Debug)]
pub struct UnitRegisters {
    socket: Socket,
    base: u64,
    /// How many accesses were made.
    pub accesses: u64,
}

impl vtd::Registers for UnitRegisters {
    fn read32(&mut self, offset: u32) -> u32 {
        self.accesses += 1;
        self.socket.read32(self.base + u64::from(offset))
    }
    fn write32(&mut self, offset: u32, value: u32) {
        self.accesses += 1;
        self.socket.write32(self.base + u64::from(offset), value);
    }
    fn read64(&mut self, offset: u32) -> u64 {
        self.accesses += 1;
        self.socket.read64(self.base + u64::from(offset))
    }
    fn write64(&mut self, offset: u32, value: u64) {
        self.accesses += 1;
        self.socket.write64(self.base + u64::from(offset), value);
    }
}

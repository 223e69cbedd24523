// SPDX-License-Identifier: BSD-2-Clause
//! An NVM Express controller, as far as one admin command needs it: a real device with queues of its own in memory,
//! which it reads and writes at bus addresses (NVM Express Base 1.4, sections 3.1, 4 and 5.15).
use vtd::SourceId;

use crate::socket::Socket;

const CONFIGURATION: u64 = 0x14;
const STATUS: u64 = 0x1c;
const QUEUE_ATTRIBUTES: u64 = 0x24;
const SUBMISSION_QUEUE: u64 = 0x28;
const COMPLETION_QUEUE: u64 = 0x30;
const SUBMISSION_DOORBELL: u64 = 0x1000;
/// Enabled, entries of 64 and 16 bytes.
const ENABLE: u32 = 1 | 6 << 16 | 4 << 20;
const READY: u32 = 1;
const FATAL: u32 = 2;
/// Entries of each admin queue.
const ENTRIES: u32 = 16;
/// Polls of a register before the device counts as hung.
const PATIENCE: u32 = 10_000;

/// The bus addresses that the controller is told; each a page.
#[derive(Clone, Copy, Debug)]
pub struct Queues {
    /// Where it reads commands.
    pub submission: u64,
    /// Where it writes completions.
    pub completion: u64,
    /// Where it writes what it says of itself.
    pub answer: u64,
}

/// A controller.
#[derive(Debug)]
pub struct Nvme {
    socket: Socket,
    bar: u64,
    queues: Queues,
    commands: u32,
}

impl Nvme {
    /// The `-device` argument of a controller at `device`.
    #[must_use]
    pub fn argument(device: SourceId) -> String {
        format!("nvme,serial=1,addr={:x}.{:x}", device.devfn() >> 3, device.devfn() & 7)
    }

    /// Places the controller's registers at `bar`, lets it be a bus master, and switches it on.
    #[must_use]
    pub fn start(socket: &Socket, device: SourceId, bar: u32, queues: Queues) -> Self {
        socket.write_config(device, 0x10, bar);
        socket.write_config(device, 0x14, 0);
        socket.write_config(device, 0x04, 0b110);
        let nvme = Self { socket: socket.clone(), bar: bar.into(), queues, commands: 0 };
        nvme.write(QUEUE_ATTRIBUTES, (ENTRIES - 1) | ((ENTRIES - 1) << 16));
        socket.write64(nvme.bar + SUBMISSION_QUEUE, queues.submission);
        socket.write64(nvme.bar + COMPLETION_QUEUE, queues.completion);
        nvme.write(CONFIGURATION, ENABLE);
        assert!(nvme.waits_for(READY), "the controller does not become ready");
        nvme
    }

    fn write(&self, register: u64, value: u32) {
        self.socket.write32(self.bar + register, value);
    }

    fn waits_for(&self, bit: u32) -> bool {
        (0..PATIENCE).any(|_| self.socket.read32(self.bar + STATUS) & bit != 0)
    }

    /// The words of an Identify command for the controller itself, and where in the submission queue it goes.
    #[must_use]
    pub fn identify(&self) -> (u64, [u64; 8]) {
        const IDENTIFY: u64 = 6;
        const CONTROLLER: u64 = 1;
        let words = [IDENTIFY, 0, 0, self.queues.answer, 0, CONTROLLER, 0, 0];
        (u64::from(self.commands % ENTRIES) * 64, words)
    }

    /// Tells the controller that there is another command.
    pub fn ring(&mut self) {
        self.commands += 1;
        self.write(SUBMISSION_DOORBELL, self.commands % ENTRIES);
    }

    /// Returns when the controller says that it cannot go on; false where it never does.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.waits_for(FATAL)
    }

    /// Whether the controller says that it cannot go on.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.socket.read32(self.bar + STATUS) & FATAL != 0
    }
}

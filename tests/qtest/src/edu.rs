// SPDX-License-Identifier: BSD-2-Clause
//! QEMU's `edu` device: DMA on demand, both ways, between memory and a buffer of 4 KiB in the device.
use vtd::SourceId;

use crate::socket::Socket;

/// Offset of the buffer, as the device's own DMA registers name it.
const BUFFER: u64 = 0x4_0000;
const SOURCE: u64 = 0x80;
const DESTINATION: u64 = 0x88;
const COUNT: u64 = 0x90;
const COMMAND: u64 = 0x98;
const START: u64 = 1;
const TO_MEMORY: u64 = 2;
/// Polls of the command register before the device counts as hung.
const PATIENCE: u32 = 100_000;

/// One such device.
#[derive(Clone, Debug)]
pub struct Edu {
    socket: Socket,
    bar: u64,
}

impl Edu {
    /// The `-device` argument of an edu device at `device`.
    #[must_use]
    pub fn argument(device: SourceId) -> String {
        let (slot, function) = (device.devfn() >> 3, device.devfn() & 7);
        format!("edu,addr={slot:x}.{function:x},multifunction=on,dma_mask=0xffffffffffffffff")
    }

    /// Places the device's BAR at `bar` (a multiple of 1 MiB) and lets it be a bus master.
    #[must_use]
    pub fn place(socket: &Socket, device: SourceId, bar: u32) -> Self {
        socket.write_config(device, 0x10, bar);
        socket.write_config(device, 0x04, 0b110);
        Self { socket: socket.clone(), bar: bar.into() }
    }

    fn transfer(&self, source: u64, destination: u64, bytes: u64, command: u64) {
        let settings = [(SOURCE, source), (DESTINATION, destination), (COUNT, bytes), (COMMAND, command)];
        let settings = settings.map(|(register, value)| (self.bar + register, value));
        let state = self.socket.write64s_and_read(settings, self.bar + COMMAND);
        let is_done = |state: u64| state & START == 0;
        let done = is_done(state) || (0..PATIENCE).any(|_| is_done(self.socket.read64(self.bar + COMMAND)));
        assert!(done, "the edu device does not finish");
    }

    /// Reads `bytes` bytes at a bus address into the buffer at byte `to`; QEMU 7.2 takes at most 4095. A denied read
    /// leaves zeros.
    pub fn read(&self, address: u64, to: u64, bytes: u64) {
        self.transfer(address, BUFFER + to, bytes, START);
    }

    /// Writes `bytes` bytes of the buffer from byte `from` to a bus address. A denied write changes nothing.
    pub fn write(&self, address: u64, from: u64, bytes: u64) {
        self.transfer(BUFFER + from, address, bytes, START | TO_MEMORY);
    }
}

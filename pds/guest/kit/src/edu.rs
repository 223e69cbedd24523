// SPDX-License-Identifier: BSD-2-Clause
//! QEMU's `edu` device (QEMU, docs/specs/edu.rst): a buffer of 4 KiB and a DMA engine between it and memory.

use core::ptr::NonNull;

use sel4_microkit::Channel;

use crate::script::signal;

/// Register offsets in BAR 0, in bytes.
mod register {
    pub const IDENTIFICATION: usize = 0x00;
    pub const INTERRUPT_STATUS: usize = 0x24;
    pub const INTERRUPT_ACKNOWLEDGE: usize = 0x64;
    pub const DMA_SOURCE: usize = 0x80;
    pub const DMA_DESTINATION: usize = 0x88;
    pub const DMA_COUNT: usize = 0x90;
    pub const DMA_COMMAND: usize = 0x98;
}

/// Where the device's own buffer begins, in its DMA addresses.
const DEVICE_BUFFER: u64 = 0x4_0000;

/// Command bits: start; from the device to memory; interrupt when done.
const START: u64 = 1 << 0;
const TO_MEMORY: u64 = 1 << 1;
const INTERRUPT: u64 = 1 << 2;

/// The device's registers.
#[derive(Debug)]
pub struct Registers(NonNull<u8>);

impl Registers {
    /// The registers from `base` on.
    ///
    /// # Safety
    /// `base` is the start of the device's BAR 0, mapped uncached for as long as this lives, for its use alone.
    #[must_use]
    pub unsafe fn new(base: NonNull<u8>) -> Self {
        Self(base)
    }

    fn read32(&self, offset: usize) -> u32 {
        // SAFETY: the offset is one of `register`, inside BAR 0 (1 MiB) and aligned to 4 bytes.
        unsafe { self.0.add(offset).cast::<u32>().read_volatile() }
    }

    fn write32(&self, offset: usize, value: u32) {
        // SAFETY: as in `read32`.
        unsafe { self.0.add(offset).cast::<u32>().write_volatile(value) }
    }

    fn write64(&self, offset: usize, value: u64) {
        // SAFETY: as in `read32`; the DMA registers are aligned to 8 bytes.
        unsafe { self.0.add(offset).cast::<u64>().write_volatile(value) }
    }
}

/// What the device does to memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// It reads memory into its buffer.
    ReadMemory,
    /// It writes its buffer to memory.
    WriteMemory,
}

/// The device.
#[derive(Debug)]
pub struct Edu {
    registers: Registers,
    irq: Channel,
}

impl Edu {
    /// The most that one transfer takes, in bytes: QEMU 7.2 refuses the whole buffer of 4,096.
    pub const MAX_TRANSFER: u64 = 4095;

    /// The device with these registers, whose interrupt comes on the channel `irq`.
    #[must_use]
    pub fn new(registers: Registers, irq: Channel) -> Self {
        Self { registers, irq }
    }

    /// Whether the device is there: its identification is 0xRRrr00ed.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.registers.read32(register::IDENTIFICATION) & 0xffff == 0x00ed
    }

    /// The device reads `bytes` bytes of memory at `address` into its buffer. It does not say whether it could.
    pub async fn read_memory(&mut self, address: u64, bytes: u64) {
        self.transfer(Transfer::ReadMemory, address, bytes).await;
    }

    /// The device writes `bytes` bytes of its buffer to memory at `address`. It does not say whether it could.
    pub async fn write_memory(&mut self, address: u64, bytes: u64) {
        self.transfer(Transfer::WriteMemory, address, bytes).await;
    }

    async fn transfer(&mut self, transfer: Transfer, address: u64, bytes: u64) {
        self.start(transfer, address, bytes);
        loop {
            signal(self.irq).await;
            if self.acknowledge() {
                break;
            }
        }
    }

    /// Starts a transfer of `bytes` bytes, at most [`MAX_TRANSFER`](Self::MAX_TRANSFER). An interrupt tells its end.
    pub fn start(&mut self, transfer: Transfer, address: u64, bytes: u64) {
        let (source, destination, direction) = match transfer {
            Transfer::ReadMemory => (address, DEVICE_BUFFER, 0),
            Transfer::WriteMemory => (DEVICE_BUFFER, address, TO_MEMORY),
        };
        self.registers.write64(register::DMA_SOURCE, source);
        self.registers.write64(register::DMA_DESTINATION, destination);
        self.registers.write64(register::DMA_COUNT, bytes.min(Self::MAX_TRANSFER));
        self.registers.write64(register::DMA_COMMAND, START | direction | INTERRUPT);
    }

    /// Takes the interrupt back that told the end of a transfer, and lets it come again. Says whether it was the device
    /// that sent it: others may send the same message.
    pub fn acknowledge(&mut self) -> bool {
        let status = self.registers.read32(register::INTERRUPT_STATUS);
        self.registers.write32(register::INTERRUPT_ACKNOWLEDGE, status);
        // The interrupt was ours, so acknowledging it does not fail.
        let _ = self.irq.irq_ack();
        status != 0
    }

    /// Whether a transfer is under way.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.registers.read32(register::DMA_COMMAND) & 1 != 0
    }
}

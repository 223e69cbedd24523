// SPDX-License-Identifier: BSD-2-Clause
//! A 16550 UART on I/O ports, for sending only.

use microkit_ioport::IoPort;

/// Registers, as offsets from the base (16550D, table II).
mod register {
    pub const TRANSMIT: u16 = 0;
    pub const INTERRUPT_ENABLE: u16 = 1;
    pub const FIFO_CONTROL: u16 = 2;
    pub const LINE_CONTROL: u16 = 3;
    pub const LINE_STATUS: u16 = 5;
}

/// The line status bit of an empty transmitter.
const TRANSMITTER_EMPTY: u8 = 1 << 5;

/// How often the status is read before a byte is given up: at 115,200 baud a byte takes 87 µs, and a read of a
/// port about 1 µs.
const POLL_LIMIT: u32 = 10_000;

pub struct Uart {
    port: IoPort,
    base: u16,
}

impl Uart {
    /// Sets the UART at `base` up: 115,200 baud, 8 data bits, no parity, one stop bit, no interrupts.
    pub fn new(port: IoPort, base: u16) -> Self {
        let uart = Self { port, base };
        uart.write(register::INTERRUPT_ENABLE, 0);
        // The divisor latch takes the place of the first two registers: divisor 1.
        uart.write(register::LINE_CONTROL, 0x80);
        uart.write(register::TRANSMIT, 1);
        uart.write(register::INTERRUPT_ENABLE, 0);
        uart.write(register::LINE_CONTROL, 0x03);
        uart.write(register::FIFO_CONTROL, 0x07);
        uart
    }

    /// Sends bytes. One that the UART does not take in a bounded time is dropped.
    pub fn send(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let ready = (0..POLL_LIMIT).any(|_| self.read(register::LINE_STATUS) & TRANSMITTER_EMPTY != 0);
            if ready {
                self.write(register::TRANSMIT, byte);
            }
        }
    }

    fn read(&self, register: u16) -> u8 {
        // The ports are in system.xml; were they not, the line would look as if nothing were there.
        self.port.in8(self.base + register).unwrap_or(u8::MAX)
    }

    fn write(&self, register: u16, value: u8) {
        // As in `read`: there is nobody to tell.
        let _ = self.port.out8(self.base + register, value);
    }
}

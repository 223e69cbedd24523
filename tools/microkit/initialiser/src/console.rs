// SPDX-License-Identifier: BSD-2-Clause
//! The first serial port, through the root task's I/O port capability: it prints whatever the kernel was built with.

use core::fmt::{self, Write};

use sel4_abi::{BootInfo, IoPort};

const COM1: u16 = 0x3f8;
const INTERRUPT_ENABLE: u16 = COM1 + 1;
const LINE_CONTROL: u16 = COM1 + 3;
const LINE_STATUS: u16 = COM1 + 5;
/// Line status: the transmitter takes a byte.
const TRANSMIT_READY: u8 = 1 << 5;
/// Line control: eight bits, no parity, one stop bit.
const EIGHT_BITS: u8 = 3;
/// How often the status is read for one byte: far longer than a byte takes at 9600 baud. Then the byte is lost.
const PATIENCE: u32 = 100_000;
/// QEMU's `isa-debug-exit`: writing n ends QEMU with status n << 1 | 1.
const DEBUG_EXIT: u16 = 0xf4;

const PORTS: IoPort = IoPort(BootInfo::IO_PORTS);

/// Sets the line up; the speed stays what the firmware or the kernel made it.
pub fn init() {
    // The root task has every port: none is refused.
    let _ = PORTS.out8(INTERRUPT_ENABLE, 0);
    let _ = PORTS.out8(LINE_CONTROL, EIGHT_BITS);
}

struct Serial;

impl Write for Serial {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if byte == b'\n' {
                put(b'\r');
            }
            put(byte);
        }
        Ok(())
    }
}

fn put(byte: u8) {
    let ready = || PORTS.in8(LINE_STATUS).is_ok_and(|status| status & TRANSMIT_READY != 0);
    if (0..PATIENCE).any(|_| ready()) {
        let _ = PORTS.out8(COM1, byte);
    }
}

/// Prints a line.
pub fn print_line(args: fmt::Arguments<'_>) {
    let _ = Serial.write_fmt(args);
    let _ = Serial.write_str("\n");
}

/// Ends QEMU with `code << 1 | 1`, where the debug exit port is there.
pub fn debug_exit(code: u32) {
    let _ = PORTS.out32(DEBUG_EXIT, code);
}

/// Prints a line to the serial port.
macro_rules! println {
    ($($arg:tt)*) => { $crate::console::print_line(::core::format_args!($($arg)*)) };
}
pub(crate) use println;

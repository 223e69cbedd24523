// SPDX-License-Identifier: BSD-2-Clause
//! One domain's log, cut into lines.

use core::fmt::Write;

use heapless::String;
use log_ring::{LogReader, LogRing, RING_BYTES};

use crate::uart::Uart;

/// The longest line that is kept whole, in bytes.
const LINE: usize = 200;
/// The width of the column of names.
const COLUMN: usize = 12;
/// How much is taken from the ring at a time.
const CHUNK: usize = 256;

pub struct Printer {
    name: &'static str,
    reader: LogReader<'static>,
    line: String<LINE>,
}

impl Printer {
    pub fn new(name: &'static str, ring: &'static LogRing) -> Self {
        Self { name, reader: LogReader::new(ring), line: String::new() }
    }

    /// Prints the lines that are complete; at most one ring full of them.
    pub fn print(&mut self, uart: &mut Uart) {
        let mut buffer = [0; CHUNK];
        for _ in 0..RING_BYTES.div_ceil(CHUNK) {
            let (lost, bytes) = self.reader.read(&mut buffer);
            if lost > 0 {
                self.end_line(uart);
                // The line holds the text, which is short.
                let _ = write!(self.line, "({lost} bytes of this log were overwritten)");
                self.end_line(uart);
            }
            if bytes.is_empty() {
                return;
            }
            for &byte in bytes {
                self.take(byte, uart);
            }
        }
    }

    fn take(&mut self, byte: u8, uart: &mut Uart) {
        if byte == b'\n' {
            self.end_line(uart);
            return;
        }
        // A domain sends text alone: no control sequence of its own making reaches the terminal.
        let shown = if byte == b' ' || byte.is_ascii_graphic() { char::from(byte) } else { '?' };
        if self.line.push(shown).is_err() {
            self.end_line(uart);
            // An empty line has room for one character.
            let _ = self.line.push(shown);
        }
    }

    fn end_line(&mut self, uart: &mut Uart) {
        if self.line.is_empty() {
            return;
        }
        uart.send(self.name.as_bytes());
        (self.name.len()..COLUMN).for_each(|_| uart.send(b" "));
        uart.send(b"| ");
        uart.send(self.line.as_bytes());
        uart.send(b"\r\n");
        self.line.clear();
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! The ring itself.

use core::sync::atomic::{AtomicU8, AtomicU64, Ordering, fence};

/// The size of a ring's memory region, in bytes.
pub const RING_BYTES: usize = 0x4000;

const CAPACITY: usize = RING_BYTES - size_of::<u64>();
const CAPACITY_U64: u64 = CAPACITY as u64;

/// The writer publishes at least every so many bytes.
const CHUNK: usize = 128;

/// How many of the last bytes a reader may take: a chunk less than there are, because the writer may be
/// overwriting the oldest ones with a chunk that it has not published yet.
const WINDOW: u64 = (CAPACITY - CHUNK) as u64;

/// A ring of log bytes, as it lies in its memory region. All zero is an empty one.
#[derive(Debug)]
#[repr(C)]
pub struct LogRing {
    /// How many bytes were ever written.
    written: AtomicU64,
    bytes: [AtomicU8; CAPACITY],
}

impl Default for LogRing {
    fn default() -> Self {
        Self { written: AtomicU64::new(0), bytes: [const { AtomicU8::new(0) }; CAPACITY] }
    }
}

impl LogRing {
    fn byte(&self, position: u64) -> &AtomicU8 {
        &self.bytes[(position % CAPACITY_U64) as usize]
    }
}

/// The domain's end. Goes on where the ring's last writer stopped.
#[derive(Clone, Copy, Debug)]
pub struct LogWriter<'a>(&'a LogRing);

impl<'a> LogWriter<'a> {
    /// The one writer of `ring`.
    #[must_use]
    pub fn new(ring: &'a LogRing) -> Self {
        Self(ring)
    }

    /// Appends bytes. Never waits.
    pub fn write(&self, bytes: &[u8]) {
        let mut position = self.0.written.load(Ordering::Relaxed);
        for chunk in bytes.chunks(CHUNK) {
            for &byte in chunk {
                self.0.byte(position).store(byte, Ordering::Relaxed);
                position = position.wrapping_add(1);
            }
            self.0.written.store(position, Ordering::Release);
            // A reader that sees a byte of the next chunk also sees the count above.
            fence(Ordering::Release);
        }
    }
}

impl core::fmt::Write for LogWriter<'_> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.write(text.as_bytes());
        Ok(())
    }
}

/// The console's end.
#[derive(Debug)]
pub struct LogReader<'a> {
    ring: &'a LogRing,
    taken: u64,
}

impl<'a> LogReader<'a> {
    /// A reader that begins with the oldest byte that is still there.
    #[must_use]
    pub fn new(ring: &'a LogRing) -> Self {
        Self { ring, taken: 0 }
    }

    /// Takes what was written, as much as fits `buffer`; and how many bytes were missed just before it.
    pub fn read<'b>(&mut self, buffer: &'b mut [u8]) -> (u64, &'b [u8]) {
        let written = self.ring.written.load(Ordering::Acquire);
        // A writer that lies about its count harms its own log alone.
        let mut lost = written.saturating_sub(WINDOW).saturating_sub(self.taken);
        self.taken += lost;
        let available = usize::try_from(written.saturating_sub(self.taken)).unwrap_or(usize::MAX);
        let len = available.min(buffer.len());
        let mut position = self.taken;
        for slot in &mut buffer[..len] {
            *slot = self.ring.byte(position).load(Ordering::Relaxed);
            position = position.wrapping_add(1);
        }
        fence(Ordering::Acquire);
        // What was overwritten meanwhile is lost, too.
        let now = self.ring.written.load(Ordering::Relaxed);
        let overrun =
            now.saturating_sub(WINDOW).saturating_sub(self.taken).min(position.wrapping_sub(self.taken));
        lost += overrun;
        self.taken = position;
        (lost, &buffer[usize::try_from(overrun).unwrap_or(len).min(len)..len])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::fmt::Write;
    use std::process::Command;

    #[test]
    fn what_is_written_is_read_once() {
        let ring = LogRing::default();
        let mut reader = LogReader::new(&ring);
        let mut buffer = [0; 64];
        assert_eq!(reader.read(&mut buffer), (0, &b""[..]));
        write!(LogWriter::new(&ring), "hello {}", 7).unwrap();
        assert_eq!(reader.read(&mut buffer), (0, &b"hello 7"[..]));
        assert_eq!(reader.read(&mut buffer), (0, &b""[..]));
    }

    #[test]
    fn a_small_buffer_takes_the_rest_the_next_time() {
        let ring = LogRing::default();
        LogWriter::new(&ring).write(b"abcdef");
        let mut reader = LogReader::new(&ring);
        let mut buffer = [0; 4];
        assert_eq!(reader.read(&mut buffer), (0, &b"abcd"[..]));
        assert_eq!(reader.read(&mut buffer), (0, &b"ef"[..]));
    }

    #[test]
    fn a_reader_that_was_too_slow_learns_how_much_it_missed() {
        let ring = LogRing::default();
        let writer = LogWriter::new(&ring);
        writer.write(&[b'x'; CAPACITY]);
        writer.write(b"new");
        let mut reader = LogReader::new(&ring);
        let mut buffer = [0; RING_BYTES];
        let (lost, bytes) = reader.read(&mut buffer);
        assert_eq!(lost, u64::try_from(CHUNK + 3).unwrap());
        assert_eq!(bytes.len(), CAPACITY - CHUNK);
        assert!(bytes.ends_with(b"new"));
    }

    #[test]
    fn a_count_out_of_thin_air_is_survived() {
        let ring = LogRing::default();
        ring.written.store(u64::MAX, Ordering::Relaxed);
        let mut reader = LogReader::new(&ring);
        let mut buffer = [0; 64];
        assert_eq!(reader.read(&mut buffer).1.len(), 64);
        ring.written.store(5, Ordering::Relaxed);
        assert_eq!(reader.read(&mut buffer), (0, &b""[..]));
    }

    #[test]
    fn the_ring_fills_its_region() {
        assert_eq!(size_of::<LogRing>(), RING_BYTES);
    }

    /// A ring to which a C program has written a line, then `text` so many times.
    fn written_in_c(text: &str, times: usize) -> LogRing {
        let program = format!(
            r#"#include <log_ring.h>
            #include <stdio.h>
            static struct log_ring ring;
            int main(void)
            {{
                log_ring_write(&ring, "first\n");
                for (unsigned i = 0; i < {times}; i++) {{
                    log_ring_write(&ring, {text:?});
                }}
                return fwrite((void *)&ring, sizeof ring, 1, stdout) != 1;
            }}"#
        );
        let folder = tempfile::tempdir().unwrap();
        let (source, binary) = (folder.path().join("log.c"), folder.path().join("log"));
        std::fs::write(&source, program).unwrap();
        let include = concat!(env!("CARGO_MANIFEST_DIR"), "/include");
        let flags = ["-std=c11", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-I", include];
        let gcc = Command::new("gcc").args(flags).arg(&source).arg("-o").arg(&binary).output().unwrap();
        assert!(gcc.status.success(), "{}", String::from_utf8_lossy(&gcc.stderr));
        let output = Command::new(&binary).output().unwrap();
        assert!(output.status.success());
        let (written, bytes) = output.stdout.split_first_chunk().unwrap();
        assert_eq!(bytes.len(), CAPACITY);
        let ring = LogRing::default();
        ring.written.store(u64::from_le_bytes(*written), Ordering::Relaxed);
        ring.bytes.iter().zip(bytes).for_each(|(to, &from)| to.store(from, Ordering::Relaxed));
        ring
    }

    #[test]
    fn what_c_writes_is_read() {
        // Longer than a chunk.
        let text = "0123456789".repeat(20);
        let mut buffer = [0; 512];
        let expected = format!("first\n{text}");
        assert_eq!(LogReader::new(&written_in_c(&text, 1)).read(&mut buffer), (0, expected.as_bytes()));
        // Longer than the ring: what is left is its end.
        let ring = written_in_c(&text, 100);
        let text = text.repeat(100);
        let mut buffer = [0; RING_BYTES];
        let (lost, bytes) = LogReader::new(&ring).read(&mut buffer);
        assert_eq!(lost, 6 + text.len() as u64 - WINDOW);
        assert!(bytes == &text.as_bytes()[text.len() - bytes.len()..]);
    }
}

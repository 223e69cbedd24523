// SPDX-License-Identifier: BSD-2-Clause
//! Which store an x86 instruction is: enough of the instruction set to emulate a write to a register.
//!
//! The processor says at which guest-physical address a guest wrote, not what, nor how long the instruction is. A
//! driver writes registers by MOV from a general register or a constant; nothing else is understood, and what is not
//! understood is said to be so.

/// The longest instruction, in bytes (Intel SDM 2A, 2.3.11).
pub const LONGEST: usize = 15;

/// A store to memory, in 32-bit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Store {
    /// The instruction's length in bytes.
    pub len: u64,
    /// How many bytes it stores: 1, 2 or 4.
    pub width: u8,
    /// What it stores.
    pub source: Source,
}

/// What is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A general register: 0…7 is eax, ecx, edx, ebx, esp, ebp, esi, edi. With a width of 1, 4…7 are ah, ch, dh, bh.
    Register(u8),
    /// A constant.
    Constant(u32),
}

/// The store that `code` begins with; `None` where it is none, is one of another kind, or is cut off.
#[must_use]
pub fn store(code: &[u8]) -> Option<Store> {
    let mut code = Code { bytes: code.get(..LONGEST).unwrap_or(code), at: 0 };
    let mut word = 4;
    let opcode = loop {
        match code.byte()? {
            // Segments; the address is known already.
            0x26 | 0x2e | 0x36 | 0x3e | 0x64 | 0x65 => {}
            0x66 => word = 2,
            opcode => break opcode,
        }
    };
    let width = if opcode & 1 == 0 { 1 } else { word };
    let source = match opcode {
        // MOV r/m, r.
        0x88 | 0x89 => Source::Register(code.operand()?),
        // MOV r/m, constant: the field that names a register elsewhere is zero.
        0xc6 | 0xc7 if code.operand()? == 0 => Source::Constant(code.number(width)?),
        // MOV [address], eax.
        0xa2 | 0xa3 => {
            code.number(4)?;
            Source::Register(0)
        }
        _ => return None,
    };
    Some(Store { len: code.at as u64, width, source })
}

struct Code<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Code<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// A little-endian number of 1, 2 or 4 bytes.
    fn number(&mut self, bytes: u8) -> Option<u32> {
        (0..u32::from(bytes)).try_fold(0, |number, i| Some(number | u32::from(self.byte()?) << (8 * i)))
    }

    /// Skips an operand in memory; gives the register field beside it.
    fn operand(&mut self) -> Option<u8> {
        let modrm = self.byte()?;
        let (mode, register, base) = (modrm >> 6, modrm >> 3 & 7, modrm & 7);
        let base = if mode != 3 && base == 4 { self.byte()? & 7 } else { base };
        match mode {
            0 if base == 5 => drop(self.number(4)?),
            0 => {}
            1 => drop(self.number(1)?),
            2 => drop(self.number(4)?),
            // A register: no store to memory.
            _ => return None,
        }
        Some(register)
    }
}

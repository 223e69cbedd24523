// SPDX-License-Identifier: BSD-2-Clause
//! Which store an x86 instruction is: enough of the instruction set to emulate a write to a register.
//!
//! The processor says at which guest-physical address a guest wrote, not what, nor how long the instruction is. A
//! driver writes registers by MOV from a general register or a constant; nothing else is understood, and what is not
//! understood is said to be so.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

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

#[cfg(test)]
mod tests {
    use super::*;

    fn is(code: &[u8], width: u8, source: Source) {
        let len = code.len() as u64;
        let expected = Some(Store { len, width, source });
        assert_eq!(store(code), expected, "{code:02x?}");
        // What follows does not matter, and a cut-off instruction is none.
        assert_eq!(store(&[code, &[0x90; 4]].concat()), expected, "{code:02x?}");
        for cut in 0..code.len() {
            assert_eq!(store(&code[..cut]), None, "{:02x?}", &code[..cut]);
        }
    }

    #[test]
    fn the_ways_in_which_a_driver_writes_a_register() {
        use Source::{Constant, Register};
        // mov [0xfed90e00], eax · mov dword [0xfed90e00], 1 · mov [0xfed90e04], edx
        is(&[0xa3, 0x00, 0x0e, 0xd9, 0xfe], 4, Register(0));
        is(&[0xc7, 0x05, 0x00, 0x0e, 0xd9, 0xfe, 1, 0, 0, 0], 4, Constant(1));
        is(&[0x89, 0x15, 0x04, 0x0e, 0xd9, 0xfe], 4, Register(2));
        // mov [ebx], ecx · mov [ebx+4], esi · mov [ebx+0x100], edi · mov [esp+8], eax · mov [eax*4+0x10], ebx
        is(&[0x89, 0x0b], 4, Register(1));
        is(&[0x89, 0x73, 0x04], 4, Register(6));
        is(&[0x89, 0xbb, 0, 1, 0, 0], 4, Register(7));
        is(&[0x89, 0x44, 0x24, 0x08], 4, Register(0));
        is(&[0x89, 0x1c, 0x85, 0x10, 0, 0, 0], 4, Register(3));
        // Narrow ones and prefixes: mov word [ebx], 0x1234 · mov [ebx], al · mov byte gs:[ebx], 5
        is(&[0x66, 0xc7, 0x03, 0x34, 0x12], 2, Constant(0x1234));
        is(&[0x88, 0x03], 1, Register(0));
        is(&[0x65, 0xc6, 0x03, 5], 1, Constant(5));
    }

    #[test]
    fn other_instructions_are_none() {
        // mov eax, [ebx] · mov eax, ebx · add [ebx], eax · rep movsd · prefixes without end · nothing
        for code in [&[0x8b, 0x03][..], &[0x89, 0xd8], &[0x01, 0x03], &[0xf3, 0xa5], &[0x66; 64], &[]] {
            assert_eq!(store(code), None, "{code:02x?}");
        }
        // C7 with another register field is no MOV.
        assert_eq!(store(&[0xc7, 0x0b, 1, 0, 0, 0]), None);
    }

    #[test]
    fn any_three_bytes_give_a_length_within_bounds() {
        for start in 0u32..1 << 24 {
            let [a, b, c, _] = start.to_le_bytes();
            let mut code = [0; 20];
            code[..3].copy_from_slice(&[a, b, c]);
            if let Some(store) = store(&code) {
                assert!((2..=LONGEST as u64).contains(&store.len));
                assert!([1, 2, 4].contains(&store.width));
            }
        }
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! The decoder of stores, against a table of encodings and against another decoder.

use iced_x86::{Code, Decoder, DecoderOptions, OpKind, Register};
use vmm_machine::decoder::{LONGEST, Source, Store, store};

fn is(text: &str, code: &[u8], width: u8, source: Source) {
    let len = code.len() as u64;
    let expected = Some(Store { len, width, source });
    assert_eq!(store(code), expected, "{text}");
    // What follows does not matter, and a cut-off instruction is none.
    assert_eq!(store(&[code, &[0x90; 4]].concat()), expected, "{text}");
    for cut in 0..code.len() {
        assert_eq!(store(&code[..cut]), None, "{text}, {cut} bytes of it");
    }
    assert_eq!(other(code), expected, "{text}, by the other decoder");
}

#[test]
fn the_ways_in_which_a_driver_writes_a_register() {
    use Source::{Constant, Register};
    is("mov [0xfed90e00], eax", &[0xa3, 0x00, 0x0e, 0xd9, 0xfe], 4, Register(0));
    is("mov dword [0xfed90e00], 1", &[0xc7, 0x05, 0x00, 0x0e, 0xd9, 0xfe, 1, 0, 0, 0], 4, Constant(1));
    is("mov [0xfed90e04], edx", &[0x89, 0x15, 0x04, 0x0e, 0xd9, 0xfe], 4, Register(2));
    is("mov [ebx], ecx", &[0x89, 0x0b], 4, Register(1));
    is("mov [ebx+4], esi", &[0x89, 0x73, 0x04], 4, Register(6));
    is("mov [ebx+0x100], edi", &[0x89, 0xbb, 0, 1, 0, 0], 4, Register(7));
    is("mov [esp+8], eax", &[0x89, 0x44, 0x24, 0x08], 4, Register(0));
    is("mov [eax*4+0x10], ebx", &[0x89, 0x1c, 0x85, 0x10, 0, 0, 0], 4, Register(3));
    is("mov [ebp+eax*2+1], esp", &[0x89, 0x64, 0x45, 1], 4, Register(4));
    is("mov word [ebx], 0x1234", &[0x66, 0xc7, 0x03, 0x34, 0x12], 2, Constant(0x1234));
    is("mov [ebx], al", &[0x88, 0x03], 1, Register(0));
    is("mov [ebx], bh", &[0x88, 0x3b], 1, Register(7));
    is("mov byte gs:[ebx], 5", &[0x65, 0xc6, 0x03, 5], 1, Constant(5));
    is("mov [0x10], al", &[0xa2, 0x10, 0, 0, 0], 1, Register(0));
}

#[test]
fn other_instructions_are_none() {
    for (text, code) in [
        ("mov eax, [ebx]", &[0x8b, 0x03][..]),
        ("mov eax, ebx", &[0x89, 0xd8]),
        ("add [ebx], eax", &[0x01, 0x03]),
        ("rep movsd", &[0xf3, 0xa5]),
        ("xchg [ebx], eax", &[0x87, 0x03]),
        ("lock mov [ebx], eax", &[0xf0, 0x89, 0x03]),
        ("mov [bx], eax", &[0x67, 0x89, 0x07]),
        ("C7 /1", &[0xc7, 0x0b, 1, 0, 0, 0]),
        ("prefixes without end", &[0x66; 64]),
        ("nothing", &[]),
    ] {
        assert_eq!(store(code), None, "{text}");
        assert_eq!(other(code), None, "{text}, by the other decoder");
    }
}

/// What another decoder makes of it: a store by MOV from a general register or a constant, and nothing else.
fn other(code: &[u8]) -> Option<Store> {
    // Prefixes of which there is none on a store to a register: address size, LOCK, REP.
    let prefix = |byte: &&u8| matches!(byte, 0x26 | 0x2e | 0x36 | 0x3e | 0x64..=0x67 | 0xf0 | 0xf2 | 0xf3);
    if code.iter().take_while(prefix).any(|byte| matches!(byte, 0x67 | 0xf0 | 0xf2 | 0xf3)) {
        return None;
    }
    let instruction = Decoder::new(32, code, DecoderOptions::NONE).decode();
    let width = match instruction.code() {
        Code::Mov_rm8_r8 | Code::Mov_rm8_imm8 | Code::Mov_moffs8_AL => 1,
        Code::Mov_rm16_r16 | Code::Mov_rm16_imm16 | Code::Mov_moffs16_AX => 2,
        Code::Mov_rm32_r32 | Code::Mov_rm32_imm32 | Code::Mov_moffs32_EAX => 4,
        _ => return None,
    };
    if instruction.op0_kind() != OpKind::Memory {
        return None;
    }
    let source = match instruction.op1_kind() {
        OpKind::Register => {
            let register = instruction.op1_register();
            let first = match width {
                1 => Register::AL,
                2 => Register::AX,
                _ => Register::EAX,
            };
            Source::Register(u8::try_from(register as u32 - first as u32).expect("one of eight"))
        }
        _ => Source::Constant(u32::try_from(instruction.immediate(1)).expect("32 bits")),
    };
    Some(Store { len: instruction.len() as u64, width, source })
}

#[test]
fn every_address_of_every_store_is_read_as_another_decoder_reads_it() {
    for opcode in [0x88, 0x89, 0xa2, 0xa3, 0xc6, 0xc7] {
        for prefix in [&[][..], &[0x66], &[0x26], &[0x66, 0x66], &[0x64, 0x66]] {
            for modrm in 0..=255u8 {
                for sib in 0..=255u8 {
                    let code =
                        [prefix, &[opcode, modrm, sib], &[0x81, 2, 3, 0x84, 5, 6, 7, 8, 9, 10]].concat();
                    assert_eq!(store(&code), other(&code), "{code:02x?}");
                }
            }
        }
    }
}

/// Random instructions, most of which begin like a store: the two decoders agree on each, and none makes ours panic.
fn random_instructions(count: u64) {
    const LIKELY: [u8; 24] = [
        0x88, 0x89, 0xa2, 0xa3, 0xc6, 0xc7, 0x66, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x67, 0xf0, 0xf2, 0xf3,
        0x0f, 0x8b, 0xc4, 0xc5, 0x62, 0x8f, 0x48,
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state ^ state >> 29
    };
    let mut stores = 0;
    for _ in 0..count {
        let bytes = (u128::from(next()) << 64 | u128::from(next())).to_le_bytes();
        let choice = next();
        let likely = (choice & 7) as usize;
        let mut code = [0; LONGEST + 1];
        for (place, (byte, random)) in code.iter_mut().zip(bytes).enumerate() {
            *byte = if place < likely { LIKELY[usize::from(random) % LIKELY.len()] } else { random };
        }
        let code = &code[..(choice >> 3) as usize % (code.len() + 1)];
        let ours = store(code);
        assert_eq!(ours, other(&code[..code.len().min(LONGEST)]), "{code:02x?}");
        stores += u64::from(ours.is_some());
    }
    assert!(stores > count / 50, "{stores} of {count} were stores");
}

#[test]
fn any_fifteen_bytes_are_read_as_another_decoder_reads_them() {
    random_instructions(500_000);
}

/// `cargo test --release -p vmm-machine -- --ignored`: as above, for some minutes.
#[test]
#[ignore = "takes minutes"]
fn any_fifteen_bytes_at_length() {
    random_instructions(200_000_000);
}

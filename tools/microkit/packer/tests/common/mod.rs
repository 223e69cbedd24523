// SPDX-License-Identifier: BSD-2-Clause
//! Small ELF files and systems to pack.

use std::{collections::HashMap, io};

use microkit_packer::{PackError, Packed};
use object::{
    LittleEndian as LE, U16, U32, U64, elf,
    pod::{bytes_of, bytes_of_slice},
};
use sdf::System;

/// A segment of an [`Elf`].
#[derive(Clone)]
pub struct Segment {
    pub kind: elf::ProgramType,
    pub flags: elf::ProgramFlags,
    pub vaddr: u64,
    pub data: Vec<u8>,
    pub memsz: u64,
}

/// What an ELF file for a test says.
#[derive(Clone)]
pub struct Elf {
    pub machine: elf::Machine,
    pub kind: elf::FileType,
    pub entry: u64,
    pub segments: Vec<Segment>,
    /// Name, address, bytes.
    pub symbols: Vec<(&'static str, u64, u64)>,
}

pub const CODE: u64 = 0x20_0000;
pub const DATA: u64 = 0x20_1000;

impl Elf {
    /// A program with a page of code and one of data, a variable `var` there and the runtime's symbols.
    pub fn program() -> Self {
        let segment =
            |flags, vaddr, data: Vec<u8>, memsz| Segment { kind: elf::PT_LOAD, flags, vaddr, data, memsz };
        Self {
            machine: elf::EM_X86_64,
            kind: elf::ET_EXEC,
            entry: CODE + 4,
            segments: vec![
                segment(elf::PF_R | elf::PF_X, CODE, b"code of the program".to_vec(), 0x20),
                segment(elf::PF_R | elf::PF_W, DATA, vec![0xdd; 0x100], 0x1800),
            ],
            symbols: vec![
                ("var", DATA, 8),
                ("other_var", DATA + 8, 8),
                ("small", DATA + 16, 4),
                ("in_code", CODE, 8),
                ("zeroed", DATA + 0x1000, 8),
                ("nowhere", 0x100, 8),
                ("microkit_name", DATA + 0x20, 64),
                ("microkit_passive", DATA + 0x60, 1),
                ("microkit_irqs", DATA + 0x68, 8),
                ("microkit_notifications", DATA + 0x70, 8),
                ("microkit_pps", DATA + 0x78, 8),
                ("microkit_ioports", DATA + 0x80, 8),
                ("microkit_image", DATA + 0x88, 16),
            ],
        }
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut strings = vec![0];
        let mut symbols = vec![elf::Sym64::<LE>::default()];
        for (name, address, size) in &self.symbols {
            symbols.push(elf::Sym64 {
                st_name: word(strings.len()),
                st_info: elf::SymbolInfo(1),
                st_shndx: U16::new(LE, elf::SymbolSection(1)),
                st_value: U64::new(LE, *address),
                st_size: U64::new(LE, *size),
                ..Default::default()
            });
            strings.extend_from_slice(name.as_bytes());
            strings.push(0);
        }
        let headers_len = 64 + 56 * self.segments.len();
        let mut body = Vec::new();
        let mut place = |bytes: &[u8]| {
            body.resize(body.len().next_multiple_of(0x1000), 0);
            let offset = 0x1000 + body.len();
            body.extend_from_slice(bytes);
            offset as u64
        };
        let segments: Vec<_> = self
            .segments
            .iter()
            .map(|segment| elf::ProgramHeader64 {
                p_type: U32::new(LE, segment.kind),
                p_flags: U32::new(LE, segment.flags),
                p_offset: U64::new(LE, place(&segment.data)),
                p_vaddr: U64::new(LE, segment.vaddr),
                p_paddr: U64::new(LE, segment.vaddr),
                p_filesz: U64::new(LE, segment.data.len() as u64),
                p_memsz: U64::new(LE, segment.memsz),
                p_align: U64::new(LE, 0x1000),
            })
            .collect();
        let section = |kind, offset, size: usize, link, entry| elf::SectionHeader64 {
            sh_name: word(0),
            sh_type: U32::new(LE, kind),
            sh_flags: U64::new(LE, elf::SectionFlags(0)),
            sh_addr: U64::new(LE, 0),
            sh_offset: U64::new(LE, offset),
            sh_size: U64::new(LE, size as u64),
            sh_link: word(link),
            sh_info: word(1),
            sh_addralign: U64::new(LE, 8),
            sh_entsize: U64::new(LE, entry),
        };
        let symbol_bytes = bytes_of_slice(&symbols);
        let sections = [
            section(elf::SHT_NULL, 0, 0, 0, 0),
            section(elf::SHT_SYMTAB, place(symbol_bytes), symbol_bytes.len(), 2, 24),
            section(elf::SHT_STRTAB, place(&strings), strings.len(), 0, 0),
        ];
        let sections_at = place(bytes_of_slice(&sections));
        let header = elf::FileHeader64 {
            e_ident: elf::Ident {
                magic: elf::ELFMAG,
                class: elf::ELFCLASS64,
                data: elf::ELFDATA2LSB,
                version: elf::EV_CURRENT,
                os_abi: elf::ELFOSABI_SYSV,
                abi_version: 0,
                padding: [0; 7],
            },
            e_type: U16::new(LE, self.kind),
            e_machine: U16::new(LE, self.machine),
            e_version: word(1),
            e_entry: U64::new(LE, self.entry),
            e_phoff: U64::new(LE, 64),
            e_shoff: U64::new(LE, sections_at),
            e_flags: U32::new(LE, elf::FileFlags(0)),
            e_ehsize: half(64),
            e_phentsize: half(56),
            e_phnum: half(segments.len()),
            e_shentsize: half(64),
            e_shnum: half(sections.len()),
            e_shstrndx: U16::new(LE, elf::SymbolSection(2)),
        };
        let mut out = [bytes_of(&header), bytes_of_slice(&segments)].concat();
        assert_eq!(out.len(), headers_len);
        out.resize(0x1000, 0);
        out.extend_from_slice(&body);
        out
    }
}

fn word(n: usize) -> U32<LE> {
    U32::new(LE, u32::try_from(n).expect("the numbers of a test are small"))
}

fn half(n: usize) -> U16<LE> {
    U16::new(LE, u16::try_from(n).expect("the numbers of a test are small"))
}

/// Files by name.
pub type Files = HashMap<&'static str, Vec<u8>>;

/// The program as `a.elf` and `b.elf`.
pub fn files() -> Files {
    HashMap::from([("a.elf", Elf::program().bytes()), ("b.elf", Elf::program().bytes())])
}

/// Packs the elements of a `<system>`.
pub fn pack(elements: &str, files: &Files) -> Result<Packed, PackError> {
    let text = format!("<system>\n{elements}\n</system>");
    let find = |name: &str| files.get(name).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound));
    let length = |name: &str| find(name).map(|bytes| bytes.len() as u64);
    let system = match System::parse_with("system.xml", &text, &length) {
        Ok(system) => system,
        Err(errors) => return Err(PackError::System(errors)),
    };
    microkit_packer::pack(&system, &find, &Elf::program().bytes())
}

// SPDX-License-Identifier: BSD-2-Clause
//! Programs: what is needed of an ELF file.

use std::collections::BTreeMap;

use object::{
    LittleEndian as LE, elf,
    read::elf::{ElfFile64, FileHeader as _, ProgramHeader as _},
    read::{Object as _, ObjectSymbol as _},
};

/// Bytes of a page.
pub const PAGE: u64 = 0x1000;

/// A static x86-64 program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// First instruction.
    pub entry: u64,
    /// Loaded segments, by address; no two share a page.
    pub segments: Vec<Segment>,
    /// Address and bytes of each symbol; the first one of a name.
    symbols: BTreeMap<String, (u64, u64)>,
}

/// A loaded segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// First address.
    pub vaddr: u64,
    /// Bytes in memory, at least those of `data`; the others are zero.
    pub size: u64,
    /// Bytes from the file.
    pub data: Vec<u8>,
    /// Whether the program may write to it.
    pub writable: bool,
    /// Whether the program may execute it.
    pub executable: bool,
}

impl Segment {
    /// The pages that it lies in, as first address and first address after.
    pub fn pages(&self) -> (u64, u64) {
        (self.vaddr / PAGE * PAGE, (self.vaddr + self.size).next_multiple_of(PAGE))
    }
}

/// What is wrong with an ELF file and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// One sentence without a full stop.
    pub message: String,
    /// The remedy.
    pub help: &'static str,
}

const BUILD: &str = "build it with --config tools/microkit/embedded.toml";

fn bad<T>(message: impl Into<String>, help: &'static str) -> Result<T, Bad> {
    Err(Bad { message: message.into(), help })
}

impl Program {
    /// Reads an ELF file.
    pub fn read(bytes: &[u8]) -> Result<Self, Bad> {
        let Ok(file) = ElfFile64::<LE>::parse(bytes) else {
            return bad("is no 64-bit little-endian ELF file", BUILD);
        };
        let header = file.elf_header();
        if header.e_machine(LE) != elf::EM_X86_64 {
            return bad(format!("is for machine {}, not x86-64", header.e_machine(LE).0), BUILD);
        }
        if header.e_type(LE) != elf::ET_EXEC {
            return bad("is not a static executable at a fixed address (ET_EXEC)", BUILD);
        }
        let mut segments = Vec::new();
        for header in file.elf_program_headers() {
            match header.p_type(LE) {
                elf::PT_INTERP | elf::PT_DYNAMIC => return bad("is dynamically linked", BUILD),
                elf::PT_LOAD if header.p_memsz(LE) > 0 => segments.push(segment(header, bytes)?),
                _ => {}
            }
        }
        segments.sort_by_key(|segment: &Segment| segment.vaddr);
        if let Some([low, high]) = segments.array_windows().find(|[low, high]| low.pages().1 > high.pages().0)
        {
            let message = format!("has segments at {:#x} and {:#x} that share a page", low.vaddr, high.vaddr);
            return bad(message, BUILD);
        }
        let program = Self { entry: header.e_entry(LE), segments, symbols: symbols(&file) };
        if !program
            .segments
            .iter()
            .any(|s| s.executable && (s.vaddr..s.vaddr + s.size).contains(&program.entry))
        {
            return bad(
                format!("begins at {:#x}, which lies in no executable segment", program.entry),
                BUILD,
            );
        }
        Ok(program)
    }

    /// Address and bytes of a symbol.
    pub fn symbol(&self, name: &str) -> Option<(u64, u64)> {
        self.symbols.get(name).copied()
    }

    /// The symbol whose name is most like `name`, when one is.
    pub fn similar(&self, name: &str) -> Option<&str> {
        let alike = |other: &&String| {
            other.eq_ignore_ascii_case(name) || other.contains(name) || name.contains(*other)
        };
        self.symbols.keys().filter(|other| other.len() > 3).find(alike).map(String::as_str)
    }

    /// Replaces the bytes at `vaddr`; false when they do not lie in one writable segment.
    #[must_use]
    pub fn write(&mut self, vaddr: u64, bytes: &[u8]) -> bool {
        let end = vaddr.checked_add(bytes.len() as u64);
        let Some(segment) = self
            .segments
            .iter_mut()
            .find(|s| vaddr >= s.vaddr && end.is_some_and(|end| end <= s.vaddr + s.size))
        else {
            return false;
        };
        let Ok(start) = usize::try_from(vaddr - segment.vaddr) else { return false };
        let end = start + bytes.len();
        if segment.data.len() < end {
            segment.data.resize(end, 0);
        }
        segment.data[start..end].copy_from_slice(bytes);
        true
    }
}

fn segment(header: &elf::ProgramHeader64<LE>, bytes: &[u8]) -> Result<Segment, Bad> {
    let (vaddr, size) = (header.p_vaddr(LE), header.p_memsz(LE));
    let Ok(data) = header.data(LE, bytes) else {
        return bad(format!("ends before its segment at {vaddr:#x} does"), "build it again: it is cut off");
    };
    if vaddr.checked_add(size).is_none_or(|end| end > sdf::USER_TOP) {
        return bad(format!("has a segment at {vaddr:#x} that ends beyond user space"), BUILD);
    }
    let flags = header.p_flags(LE);
    let segment = Segment {
        vaddr,
        size,
        data: data.to_vec(),
        writable: flags.0 & elf::PF_W.0 != 0,
        executable: flags.0 & elf::PF_X.0 != 0,
    };
    if segment.data.len() as u64 > size {
        return bad(format!("has a segment at {vaddr:#x} with more bytes in the file than in memory"), BUILD);
    }
    if segment.writable && segment.executable {
        return bad(format!("has a segment at {vaddr:#x} that is writable and executable"), BUILD);
    }
    Ok(segment)
}

fn symbols(file: &ElfFile64<'_, LE>) -> BTreeMap<String, (u64, u64)> {
    let mut symbols = BTreeMap::new();
    for symbol in file.symbols().filter(object::ObjectSymbol::is_definition) {
        if let Ok(name) = symbol.name() {
            symbols.entry(name.to_owned()).or_insert((symbol.address(), symbol.size()));
        }
    }
    symbols
}

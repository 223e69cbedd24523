// SPDX-License-Identifier: BSD-2-Clause
//! Composes the root task: the initialiser's segments, the packed system as one more, and nothing else.

use microkit_image::IMAGE_SYMBOL;
use object::{
    LittleEndian as LE, U16, U32, U64, elf,
    pod::{bytes_of, bytes_of_slice},
};

use crate::elf::{PAGE, Program, Segment};

/// The ELF file that the kernel boots.
pub fn compose(initialiser: &[u8], image: &[u8]) -> Result<Vec<u8>, String> {
    let mut program = Program::read(initialiser).map_err(|bad| bad.message)?;
    let vaddr = program.segments.last().map_or(0, |segment| segment.pages().1);
    let (symbol, _) = program.symbol(IMAGE_SYMBOL).ok_or(format!("has no symbol '{IMAGE_SYMBOL}'"))?;
    let located = [vaddr, image.len() as u64].map(u64::to_le_bytes).concat();
    if !program.write(symbol, &located) {
        return Err(format!("has its symbol '{IMAGE_SYMBOL}' outside its segments"));
    }
    let (data, size) = (image.to_vec(), image.len() as u64);
    program.segments.push(Segment { vaddr, size, data, writable: false, executable: false });
    Ok(write(&program))
}

/// An ELF file of the program: headers and segments, each at a page of the file.
fn write(program: &Program) -> Vec<u8> {
    let header_size = size_of::<elf::FileHeader64<LE>>();
    let entry_size = size_of::<elf::ProgramHeader64<LE>>();
    let mut offset = PAGE;
    let mut headers = Vec::new();
    for segment in &program.segments {
        let in_page = segment.vaddr % PAGE;
        let mut flags = elf::PF_R;
        if segment.writable {
            flags |= elf::PF_W;
        }
        if segment.executable {
            flags |= elf::PF_X;
        }
        headers.push(elf::ProgramHeader64 {
            p_type: U32::new(LE, elf::PT_LOAD),
            p_flags: U32::new(LE, flags),
            p_offset: U64::new(LE, offset + in_page),
            p_vaddr: U64::new(LE, segment.vaddr),
            p_paddr: U64::new(LE, segment.vaddr),
            p_filesz: U64::new(LE, segment.data.len() as u64),
            p_memsz: U64::new(LE, segment.size),
            p_align: U64::new(LE, PAGE),
        });
        offset = (offset + in_page + segment.data.len() as u64).next_multiple_of(PAGE);
    }
    // Sizes of headers and their number, which is a handful.
    let half = |n: usize| U16::new(LE, u16::try_from(n).unwrap_or(u16::MAX));
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
        e_type: U16::new(LE, elf::ET_EXEC),
        e_machine: U16::new(LE, elf::EM_X86_64),
        e_version: U32::new(LE, u32::from(elf::EV_CURRENT.0)),
        e_entry: U64::new(LE, program.entry),
        e_phoff: U64::new(LE, header_size as u64),
        e_shoff: U64::new(LE, 0),
        e_flags: U32::new(LE, elf::FileFlags(0)),
        e_ehsize: half(header_size),
        e_phentsize: half(entry_size),
        e_phnum: half(headers.len()),
        e_shentsize: half(0),
        e_shnum: half(0),
        e_shstrndx: U16::new(LE, elf::SHN_UNDEF),
    };
    let mut out = [bytes_of(&header), bytes_of_slice(&headers)].concat();
    for (segment, header) in program.segments.iter().zip(&headers) {
        let start = usize::try_from(header.p_offset.get(LE)).unwrap_or(usize::MAX);
        out.resize(start, 0);
        out.extend_from_slice(&segment.data);
    }
    out
}

// SPDX-License-Identifier: BSD-2-Clause
//! The frames of regions, and what fills them.

use microkit_image::{
    layout::PAGE,
    paint,
    record::{ANYWHERE, Region},
};
use sel4_abi::{
    BootInfo, CPtr, Frame, LARGE_PAGE_BITS, PAGE_BITS, PagingStructure, Rights, UntypedCap, VmAttributes,
    object::ObjectType, to_usize,
};

use crate::{
    failure::{Cause, Failure, Of, Result},
    untyped::{Free, MAX_RETYPE, ROOT},
};

/// Address bits of a region's page.
fn page_bits(region: &Region) -> u32 {
    if region.page_bits == LARGE_PAGE_BITS { LARGE_PAGE_BITS } else { PAGE_BITS }
}

/// Number of a region's pages.
pub fn pages(region: &Region) -> u64 {
    region.size >> page_bits(region)
}

/// Makes the frames of a region; their capabilities are in a row of slots from the one returned.
pub fn make_frames(free: &mut Free, region: &Region) -> Result<'static, CPtr> {
    let bits = page_bits(region);
    let first = free.slots(pages(region))?;
    let mut offset = 0;
    while offset < region.size {
        let (untyped, chunk) = if region.paddr == ANYWHERE {
            take_chunk(free, region.size - offset, bits)?
        } else {
            take_chunk_at(free, region.paddr + offset, region.size - offset, bits)?
        };
        retype_frames(untyped, chunk, bits, first + (offset >> bits))?;
        offset += 1 << chunk;
    }
    Ok(first)
}

/// A piece of RAM of at most `bytes` and at least a page.
fn take_chunk(free: &mut Free, bytes: u64, page_bits: u32) -> Result<'static, (UntypedCap, u32)> {
    let mut chunk = bytes.ilog2();
    while chunk > page_bits && !free.has(chunk) {
        chunk -= 1;
    }
    Ok((free.take(chunk)?, chunk))
}

/// A piece at `paddr` of at most `bytes` and at least a page.
fn take_chunk_at(
    free: &mut Free,
    paddr: u64,
    bytes: u64,
    page_bits: u32,
) -> Result<'static, (UntypedCap, u32)> {
    let taken = Failure::new("frame", Cause::Taken(paddr));
    let (index, piece_bits) = free.around(paddr).ok_or(taken)?;
    let chunk = bytes.ilog2().min(paddr.trailing_zeros()).min(piece_bits);
    if chunk < page_bits {
        return Err(taken);
    }
    Ok((free.take_at(index, chunk, paddr)?, chunk))
}

fn retype_frames(untyped: UntypedCap, chunk: u32, page_bits: u32, first: CPtr) -> Result<'static, ()> {
    let object = if page_bits == LARGE_PAGE_BITS { ObjectType::LargePage } else { ObjectType::Page };
    let mut left = 1u64 << (chunk - page_bits);
    let mut slot = first;
    while left > 0 {
        let count = left.min(MAX_RETYPE);
        untyped.retype(object, 0, ROOT, slot, count).of("frames")?;
        slot += count;
        left -= count;
    }
    Ok(())
}

/// A window in the root task's own address space through which it fills frames.
pub struct Window;

impl Window {
    /// Where 4 KiB pages appear: far from the root task's image.
    const SMALL: u64 = 0x7000_0000_0000;
    /// Where 2 MiB pages appear.
    const LARGE: u64 = Self::SMALL + (1 << LARGE_PAGE_BITS);

    /// Makes the paging structures of the window.
    pub fn new(free: &mut Free) -> Result<'static, Self> {
        for level in [PagingStructure::Pdpt, PagingStructure::PageDirectory, PagingStructure::PageTable] {
            let cap = free.object(level.object(), 0, "paging structure of the initialiser")?;
            level.map(cap, BootInfo::INIT_VSPACE, Self::SMALL).of("paging structure of the initialiser")?;
        }
        Ok(Self)
    }

    /// Copies `data` to `offset` within the region whose frames are in the slots from `first`.
    pub fn fill(
        &self,
        region: &Region,
        first: CPtr,
        mut offset: u64,
        mut data: &[u8],
    ) -> Result<'static, ()> {
        let bits = page_bits(region);
        let vaddr = if bits == LARGE_PAGE_BITS { Self::LARGE } else { Self::SMALL };
        while !data.is_empty() {
            let in_page = offset & ((1 << bits) - 1);
            let len = data.len().min(to_usize((1 << bits) - in_page));
            let (now, later) = data.split_at(len);
            Self::with(Frame(first + (offset >> bits)), vaddr, || {
                let target: *mut u8 = core::ptr::with_exposed_provenance_mut(to_usize(vaddr + in_page));
                // SAFETY: the page is mapped writable there, nothing else is there, and `len` stays within it; the data
                // is in this program's image.
                unsafe { core::ptr::copy_nonoverlapping(now.as_ptr(), target, len) };
            })?;
            offset += len as u64;
            data = later;
        }
        Ok(())
    }

    /// Paints the stack whose frames are in the slots from `first`. Word by word where it lies: what is painted stands
    /// nowhere else in memory.
    pub fn paint(&self, region: &Region, first: CPtr) -> Result<'static, ()> {
        for page in 0..pages(region) {
            Self::with(Frame(first + page), Self::SMALL, || {
                for at in (0..PAGE).step_by(to_usize(paint::WORD)) {
                    let word = paint::word(region.stack_of, page * PAGE + at);
                    let target: *mut u64 = core::ptr::with_exposed_provenance_mut(to_usize(Self::SMALL + at));
                    // SAFETY: the page is mapped writable there, nothing else is there, and a word is aligned.
                    unsafe { target.write(word) };
                }
            })?;
        }
        Ok(())
    }

    /// Does something while a frame is mapped at `vaddr`.
    fn with(frame: Frame, vaddr: u64, access: impl FnOnce()) -> Result<'static, ()> {
        frame.map(BootInfo::INIT_VSPACE, vaddr, Rights::READ_WRITE, VmAttributes::WriteBack).of("frame")?;
        access();
        frame.unmap().of("frame")
    }
}

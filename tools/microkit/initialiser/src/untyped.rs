// SPDX-License-Identifier: BSD-2-Clause
//! Free memory: a buddy allocator over the kernel's untyped memory, and the slots of the root task's CNode.
//!
//! A piece of untyped memory is split in halves until one has the size that is asked for, at the address that is
//! asked for where one is. So fixed physical addresses and "anywhere" are the same operation, and no object
//! depends on the order in which others were made.

use core::ops::Range;

use sel4_abi::{BootInfo, CNode, CPtr, Untyped, UntypedCap, WORD_BITS, object::ObjectType};

use crate::failure::{Cause, Failure, Of, Result};

/// Pieces of untyped memory known at a time: those of the boot and the halves that splitting leaves.
const MAX_PIECES: usize = 1024;
/// Objects that one retype makes at most (the kernel's CONFIG_RETYPE_FAN_OUT_LIMIT).
pub const MAX_RETYPE: u64 = 256;

/// The root task's own CNode.
pub const ROOT: CNode = CNode { cap: BootInfo::INIT_CNODE, depth: WORD_BITS };

/// Free memory and free slots.
pub struct Free {
    pieces: [Untyped; MAX_PIECES],
    count: usize,
    slots: Range<CPtr>,
    total: u64,
}

impl Free {
    /// Nothing. It is too large to be moved about on the stack: made once, then filled.
    pub const fn new() -> Self {
        const NONE: Untyped = Untyped { cap: 0, paddr: 0, size_bits: 0, device: false };
        Self { pieces: [NONE; MAX_PIECES], count: 0, slots: 0..0, total: 0 }
    }

    /// Takes everything that the kernel gave at boot.
    pub fn fill(&mut self, boot_info: BootInfo<'_>) -> Result<'static, ()> {
        self.slots = boot_info.empty();
        for piece in boot_info.untyped() {
            self.put(piece)?;
        }
        self.total = self.bytes();
        Ok(())
    }

    /// Bytes of RAM that are free.
    pub fn bytes(&self) -> u64 {
        self.pieces[..self.count].iter().filter(|piece| !piece.device).map(|piece| 1 << piece.size_bits).sum()
    }

    /// Bytes of RAM that were free at boot.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// `count` empty slots in a row.
    pub fn slots(&mut self, count: u64) -> Result<'static, CPtr> {
        if self.slots.end - self.slots.start < count {
            return Err(Failure::new("capability", Cause::OutOfSlots));
        }
        let first = self.slots.start;
        self.slots.start += count;
        Ok(first)
    }

    /// Slots that are still empty.
    pub fn slots_left(&self) -> u64 {
        self.slots.end - self.slots.start
    }

    fn put(&mut self, piece: Untyped) -> Result<'static, ()> {
        let room = self
            .pieces
            .get_mut(self.count)
            .ok_or(Failure::new("untyped memory", Cause::TooMany(MAX_PIECES)))?;
        *room = piece;
        self.count += 1;
        Ok(())
    }

    fn remove(&mut self, index: usize) -> Untyped {
        let piece = self.pieces[index];
        self.count -= 1;
        self.pieces[index] = self.pieces[self.count];
        piece
    }

    /// 2^bits bytes of RAM: out of the smallest piece that is large enough, the lowest of several.
    pub fn take(&mut self, bits: u32) -> Result<'static, UntypedCap> {
        let best = (0..self.count)
            .filter(|i| !self.pieces[*i].device && self.pieces[*i].size_bits >= bits)
            .min_by_key(|i| (self.pieces[*i].size_bits, self.pieces[*i].paddr))
            .ok_or(Failure::new("untyped memory", Cause::OutOfMemory(bits)))?;
        let piece = self.remove(best);
        self.split(piece, bits, piece.paddr)
    }

    /// Whether RAM has a free piece of at least 2^bits bytes.
    pub fn has(&self, bits: u32) -> bool {
        self.pieces[..self.count].iter().any(|piece| !piece.device && piece.size_bits >= bits)
    }

    /// The free piece around a physical address, as its index and log2 of its bytes.
    pub fn around(&self, paddr: u64) -> Option<(usize, u32)> {
        (0..self.count)
            .find(|i| {
                paddr >> self.pieces[*i].size_bits == self.pieces[*i].paddr >> self.pieces[*i].size_bits
            })
            .map(|i| (i, self.pieces[i].size_bits))
    }

    /// 2^bits bytes at `paddr`, a multiple of that, out of the piece that [`around`](Self::around) found.
    pub fn take_at(&mut self, index: usize, bits: u32, paddr: u64) -> Result<'static, UntypedCap> {
        let piece = self.remove(index);
        self.split(piece, bits, paddr)
    }

    /// Halves `piece` until the half around `paddr` has 2^bits bytes; the other halves become free.
    fn split(&mut self, mut piece: Untyped, bits: u32, paddr: u64) -> Result<'static, UntypedCap> {
        while piece.size_bits > bits {
            let size_bits = piece.size_bits - 1;
            let cap = self.slots(2)?;
            UntypedCap(piece.cap)
                .retype(ObjectType::Untyped, size_bits, ROOT, cap, 2)
                .of("untyped memory")?;
            let low = Untyped { cap, size_bits, ..piece };
            let high = Untyped { cap: cap + 1, paddr: piece.paddr + (1 << size_bits), ..low };
            let (taken, left) = if paddr < high.paddr { (low, high) } else { (high, low) };
            self.put(left)?;
            piece = taken;
        }
        Ok(UntypedCap(piece.cap))
    }

    /// A new object and the slot of its capability.
    pub fn object(
        &mut self,
        object: ObjectType,
        user_bits: u32,
        name: &'static str,
    ) -> Result<'static, CPtr> {
        let untyped = self.take(object.size_bits(user_bits))?;
        let slot = self.slots(1)?;
        untyped.retype(object, user_bits, ROOT, slot, 1).of(name)?;
        Ok(slot)
    }
}

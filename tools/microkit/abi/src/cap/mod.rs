// SPDX-License-Identifier: BSD-2-Clause
//! Typed capabilities and what can be asked of them.
//!
//! Each type wraps an address in the caller's CSpace; whether a capability of that kind is there, the kernel
//! decides. Methods are named after the kernel's.

mod device;
mod thread;
mod vspace;

pub use device::{IoPort, IrqControl, IrqHandler, MsiSource};
pub use thread::{Tcb, UserContext, Vcpu};
pub use vspace::{AsidPool, Frame, PagingStructure, VmAttributes};

use crate::{Error, MessageInfo, Word, call, label, object::ObjectType, with_ipc_buffer_mut};

/// The address of a capability in the caller's CSpace.
pub type CPtr = Word;

/// Bits of a word: the depth at which an address in a full CSpace is resolved.
pub const WORD_BITS: Word = 64;

/// Invokes `cap` with capabilities and words; the kernel's answer as a result.
fn invoke(cap: CPtr, label: u64, caps: &[CPtr], words: &[Word]) -> Result<(), Error> {
    with_ipc_buffer_mut(|buffer| {
        buffer.set_caps(caps);
        buffer.msg_regs_mut()[..words.len()].copy_from_slice(words);
    });
    let info = MessageInfo::new(label, caps.len() as u64, words.len() as u64);
    Error::check(call(cap, info).label())
}

/// Rights that a mapping or a copy keeps (`seL4_CapRights_t`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights(Word);

impl Rights {
    /// Everything.
    pub const ALL: Self = Self(0b111);
    /// Reading alone.
    pub const READ: Self = Self(0b010);
    /// Writing alone.
    pub const WRITE: Self = Self(0b001);
    /// Reading and writing.
    pub const READ_WRITE: Self = Self(0b011);
}

/// Untyped memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UntypedCap(pub CPtr);

impl UntypedCap {
    /// Makes `count` (≤ 256) objects, with capabilities in slots from `first` on of the CNode `cnode`.
    ///
    /// # Errors
    /// The kernel's: too little memory, slots in use.
    pub fn retype(
        self,
        object: ObjectType,
        size_bits: u32,
        cnode: CNode,
        first: Word,
        count: Word,
    ) -> Result<(), Error> {
        invoke(
            self.0,
            label::UNTYPED_RETYPE,
            &[cnode.cap],
            &[object as u64, size_bits.into(), 0, 0, first, count],
        )
    }
}

/// A CNode, and how many address bits select a slot in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CNode {
    /// The capability.
    pub cap: CPtr,
    /// Guard and radix bits together: 64 for the root of a full CSpace.
    pub depth: Word,
}

impl CNode {
    /// Copies the capability in slot `src` of `from` to slot `slot`, with at most `rights`.
    ///
    /// # Errors
    /// The kernel's: nothing there, slot in use.
    pub fn copy(self, slot: Word, from: Self, src: Word, rights: Rights) -> Result<(), Error> {
        invoke(self.cap, label::CNODE_COPY, &[from.cap], &[slot, self.depth, src, from.depth, rights.0])
    }

    /// Copies as [`copy`](Self::copy) and gives the copy `data`: a badge, a guard, a range of I/O ports.
    ///
    /// # Errors
    /// The kernel's: nothing there, slot in use, data that the capability cannot take.
    pub fn mint(self, slot: Word, from: Self, src: Word, rights: Rights, data: Word) -> Result<(), Error> {
        invoke(self.cap, label::CNODE_MINT, &[from.cap], &[slot, self.depth, src, from.depth, rights.0, data])
    }

    /// Deletes the capability in a slot.
    ///
    /// # Errors
    /// The kernel's.
    pub fn delete(self, slot: Word) -> Result<(), Error> {
        invoke(self.cap, label::CNODE_DELETE, &[], &[slot, self.depth])
    }

    /// The word that gives a CNode a guard of `bits` zero bits, for [`mint`](Self::mint) and
    /// [`Tcb::configure`] (`cnode_capdata`: guard size in bits 2..8).
    #[must_use]
    pub const fn guard(bits: Word) -> Word {
        bits << 2
    }
}

/// An endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint(pub CPtr);

/// A notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notification(pub CPtr);

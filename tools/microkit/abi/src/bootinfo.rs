// SPDX-License-Identifier: BSD-2-Clause
//! What the kernel tells the root task at boot (`seL4_BootInfo`).
//!
//! The structure is packed, so its fields are read at their byte offsets.

use core::ops::Range;

use crate::{CPtr, IpcBuffer, PAGE_SIZE, Word, to_usize};

const IPC_BUFFER: usize = 32;
const EMPTY: usize = 40;
const USER_IMAGE_FRAMES: usize = 72;
const CNODE_SIZE_BITS: usize = 136;
const UNTYPED: usize = 153;
const UNTYPED_LIST: usize = 169;
const UNTYPED_ENTRY: usize = 12;

/// Untyped memory that the kernel hands over at boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Untyped {
    /// Its capability.
    pub cap: CPtr,
    /// Its physical address.
    pub paddr: u64,
    /// log2 of its bytes.
    pub size_bits: u32,
    /// Whether it lies outside RAM.
    pub device: bool,
}

/// The boot information page.
#[derive(Debug, Clone, Copy)]
pub struct BootInfo<'a>(&'a [u8; PAGE_SIZE]);

impl<'a> BootInfo<'a> {
    /// The initial thread's TCB.
    pub const INIT_TCB: CPtr = 1;
    /// The initial thread's CNode.
    pub const INIT_CNODE: CPtr = 2;
    /// The initial thread's address space.
    pub const INIT_VSPACE: CPtr = 3;
    /// The right to issue interrupt handlers.
    pub const IRQ_CONTROL: CPtr = 4;
    /// The initial thread's ASID pool.
    pub const INIT_ASID_POOL: CPtr = 6;
    /// Every I/O port.
    pub const IO_PORTS: CPtr = 7;

    /// Reads a boot information page.
    #[must_use]
    pub const fn new(page: &'a [u8; PAGE_SIZE]) -> Self {
        Self(page)
    }

    fn word(&self, offset: usize) -> Word {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.0[offset..offset + 8]);
        Word::from_le_bytes(bytes)
    }

    fn slots(&self, offset: usize) -> Range<CPtr> {
        self.word(offset)..self.word(offset + 8)
    }

    /// Where the initial thread's IPC buffer is mapped.
    #[must_use]
    pub fn ipc_buffer(&self) -> *mut IpcBuffer {
        core::ptr::with_exposed_provenance_mut(to_usize(self.word(IPC_BUFFER)))
    }

    /// The empty slots of the initial thread's CNode.
    #[must_use]
    pub fn empty(&self) -> Range<CPtr> {
        self.slots(EMPTY)
    }

    /// The frames of the root task's image, in the order of their addresses.
    #[must_use]
    pub fn user_image_frames(&self) -> Range<CPtr> {
        self.slots(USER_IMAGE_FRAMES)
    }

    /// log2 of the number of slots of the initial thread's CNode.
    #[must_use]
    pub fn cnode_size_bits(&self) -> u32 {
        self.0[CNODE_SIZE_BITS] as u32
    }

    /// The untyped memory, in the kernel's order.
    pub fn untyped(&self) -> impl Iterator<Item = Untyped> + use<'a> {
        let this = *self;
        let slots = this.slots(UNTYPED);
        let fits = (this.0.len() - UNTYPED_LIST) / UNTYPED_ENTRY;
        slots.take(fits).enumerate().map(move |(i, cap)| {
            let entry = UNTYPED_LIST + i * UNTYPED_ENTRY;
            Untyped {
                cap,
                paddr: this.word(entry),
                size_bits: this.0[entry + 10].into(),
                device: this.0[entry + 11] != 0,
            }
        })
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! Address spaces: what is mapped in them, and how.

use super::{CPtr, Rights, invoke};
use crate::{
    Error, MessageInfo, Word, label,
    object::ObjectType,
    syscall::{FAST_REGISTERS, raw_call},
};

/// The memory type of a mapping (`seL4_X86_VMAttributes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VmAttributes {
    /// Cached, write-back.
    WriteBack = 0,
    /// Not cached at all, for device registers.
    Uncacheable = 3,
}

/// A level of an address space below its root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PagingStructure {
    /// A page directory pointer table: 512 GiB.
    Pdpt,
    /// A page directory: 1 GiB.
    PageDirectory,
    /// A page table: 2 MiB.
    PageTable,
}

impl PagingStructure {
    /// The type of its object.
    #[must_use]
    pub const fn object(self) -> ObjectType {
        match self {
            Self::Pdpt => ObjectType::Pdpt,
            Self::PageDirectory => ObjectType::PageDirectory,
            Self::PageTable => ObjectType::PageTable,
        }
    }

    /// The type of its object where it is of a virtual machine's guest-physical memory.
    #[must_use]
    pub const fn ept_object(self) -> ObjectType {
        match self {
            Self::Pdpt => ObjectType::EptPdpt,
            Self::PageDirectory => ObjectType::EptPageDirectory,
            Self::PageTable => ObjectType::EptPageTable,
        }
    }

    /// Puts the structure `cap` into the guest-physical memory `ept` for the range around `address`.
    ///
    /// # Errors
    /// The kernel's: no upper level there, or something is mapped.
    pub fn map_ept(self, cap: CPtr, ept: CPtr, address: Word) -> Result<(), Error> {
        let label = match self {
            Self::Pdpt => label::X86_EPT_PDPT_MAP,
            Self::PageDirectory => label::X86_EPT_PAGE_DIRECTORY_MAP,
            Self::PageTable => label::X86_EPT_PAGE_TABLE_MAP,
        };
        invoke(cap, label, &[ept], &[address, VmAttributes::WriteBack as u64])
    }

    /// Puts the structure `cap` into `vspace` for the range around `vaddr`.
    ///
    /// # Errors
    /// The kernel's: no upper level there, or something is mapped.
    pub fn map(self, cap: CPtr, vspace: CPtr, vaddr: Word) -> Result<(), Error> {
        let label = match self {
            Self::Pdpt => label::X86_PDPT_MAP,
            Self::PageDirectory => label::X86_PAGE_DIRECTORY_MAP,
            Self::PageTable => label::X86_PAGE_TABLE_MAP,
        };
        invoke(cap, label, &[vspace], &[vaddr, VmAttributes::WriteBack as u64])
    }
}

/// A page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame(pub CPtr);

impl Frame {
    /// Maps the page; a capability maps once, a copy maps again.
    ///
    /// # Errors
    /// The kernel's: no page table there, mapped already.
    pub fn map(
        self,
        vspace: CPtr,
        vaddr: Word,
        rights: Rights,
        attributes: VmAttributes,
    ) -> Result<(), Error> {
        invoke(self.0, label::X86_PAGE_MAP, &[vspace], &[vaddr, rights.0, attributes as u64])
    }

    /// Maps the page in a virtual machine's guest-physical memory; a capability maps once, a copy maps again.
    ///
    /// # Errors
    /// The kernel's: no page table there, mapped already.
    pub fn map_ept(
        self,
        ept: CPtr,
        address: Word,
        rights: Rights,
        attributes: VmAttributes,
    ) -> Result<(), Error> {
        invoke(self.0, label::X86_PAGE_MAP_EPT, &[ept], &[address, rights.0, attributes as u64])
    }

    /// Undoes [`map`](Self::map).
    ///
    /// # Errors
    /// The kernel's.
    pub fn unmap(self) -> Result<(), Error> {
        invoke(self.0, label::X86_PAGE_UNMAP, &[], &[])
    }

    /// The page's physical address.
    ///
    /// # Errors
    /// The kernel's.
    pub fn address(self) -> Result<u64, Error> {
        let info = MessageInfo::new(label::X86_PAGE_GET_ADDRESS, 0, 0);
        let (tag, regs) = raw_call(self.0, info, [0; FAST_REGISTERS]);
        Error::check(tag.label()).map(|()| regs[0])
    }
}

/// An ASID pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsidPool(pub CPtr);

impl AsidPool {
    /// Gives an address space its identifier, which it needs before anything is mapped in it.
    ///
    /// # Errors
    /// The kernel's: the pool is used up.
    pub fn assign(self, vspace: CPtr) -> Result<(), Error> {
        invoke(self.0, label::X86_ASID_POOL_ASSIGN, &[vspace], &[])
    }
}

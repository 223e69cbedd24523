// SPDX-License-Identifier: BSD-2-Clause
//! Object types for [`UntypedCap::retype`](crate::UntypedCap::retype) and the sizes of the objects.

/// A type of kernel object, by its number in `seL4_ObjectType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum ObjectType {
    /// Untyped memory of a chosen size.
    Untyped = 0,
    /// A thread.
    Tcb = 1,
    /// An endpoint.
    Endpoint = 2,
    /// A notification.
    Notification = 3,
    /// A CNode of a chosen number of slots.
    CNode = 4,
    /// A page directory pointer table.
    Pdpt = 5,
    /// A PML4: the root of an address space.
    Pml4 = 6,
    /// A 1 GiB page.
    HugePage = 7,
    /// A 4 KiB page.
    Page = 8,
    /// A 2 MiB page.
    LargePage = 9,
    /// A page table.
    PageTable = 10,
    /// A page directory.
    PageDirectory = 11,
    /// A virtual CPU.
    Vcpu = 12,
    /// An EPT PML4: the root of a virtual machine's guest-physical memory.
    EptPml4 = 13,
    /// An EPT page directory pointer table.
    EptPdpt = 14,
    /// An EPT page directory.
    EptPageDirectory = 15,
    /// An EPT page table.
    EptPageTable = 16,
}

/// log2 of the bytes that a slot of a CNode takes.
pub const SLOT_BITS: u32 = 5;

impl ObjectType {
    /// log2 of the object's bytes. `user_bits` is what a retype states for objects of a chosen size: bytes for
    /// untyped memory, slots for a CNode; it has no meaning for others.
    #[must_use]
    pub const fn size_bits(self, user_bits: u32) -> u32 {
        match self {
            Self::Untyped => user_bits,
            Self::CNode => user_bits + SLOT_BITS,
            Self::Tcb => 11,
            Self::Endpoint => 4,
            Self::Notification => 5,
            Self::Pdpt | Self::Pml4 | Self::Page | Self::PageTable | Self::PageDirectory => 12,
            Self::EptPml4 | Self::EptPdpt | Self::EptPageDirectory | Self::EptPageTable => 12,
            Self::Vcpu => 14,
            Self::LargePage => 21,
            Self::HugePage => 30,
        }
    }
}

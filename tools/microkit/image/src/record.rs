// SPDX-License-Identifier: BSD-2-Clause
//! The records of the packed system. A `u32` field that refers to another record is its index in its table.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Generates the derives that every record has.
macro_rules! record {
    ($(#[$attr:meta])* pub struct $name:ident { $($(#[$field_attr:meta])* pub $field:ident: $ty:ty,)* }) => {
        $(#[$attr])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
        #[repr(C)]
        pub struct $name { $($(#[$field_attr])* pub $field: $ty,)* }
    };
}

record! {
    /// A stretch of the packed system.
    pub struct Span {
        /// Bytes from its start.
        pub offset: u64,
        /// Bytes.
        pub len: u64,
    }
}

record! {
    /// What a packed system begins with.
    pub struct Header {
        /// [`MAGIC`](crate::MAGIC).
        pub magic: [u8; 8],
        /// [`VERSION`](crate::VERSION).
        pub version: u32,
        /// Zero.
        pub reserved: u32,
        /// Bytes of the whole.
        pub total_len: u64,
        /// Table of [`Pd`].
        pub pds: Span,
        /// Table of [`Region`].
        pub regions: Span,
        /// Table of [`Fill`].
        pub fills: Span,
        /// Table of [`Paging`].
        pub paging: Span,
        /// Table of [`Map`].
        pub maps: Span,
        /// Table of [`Cap`].
        pub caps: Span,
        /// Table of [`Irq`].
        pub irqs: Span,
    }
}

record! {
    /// A protection domain. Its IPC buffer is the map at [`layout::IPC_BUFFER`](crate::layout::IPC_BUFFER).
    pub struct Pd {
        /// Name, UTF-8.
        pub name: Span,
        /// First instruction.
        pub entry: u64,
        /// Stack pointer at start, the end of the stack.
        pub stack_top: u64,
        /// Lowest address of the stack.
        pub stack_bottom: u64,
        /// The region that is its IPC buffer.
        pub ipc_buffer: u32,
        /// Parent, or [`NONE`].
        pub parent: u32,
        /// The number by which the parent knows it.
        pub child_id: u32,
        /// Priority, 0..=254.
        pub priority: u8,
        /// Whether it has an endpoint: somebody calls it or it has children. 0 or 1.
        pub has_endpoint: u8,
        /// Whether its thread runs a virtual machine. 0 or 1.
        pub has_vm: u8,
        /// Zero.
        pub reserved: u8,
    }
}

/// "None" where a record names another one.
pub const NONE: u32 = u32::MAX;
/// "Anywhere" for [`Region::paddr`].
pub const ANYWHERE: u64 = u64::MAX;

record! {
    /// Memory. RAM comes up zeroed.
    pub struct Region {
        /// Name, UTF-8.
        pub name: Span,
        /// Bytes, a multiple of the page.
        pub size: u64,
        /// Physical address, or [`ANYWHERE`].
        pub paddr: u64,
        /// log2 of the page: 12 or 21.
        pub page_bits: u32,
        /// The domain whose stack it is, or [`NONE`]. A stack comes up [painted](crate::paint).
        pub stack_of: u32,
    }
}

record! {
    /// Bytes to be copied into a region before any domain runs.
    pub struct Fill {
        /// Which region.
        pub region: u32,
        /// Zero.
        pub reserved: u32,
        /// Where in it.
        pub offset: u64,
        /// The bytes.
        pub data: Span,
    }
}

record! {
    /// A paging structure that a domain's address space, or its virtual machine's guest-physical one, needs, in an order
    /// in which they can be mapped.
    pub struct Paging {
        /// Whose.
        pub pd: u32,
        /// [`PDPT`](Self::PDPT), [`PAGE_DIRECTORY`](Self::PAGE_DIRECTORY) or [`PAGE_TABLE`](Self::PAGE_TABLE), with
        /// [`GUEST`](Self::GUEST) for a virtual machine.
        pub level: u32,
        /// First address of the range.
        pub vaddr: u64,
    }
}

impl Paging {
    /// A page directory pointer table.
    pub const PDPT: u32 = 3;
    /// A page directory.
    pub const PAGE_DIRECTORY: u32 = 2;
    /// A page table.
    pub const PAGE_TABLE: u32 = 1;
    /// Of the virtual machine's guest-physical memory.
    pub const GUEST: u32 = 0x10;
}

record! {
    /// A region in a domain's address space, or in its virtual machine's.
    pub struct Map {
        /// Whose address space.
        pub pd: u32,
        /// Which region.
        pub region: u32,
        /// Where.
        pub vaddr: u64,
        /// [`WRITE`](Self::WRITE), [`UNCACHED`](Self::UNCACHED), [`GUEST`](Self::GUEST).
        pub flags: u64,
    }
}

impl Map {
    /// Writable; every map can be read, and the kernel has no no-execute pages.
    pub const WRITE: u64 = 1;
    /// Not cached.
    pub const UNCACHED: u64 = 2;
    /// In the virtual machine's guest-physical memory.
    pub const GUEST: u64 = 4;
}

record! {
    /// A capability in a domain's CSpace.
    pub struct Cap {
        /// Whose CSpace.
        pub pd: u32,
        /// [`NOTIFICATION`](Self::NOTIFICATION), [`ENDPOINT`](Self::ENDPOINT), [`TCB`](Self::TCB),
        /// [`IO_PORTS`](Self::IO_PORTS) or [`VCPU`](Self::VCPU).
        pub kind: u32,
        /// Which slot.
        pub slot: u64,
        /// The domain whose object it is; [`NONE`] for I/O ports.
        pub target: u32,
        /// First and last I/O port.
        pub ports: [u16; 2],
        /// Badge.
        pub badge: u64,
    }
}

impl Cap {
    /// The target's notification, to be signalled.
    pub const NOTIFICATION: u32 = 1;
    /// The target's endpoint, to be called.
    pub const ENDPOINT: u32 = 2;
    /// The target's thread.
    pub const TCB: u32 = 3;
    /// A range of I/O ports.
    pub const IO_PORTS: u32 = 4;
    /// The target's virtual CPU.
    pub const VCPU: u32 = 5;
}

record! {
    /// An interrupt of a domain.
    pub struct Irq {
        /// Whose.
        pub pd: u32,
        /// [`IOAPIC`](Self::IOAPIC) or [`MSI`](Self::MSI).
        pub kind: u32,
        /// Its number in the domain.
        pub id: u32,
        /// CPU vector.
        pub vector: u32,
        /// I/O APIC, or the message's handle.
        pub source: u64,
        /// Pin, or the PCI function as bus << 8 | device << 3 | function.
        pub line: u32,
        /// Level-triggered: 0 or 1.
        pub level: u16,
        /// Active low: 0 or 1.
        pub active_low: u16,
    }
}

impl Irq {
    /// A pin of an I/O APIC.
    pub const IOAPIC: u32 = 1;
    /// A message of a PCI function.
    pub const MSI: u32 = 2;
}

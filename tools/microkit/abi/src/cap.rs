// SPDX-License-Identifier: BSD-2-Clause
//! Typed capabilities and what can be asked of them.
//!
//! Each type wraps an address in the caller's CSpace; whether a capability of that kind is there, the kernel
//! decides. Methods are named after the kernel's.

use crate::{
    Error, MessageInfo, Word, call, label,
    object::ObjectType,
    syscall::{FAST_REGISTERS, raw_call},
    with_ipc_buffer_mut,
};

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

/// The memory type of a mapping (`seL4_X86_VMAttributes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VmAttributes {
    /// Cached, write-back.
    WriteBack = 0,
    /// Not cached at all, for device registers.
    Uncacheable = 3,
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

/// The registers of a thread (`seL4_UserContext`); those not stated are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UserContext {
    /// The instruction pointer.
    pub rip: Word,
    /// The stack pointer.
    pub rsp: Word,
}

/// A thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tcb(pub CPtr);

impl Tcb {
    /// States priority, CSpace, address space, IPC buffer and fault endpoint. The endpoint's address is one in the
    /// thread's own CSpace, 0 for none.
    ///
    /// # Errors
    /// The kernel's: a priority above the caller's, a capability of another kind.
    pub fn configure(
        self,
        fault_ep: CPtr,
        priority: u8,
        (cspace, cspace_data): (CPtr, Word),
        vspace: CPtr,
        (buffer, frame): (Word, CPtr),
    ) -> Result<(), Error> {
        // seL4_PrioProps: the maximum controlled priority in bits 8..16 stays 0.
        invoke(
            self.0,
            label::TCB_CONFIGURE,
            &[cspace, vspace, frame],
            &[fault_ep, priority.into(), cspace_data, 0, buffer],
        )
    }

    /// Sets the priority.
    ///
    /// # Errors
    /// The kernel's: a priority above the caller's.
    pub fn set_priority(self, priority: u8) -> Result<(), Error> {
        invoke(self.0, label::TCB_SET_PRIORITY, &[], &[priority.into()])
    }

    /// Binds a notification, which then wakes the thread wherever it receives.
    ///
    /// # Errors
    /// The kernel's: bound already.
    pub fn bind_notification(self, notification: Notification) -> Result<(), Error> {
        invoke(self.0, label::TCB_BIND_NOTIFICATION, &[notification.0], &[])
    }

    /// Sets the instruction and stack pointers, clears every other register and, if asked, lets the thread run.
    ///
    /// # Errors
    /// The kernel's.
    pub fn write_registers(self, resume: bool, context: &UserContext) -> Result<(), Error> {
        // rip, rsp, rflags, rax..r15, tls_base (`seL4_UserContext`).
        const REGISTERS: usize = 19;
        let mut words = [0; 2 + REGISTERS];
        words[0] = resume.into();
        words[1] = REGISTERS as u64;
        words[2] = context.rip;
        words[3] = context.rsp;
        invoke(self.0, label::TCB_WRITE_REGISTERS, &[], &words)
    }

    /// Sets the instruction pointer alone and lets the thread run.
    ///
    /// # Errors
    /// The kernel's.
    pub fn restart_at(self, rip: Word) -> Result<(), Error> {
        invoke(self.0, label::TCB_WRITE_REGISTERS, &[], &[1, 1, rip])
    }

    /// States the guest-physical memory of the virtual machine that the thread runs.
    ///
    /// # Errors
    /// The kernel's.
    pub fn set_ept_root(self, ept: CPtr) -> Result<(), Error> {
        invoke(self.0, label::TCB_SET_EPT_ROOT, &[ept], &[])
    }

    /// Stops the thread.
    ///
    /// # Errors
    /// The kernel's.
    pub fn suspend(self) -> Result<(), Error> {
        invoke(self.0, label::TCB_SUSPEND, &[], &[])
    }

    /// Lets the thread run.
    ///
    /// # Errors
    /// The kernel's.
    pub fn resume(self) -> Result<(), Error> {
        invoke(self.0, label::TCB_RESUME, &[], &[])
    }
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

/// A virtual CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vcpu(pub CPtr);

impl Vcpu {
    /// The registers of [`write_registers`](Self::write_registers): eax, ebx, ecx, edx, esi, edi, ebp.
    pub const REGISTERS: usize = 7;

    /// Binds it to the thread that runs it.
    ///
    /// # Errors
    /// The kernel's.
    pub fn set_tcb(self, tcb: Tcb) -> Result<(), Error> {
        invoke(self.0, label::X86_VCPU_SET_TCB, &[tcb.0], &[])
    }

    /// Reads a field of the VMCS.
    ///
    /// # Errors
    /// The kernel's: not one of those that it lets be read.
    pub fn read_vmcs(self, field: Word) -> Result<Word, Error> {
        let info = MessageInfo::new(label::X86_VCPU_READ_VMCS, 0, 1);
        let (tag, regs) = raw_call(self.0, info, [field, 0, 0, 0]);
        Error::check(tag.label()).map(|()| regs[0])
    }

    /// Writes a field of the VMCS; gives what the kernel made of the value.
    ///
    /// # Errors
    /// The kernel's: not one of those that it lets be written.
    pub fn write_vmcs(self, field: Word, value: Word) -> Result<Word, Error> {
        let info = MessageInfo::new(label::X86_VCPU_WRITE_VMCS, 0, 2);
        let (tag, regs) = raw_call(self.0, info, [field, value, 0, 0]);
        Error::check(tag.label()).map(|()| regs[0])
    }

    /// Writes the guest's general registers, which the VMCS has not.
    ///
    /// # Errors
    /// The kernel's.
    pub fn write_registers(self, registers: &[Word; Self::REGISTERS]) -> Result<(), Error> {
        invoke(self.0, label::X86_VCPU_WRITE_REGISTERS, &[], registers)
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

/// Where a message-signalled interrupt comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MsiSource {
    /// PCI bus.
    pub bus: u8,
    /// PCI device.
    pub device: u8,
    /// PCI function.
    pub function: u8,
    /// Which of the device's messages.
    pub handle: u64,
}

/// The right to issue interrupt handlers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IrqControl(pub CPtr);

impl IrqControl {
    /// Issues a handler for an IOAPIC pin into slot `slot` of `cnode`.
    ///
    /// # Errors
    /// The kernel's: no such pin, vector in use.
    pub fn get_ioapic(
        self,
        (cnode, slot): (CNode, Word),
        (ioapic, pin): (Word, Word),
        level: bool,
        active_low: bool,
        vector: Word,
    ) -> Result<(), Error> {
        invoke(
            self.0,
            label::X86_IRQ_ISSUE_IRQ_HANDLER_IOAPIC,
            &[cnode.cap],
            &[slot, cnode.depth, ioapic, pin, level.into(), active_low.into(), vector],
        )
    }

    /// Issues a handler for a message-signalled interrupt into slot `slot` of `cnode`.
    ///
    /// # Errors
    /// The kernel's: vector in use or out of range.
    pub fn get_msi(self, (cnode, slot): (CNode, Word), source: MsiSource, vector: Word) -> Result<(), Error> {
        let MsiSource { bus, device, function, handle } = source;
        invoke(
            self.0,
            label::X86_IRQ_ISSUE_IRQ_HANDLER_MSI,
            &[cnode.cap],
            &[slot, cnode.depth, bus.into(), device.into(), function.into(), handle, vector],
        )
    }
}

/// An interrupt handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IrqHandler(pub CPtr);

impl IrqHandler {
    /// Lets the interrupt come again.
    ///
    /// # Errors
    /// The kernel's.
    pub fn ack(self) -> Result<(), Error> {
        let (tag, _) = raw_call(self.0, Self::ack_message(), [0; FAST_REGISTERS]);
        Error::check(tag.label())
    }

    /// The message of [`ack`](Self::ack), for a caller that sends it itself.
    #[must_use]
    pub const fn ack_message() -> MessageInfo {
        MessageInfo::new(label::IRQ_ACK_IRQ, 0, 0)
    }

    /// Has the interrupt signal a notification.
    ///
    /// # Errors
    /// The kernel's.
    pub fn set_notification(self, notification: Notification) -> Result<(), Error> {
        invoke(self.0, label::IRQ_SET_IRQ_HANDLER, &[notification.0], &[])
    }
}

/// A range of I/O ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IoPort(pub CPtr);

impl IoPort {
    /// The word that narrows a copy to ports `first..=last`, for [`CNode::mint`] (`io_port_capdata`).
    #[must_use]
    pub const fn range(first: u16, last: u16) -> Word {
        (first as u64) << 16 | last as u64
    }

    fn read(self, label: u64, port: u16) -> Result<Word, Error> {
        let (tag, regs) = raw_call(self.0, MessageInfo::new(label, 0, 1), [port.into(), 0, 0, 0]);
        Error::check(tag.label()).map(|()| regs[0])
    }

    fn write(self, label: u64, port: u16, value: Word) -> Result<(), Error> {
        let (tag, _) = raw_call(self.0, MessageInfo::new(label, 0, 2), [port.into(), value, 0, 0]);
        Error::check(tag.label())
    }

    /// Reads a byte.
    ///
    /// # Errors
    /// The kernel's: a port outside the range.
    pub fn in8(self, port: u16) -> Result<u8, Error> {
        self.read(label::X86_IO_PORT_IN8, port).map(|value| (value & 0xff) as u8)
    }

    /// Reads two bytes.
    ///
    /// # Errors
    /// The kernel's: a port outside the range.
    pub fn in16(self, port: u16) -> Result<u16, Error> {
        self.read(label::X86_IO_PORT_IN16, port).map(|value| (value & 0xffff) as u16)
    }

    /// Reads four bytes.
    ///
    /// # Errors
    /// The kernel's: a port outside the range.
    pub fn in32(self, port: u16) -> Result<u32, Error> {
        self.read(label::X86_IO_PORT_IN32, port).map(|value| (value & 0xffff_ffff) as u32)
    }

    /// Writes a byte.
    ///
    /// # Errors
    /// The kernel's: a port outside the range.
    pub fn out8(self, port: u16, value: u8) -> Result<(), Error> {
        self.write(label::X86_IO_PORT_OUT8, port, value.into())
    }

    /// Writes two bytes.
    ///
    /// # Errors
    /// The kernel's: a port outside the range.
    pub fn out16(self, port: u16, value: u16) -> Result<(), Error> {
        self.write(label::X86_IO_PORT_OUT16, port, value.into())
    }

    /// Writes four bytes.
    ///
    /// # Errors
    /// The kernel's: a port outside the range.
    pub fn out32(self, port: u16, value: u32) -> Result<(), Error> {
        self.write(label::X86_IO_PORT_OUT32, port, value.into())
    }
}

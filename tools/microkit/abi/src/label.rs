// SPDX-License-Identifier: BSD-2-Clause
//! System call numbers and invocation labels.
//!
//! Labels are counted through the kernel's interface files in the order generic, x86_64, x86; the kernel is
//! built with virtual machine support, which adds labels from 42 up.

/// `seL4_SysCall`.
pub const SYS_CALL: i64 = -1;
/// `seL4_SysReplyRecv`.
pub const SYS_REPLY_RECV: i64 = -2;
/// `seL4_SysSend`.
pub const SYS_SEND: i64 = -3;
/// `seL4_SysNBSend`.
pub const SYS_NB_SEND: i64 = -4;
/// `seL4_SysRecv`.
pub const SYS_RECV: i64 = -5;
/// `seL4_SysReply`.
pub const SYS_REPLY: i64 = -6;
/// `seL4_SysYield`.
pub const SYS_YIELD: i64 = -7;
/// `seL4_SysNBRecv`.
pub const SYS_NB_RECV: i64 = -8;
/// `seL4_SysDebugPutChar`.
pub const SYS_DEBUG_PUT_CHAR: i64 = -9;
/// `seL4_SysVMEnter`.
pub const SYS_VM_ENTER: i64 = -22;

/// `UntypedRetype`.
pub const UNTYPED_RETYPE: u64 = 1;
/// `TCBReadRegisters`.
pub const TCB_READ_REGISTERS: u64 = 2;
/// `TCBWriteRegisters`.
pub const TCB_WRITE_REGISTERS: u64 = 3;
/// `TCBConfigure`.
pub const TCB_CONFIGURE: u64 = 5;
/// `TCBSetPriority`.
pub const TCB_SET_PRIORITY: u64 = 6;
/// `TCBSuspend`.
pub const TCB_SUSPEND: u64 = 10;
/// `TCBResume`.
pub const TCB_RESUME: u64 = 11;
/// `TCBBindNotification`.
pub const TCB_BIND_NOTIFICATION: u64 = 12;
/// `CNodeDelete`.
pub const CNODE_DELETE: u64 = 15;
/// `CNodeCopy`.
pub const CNODE_COPY: u64 = 17;
/// `CNodeMint`.
pub const CNODE_MINT: u64 = 18;
/// `CNodeMove`.
pub const CNODE_MOVE: u64 = 19;
/// `IRQAckIRQ`.
pub const IRQ_ACK_IRQ: u64 = 24;
/// `IRQSetIRQHandler`.
pub const IRQ_SET_IRQ_HANDLER: u64 = 25;
/// `X86PDPTMap`.
pub const X86_PDPT_MAP: u64 = 28;
/// `X86PageDirectoryMap`.
pub const X86_PAGE_DIRECTORY_MAP: u64 = 30;
/// `X86PageTableMap`.
pub const X86_PAGE_TABLE_MAP: u64 = 33;
/// `X86PageMap`.
pub const X86_PAGE_MAP: u64 = 37;
/// `X86PageUnmap`.
pub const X86_PAGE_UNMAP: u64 = 39;
/// `X86PageGetAddress`.
pub const X86_PAGE_GET_ADDRESS: u64 = 41;
/// `X86PageMapEPT`.
pub const X86_PAGE_MAP_EPT: u64 = 42;
/// `X86ASIDPoolAssign`.
pub const X86_ASID_POOL_ASSIGN: u64 = 44;
/// `X86IOPortIn8`.
pub const X86_IO_PORT_IN8: u64 = 45;
/// `X86IOPortIn16`.
pub const X86_IO_PORT_IN16: u64 = 46;
/// `X86IOPortIn32`.
pub const X86_IO_PORT_IN32: u64 = 47;
/// `X86IOPortOut8`.
pub const X86_IO_PORT_OUT8: u64 = 48;
/// `X86IOPortOut16`.
pub const X86_IO_PORT_OUT16: u64 = 49;
/// `X86IOPortOut32`.
pub const X86_IO_PORT_OUT32: u64 = 50;
/// `X86IRQIssueIRQHandlerIOAPIC`.
pub const X86_IRQ_ISSUE_IRQ_HANDLER_IOAPIC: u64 = 51;
/// `X86IRQIssueIRQHandlerMSI`.
pub const X86_IRQ_ISSUE_IRQ_HANDLER_MSI: u64 = 52;
/// `TCBSetEPTRoot`.
pub const TCB_SET_EPT_ROOT: u64 = 53;
/// `X86VCPUSetTCB`.
pub const X86_VCPU_SET_TCB: u64 = 54;
/// `X86VCPUReadVMCS`.
pub const X86_VCPU_READ_VMCS: u64 = 55;
/// `X86VCPUWriteVMCS`.
pub const X86_VCPU_WRITE_VMCS: u64 = 56;
/// `X86VCPUWriteRegisters`.
pub const X86_VCPU_WRITE_REGISTERS: u64 = 59;
/// `X86EPTPDPTMap`.
pub const X86_EPT_PDPT_MAP: u64 = 60;
/// `X86EPTPDMap`.
pub const X86_EPT_PAGE_DIRECTORY_MAP: u64 = 62;
/// `X86EPTPTMap`.
pub const X86_EPT_PAGE_TABLE_MAP: u64 = 64;

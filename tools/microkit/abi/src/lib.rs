// SPDX-License-Identifier: BSD-2-Clause
//! The seL4 5.0.0 system call interface on x86_64, as far as the embedded default uses it.
//!
//! Everything that depends on the kernel's binary interface is here and only here: system call numbers,
//! invocation labels, object types, the layouts of the IPC buffer and of the boot information, and the
//! shape of fault messages. The numbers are those of the kernel that `microkit-kernel` builds (single core,
//! no MCS); its tests compare them with the generated headers.
//!
//! A capability is named by its address in the caller's own CSpace ([`CPtr`]). Invocations take their
//! arguments in message registers: the first four travel in CPU registers, the others in the IPC buffer,
//! whose address a thread states once with [`set_ipc_buffer`].
#![no_std]

mod bootinfo;
mod cap;
mod error;
mod fault;
mod ipc;
pub mod label;
#[cfg(debug_assertions)]
mod lending;
#[cfg(all(feature = "mem", target_feature = "crt-static"))]
mod mem;
pub mod object;
mod syscall;

pub use bootinfo::{BootInfo, Untyped};
pub use cap::{
    AsidPool, CNode, CPtr, Endpoint, Frame, IoPort, IrqControl, IrqHandler, MsiSource, Notification,
    PagingStructure, Rights, Tcb, UntypedCap, UserContext, Vcpu, VmAttributes, WORD_BITS,
};
pub use error::Error;
pub use fault::{CapFault, Fault, UnknownSyscall, UserException, VmFault};
pub use ipc::{IpcBuffer, MAX_LENGTH, MessageInfo, set_ipc_buffer, with_ipc_buffer, with_ipc_buffer_mut};
pub use syscall::{
    FAST_REGISTERS, VmEntry, VmReturn, call, debug_put_char, nb_recv, raw_call, recv, reply, reply_recv,
    send, signal, vm_enter, yield_now,
};

/// A machine word of the kernel's interface.
pub type Word = u64;

/// A word as an address or a number of bytes.
#[must_use]
pub const fn to_usize(word: Word) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "this interface is x86_64's, where both have 64 bits"
    )]
    {
        word as usize
    }
}

/// Address bits of a 4 KiB page.
pub const PAGE_BITS: u32 = 12;
/// Bytes in a 4 KiB page.
pub const PAGE_SIZE: usize = 1 << PAGE_BITS;
/// Address bits of a 2 MiB page.
pub const LARGE_PAGE_BITS: u32 = 21;
/// The first address that no mapping may reach: the last page of the lower canonical half stays empty, so that
/// no instruction ends at a non-canonical address.
pub const USER_TOP: u64 = 0x7fff_ffff_f000;

// SPDX-License-Identifier: BSD-2-Clause
//! Threads, and virtual CPUs that threads run.

use super::{CPtr, Notification, invoke};
use crate::{Error, MessageInfo, Word, label, syscall::raw_call};

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

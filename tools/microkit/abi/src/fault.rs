// SPDX-License-Identifier: BSD-2-Clause
//! Faults, as the kernel sends them to a thread's fault endpoint.

use core::fmt;

use crate::{IpcBuffer, MessageInfo, Word};

/// A fault that a thread raised (`seL4_Fault_t`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A message that is no fault, or too short for its kind.
    NullFault,
    /// A capability that a system call named is not there.
    CapFault(CapFault),
    /// A system call number that the kernel does not have.
    UnknownSyscall(UnknownSyscall),
    /// A processor exception other than a page fault.
    UserException(UserException),
    /// A page fault.
    VmFault(VmFault),
}

/// A failed capability lookup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapFault {
    ip: Word,
    addr: Word,
    in_recv_phase: bool,
}

/// An unknown system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownSyscall {
    fault_ip: Word,
    syscall: Word,
}

/// A processor exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserException {
    fault_ip: Word,
    stack: Word,
    number: Word,
    code: Word,
}

/// A page fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VmFault {
    ip: Word,
    addr: Word,
    prefetch_fault: bool,
    fsr: Word,
}

impl Fault {
    /// Decodes the message in `buffer` that came with `info`.
    #[must_use]
    pub fn new(buffer: &IpcBuffer, info: MessageInfo) -> Self {
        let regs = &buffer.msg_regs()[..info.length()];
        match (info.label(), regs) {
            (1, [ip, addr, phase, ..]) => {
                Self::CapFault(CapFault { ip: *ip, addr: *addr, in_recv_phase: *phase != 0 })
            }
            (2, [head @ .., syscall]) if head.len() == 18 => {
                Self::UnknownSyscall(UnknownSyscall { fault_ip: head[15], syscall: *syscall })
            }
            (3, [ip, stack, _, number, code, ..]) => Self::UserException(UserException {
                fault_ip: *ip,
                stack: *stack,
                number: *number,
                code: *code,
            }),
            (5, [ip, addr, prefetch, fsr, ..]) => {
                Self::VmFault(VmFault { ip: *ip, addr: *addr, prefetch_fault: *prefetch != 0, fsr: *fsr })
            }
            _ => Self::NullFault,
        }
    }

    /// The instruction that faulted; 0 for [`Fault::NullFault`].
    #[must_use]
    pub const fn ip(&self) -> Word {
        match self {
            Self::NullFault => 0,
            Self::CapFault(f) => f.ip,
            Self::UnknownSyscall(f) => f.fault_ip,
            Self::UserException(f) => f.fault_ip,
            Self::VmFault(f) => f.ip,
        }
    }
}

impl CapFault {
    /// The instruction.
    #[must_use]
    pub const fn ip(&self) -> Word {
        self.ip
    }

    /// The capability's address.
    #[must_use]
    pub const fn addr(&self) -> Word {
        self.addr
    }

    /// Whether it failed while receiving.
    #[must_use]
    pub const fn in_recv_phase(&self) -> bool {
        self.in_recv_phase
    }
}

impl UnknownSyscall {
    /// The instruction.
    #[must_use]
    pub const fn fault_ip(&self) -> Word {
        self.fault_ip
    }

    /// The number.
    #[must_use]
    pub const fn syscall(&self) -> Word {
        self.syscall
    }
}

impl UserException {
    /// The instruction.
    #[must_use]
    pub const fn fault_ip(&self) -> Word {
        self.fault_ip
    }

    /// The stack pointer.
    #[must_use]
    pub const fn stack(&self) -> Word {
        self.stack
    }

    /// The exception's vector.
    #[must_use]
    pub const fn number(&self) -> Word {
        self.number
    }

    /// The exception's error code.
    #[must_use]
    pub const fn code(&self) -> Word {
        self.code
    }

    /// The exception's name (Intel SDM volume 3, table 6-1).
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.number {
            0 => "divide error",
            1 => "debug exception",
            3 => "breakpoint",
            4 => "overflow",
            5 => "bound range exceeded",
            6 => "invalid opcode",
            7 => "no math coprocessor",
            11 => "segment not present",
            12 => "stack segment fault",
            13 => "general protection",
            16 => "x87 floating-point error",
            17 => "alignment check",
            19 => "SIMD floating-point exception",
            _ => "exception",
        }
    }
}

impl VmFault {
    /// The instruction.
    #[must_use]
    pub const fn ip(&self) -> Word {
        self.ip
    }

    /// The address that was reached for.
    #[must_use]
    pub const fn addr(&self) -> Word {
        self.addr
    }

    /// Whether an instruction fetch faulted.
    #[must_use]
    pub const fn is_prefetch(&self) -> bool {
        self.prefetch_fault
    }

    /// The page fault's error code.
    #[must_use]
    pub const fn fsr(&self) -> Word {
        self.fsr
    }

    /// What was tried: "fetch", "write" or "read".
    #[must_use]
    pub const fn access(&self) -> &'static str {
        match (self.prefetch_fault, self.fsr & 2 != 0) {
            (true, _) => "fetch",
            (false, true) => "write",
            (false, false) => "read",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NullFault => f.write_str("no fault"),
            Self::CapFault(c) => write!(
                f,
                "capability fault, cap {:#x}{}, ip {:#x}",
                c.addr,
                if c.in_recv_phase { " while receiving" } else { "" },
                c.ip
            ),
            Self::UnknownSyscall(s) => {
                write!(f, "unknown system call {}, ip {:#x}", s.syscall.cast_signed(), s.fault_ip)
            }
            Self::UserException(e) => write!(
                f,
                "exception {} ({}), code {:#x}, ip {:#x}, sp {:#x}",
                e.number,
                e.name(),
                e.code,
                e.fault_ip,
                e.stack
            ),
            Self::VmFault(v) => {
                write!(f, "page fault, {} of {:#x}, ip {:#x}, code {:#x}", v.access(), v.addr, v.ip, v.fsr)
            }
        }
    }
}

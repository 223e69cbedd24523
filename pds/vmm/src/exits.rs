// SPDX-License-Identifier: BSD-2-Clause
//! Exit reasons (Intel SDM 3D, appendix C) and controls.

pub const TRIPLE_FAULT: u64 = 2;
pub const INTERRUPT_WINDOW: u64 = 7;
pub const CPUID: u64 = 10;
pub const HLT: u64 = 12;
pub const VMCALL: u64 = 18;
pub const IO: u64 = 30;
pub const RDMSR: u64 = 31;
pub const WRMSR: u64 = 32;
pub const EPT_VIOLATION: u64 = 48;
pub const PREEMPTION_TIMER: u64 = 52;

/// Primary controls: HLT exits.
pub const ON_HLT: u64 = 1 << 7;
/// Primary controls: exit when the guest can take an interrupt.
pub const ON_INTERRUPT_WINDOW: u64 = 1 << 2;
/// Qualification of an EPT violation: it was a write.
pub const WRITE: u64 = 1 << 1;
/// Qualification of an I/O exit: it was an IN.
pub const IN: u64 = 1 << 3;
/// Interruption information: an external interrupt, valid; the vector is in the low byte.
pub const INJECT_INTERRUPT: u64 = 1 << 31;
/// RFLAGS: interrupts are on.
pub const INTERRUPTS_ON: u64 = 1 << 9;

// SPDX-License-Identifier: BSD-2-Clause
//! Microkit's limits and defaults (tool 2.3.0, board x86_64_generic).

/// Highest number of a channel, interrupt, I/O port, child or virtual CPU: each is a bit of a 64-bit badge, and two
/// bits are taken. (The manual says "less than 63"; the tool refuses 62.)
pub const MAX_ID: u64 = 61;

/// Highest priority of a protection domain; 255 is the monitor's.
pub const MAX_PRIORITY: u64 = 254;

/// Most protection domains in a system.
pub const MAX_PROTECTION_DOMAINS: usize = 63;

/// Highest CPU vector of an interrupt.
pub const MAX_VECTOR: u64 = 107;

/// Page sizes of x86-64 that Microkit uses, in bytes, smallest first.
pub const PAGE_SIZES: [u64; 2] = [0x1000, 0x20_0000];

/// Budget in microseconds where none is given.
pub const BUDGET_DEFAULT: u64 = 1000;

/// Stack in bytes where none is given.
pub const STACK_SIZE_DEFAULT: u64 = 0x2000;

/// Smallest stack in bytes.
pub const STACK_SIZE_MIN: u64 = 0x1000;

/// Largest stack in bytes.
pub const STACK_SIZE_MAX: u64 = 0x100_0000;

/// First virtual address beyond user space.
pub const USER_TOP: u64 = 0x7fff_ffff_f000;

/// First address beyond those of the kernel's I/O address spaces.
pub const IOVA_TOP: u64 = 1 << 39;

/// Most scheduling domains in the SDK's kernels.
pub const MAX_DOMAINS: usize = 16;

/// Entries of the domain schedule in the SDK's kernels; one stays free.
pub const DOMAIN_SCHEDULES: u64 = 100;

/// First slot that a capability of `<cspace>` cannot take.
pub const CAP_SLOTS: u64 = 128;

/// Where a protection domain's IPC buffer lies: the last page of user space.
pub const IPC_BUFFER_VADDR: u64 = USER_TOP - 0x1000;

/// First virtual address above a protection domain's stack: a guard page parts it from the IPC buffer.
pub const STACK_TOP: u64 = IPC_BUFFER_VADDR - 0x1000;

/// First virtual address that a protection domain with a stack of `stack_size` bytes cannot map anything at.
pub const fn map_top(stack_size: u64) -> u64 {
    STACK_TOP.saturating_sub(stack_size)
}

// SPDX-License-Identifier: BSD-2-Clause
//! Where things are in a protection domain's CSpace and address space, and what its badges mean.
//!
//! The slots are libmicrokit's. Badges differ from it: endpoint badges have 28 bits on this kernel, so the marker
//! of libmicrokit's bits 62 and 63 cannot be there; bit 63 marks notifications instead.

/// log2 of the slots of a protection domain's CNode.
pub const CNODE_BITS: u32 = 9;
/// What the domain receives from: its endpoint, or its notification when nobody calls it.
pub const INPUT_CAP: u64 = 1;
/// Where the domain's own faults go: its parent's endpoint or the monitor's.
pub const FAULT_CAP: u64 = 5;
/// First slot of notifications to send, by channel.
pub const BASE_OUTPUT_NOTIFICATION: u64 = 10;
/// First slot of endpoints to call, by channel.
pub const BASE_ENDPOINT: u64 = BASE_OUTPUT_NOTIFICATION + 64;
/// First slot of interrupt handlers, by channel.
pub const BASE_IRQ: u64 = BASE_ENDPOINT + 64;
/// First slot of the children's threads, by child.
pub const BASE_TCB: u64 = BASE_IRQ + 64;
/// First slot of virtual CPUs, by their number.
pub const BASE_VCPU: u64 = BASE_TCB + 2 * 64;
/// First slot of I/O port ranges, by their number.
pub const BASE_IOPORT: u64 = 394;
/// Numbers of channels, interrupts, children and I/O port ranges are below this.
pub const MAX_CHANNELS: usize = 62;

/// Marks a badge that came from notifications; bits 0..=61 are then the channels.
pub const BADGE_NOTIFICATION: u64 = 1 << 63;
/// Marks a call through an endpoint; [`BADGE_ID`] is then the channel.
pub const BADGE_CALL: u64 = 1 << 9;
/// Marks a child's fault; [`BADGE_ID`] is then the child.
pub const BADGE_FAULT: u64 = 1 << 8;
/// The number in an endpoint's badge.
pub const BADGE_ID: u64 = 0x3f;

/// Bytes of a page.
pub const PAGE: u64 = 0x1000;
/// Where the IPC buffer's page is mapped.
pub const IPC_BUFFER: u64 = 0x7fff_ffff_e000;
/// The end of the stack; the page between it and the IPC buffer stays empty.
pub const STACK_TOP: u64 = IPC_BUFFER - PAGE;
/// Bytes of a domain's name in its image, the terminating zero included.
pub const NAME_LENGTH: usize = 64;

// SPDX-License-Identifier: BSD-2-Clause
//! The registers of the invalidation queue.
use bitfield_struct::bitfield;

use super::value;

/// Invalidation queue head (VT-d 11.4.9.1): what hardware fetches next.
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct QueueHead {
    #[bits(4)]
    __: u8,
    /// QH: offset in units of 16 bytes.
    #[bits(15)]
    pub units: u16,
    #[bits(45)]
    __: u64,
}
value!(QueueHead, u64);

/// Invalidation queue tail (VT-d 11.4.9.2): where software writes next.
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct QueueTail {
    #[bits(4)]
    __: u8,
    /// QT: offset in units of 16 bytes.
    #[bits(15)]
    pub units: u16,
    #[bits(45)]
    __: u64,
}
value!(QueueTail, u64);

/// Invalidation queue address (VT-d 11.4.9.3).
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct QueueAddress {
    /// QS: the queue has 2^QS frames.
    #[bits(3)]
    pub size: u8,
    __: u8,
    /// DW: descriptors have 256 bits.
    pub wide: bool,
    /// IQA: frame number of the queue.
    #[bits(52)]
    pub frame: u64,
}
value!(QueueAddress, u64);

// Where the fields are.
const _: () = {
    assert!(QueueHead::new().with_units(1).into_bits() == 1 << 4);
    assert!(QueueTail::new().with_units(1).into_bits() == 1 << 4);
    assert!(QueueAddress::new().with_size(7).into_bits() == 7);
    assert!(QueueAddress::new().with_wide(true).into_bits() == 1 << 11);
    assert!(QueueAddress::new().with_frame(1).into_bits() == 1 << 12);
};

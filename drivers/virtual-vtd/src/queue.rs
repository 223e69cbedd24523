// SPDX-License-Identifier: BSD-2-Clause
//! The invalidation queue: nothing is cached, so that every descriptor is done when it is read, and a wait descriptor
//! says so (VT-d 6.5.2).

use crate::{
    Page,
    events::Source,
    registers::{FSTS, IQA, IQH, IQT, QUEUE_ERROR, WAIT_DONE},
};

/// A guest's physical memory.
pub trait GuestMemory {
    /// The 64-bit word at an aligned address; `None` where the guest has no memory.
    fn read(&mut self, address: u64) -> Option<u64>;
    /// Writes 32 bits at an aligned address; `None` where the guest has no memory that it may write.
    fn write(&mut self, address: u64, value: u32) -> Option<()>;
}

/// Context cache, IOTLB, device TLB, interrupt entry cache, wait, extended IOTLB, PASID cache, extended device TLB and
/// page group response: the types that a driver may use.
const KNOWN: core::ops::RangeInclusive<u64> = 1..=9;
const WAIT: u64 = 5;
/// Wait descriptor: set ICS.IWC, which is an event.
const WAIT_INTERRUPT: u64 = 1 << 4;
/// Wait descriptor: write the status.
const WAIT_STATUS: u64 = 1 << 5;

impl Page<'_> {
    /// Works off the queue from head to tail: at most 2^15 descriptors, which is all that a queue has.
    ///
    /// A descriptor of no known type, memory that is not the guest's, or a head or tail that is outside the queue or not
    /// between two descriptors stops the queue with FSTS.IQE until the guest clears it. The head stays at the descriptor.
    pub fn drain(&mut self, memory: &mut impl GuestMemory) {
        let queue = self.read(IQA);
        let shift = if queue & 1 << 11 == 0 { 4 } else { 5 };
        let (base, bytes) = (queue & !0xfff, 1 << (12 + (queue & 7)));
        let tail = self.read(IQT);
        let stride = 1 << shift;
        while self.read(IQH) != tail && self.read(FSTS) & QUEUE_ERROR == 0 {
            let head = self.read(IQH);
            let sound = tail < bytes && head < bytes && (head | tail).is_multiple_of(stride);
            if !sound || self.descriptor(base.wrapping_add(head), memory).is_none() {
                return self.condition(Source::Fault, QUEUE_ERROR);
            }
            self.set(IQH, (head + stride) % bytes);
        }
    }

    /// Does one descriptor; `None` stops the queue.
    fn descriptor(&mut self, address: u64, memory: &mut impl GuestMemory) -> Option<()> {
        let word = memory.read(address)?;
        let kind = word & 0xf | word >> 5 & 0x70;
        if !KNOWN.contains(&kind) {
            return None;
        }
        if kind == WAIT {
            if word & WAIT_STATUS != 0 {
                let status = u32::try_from(word >> 32).ok()?;
                let target = memory.read(address.wrapping_add(8))? & !0x3;
                memory.write(target, status)?;
            }
            if word & WAIT_INTERRUPT != 0 {
                self.condition(Source::Completion, WAIT_DONE);
            }
        }
        Some(())
    }
}

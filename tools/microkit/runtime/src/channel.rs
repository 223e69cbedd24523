// SPDX-License-Identifier: BSD-2-Clause
//! Channels to other domains and interrupts, which share one space of numbers.

use core::fmt;

use microkit_image::layout;
use sel4_abi::{CPtr, IrqHandler};

use crate::{MessageInfo, symbols};

/// A channel between this protection domain and another, or an interrupt, identified by its number.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct Channel {
    index: usize,
}

impl Channel {
    /// The channel with number `index`, as system.xml has it.
    ///
    /// # Panics
    /// For an index above 61.
    #[must_use]
    pub const fn new(index: usize) -> Self {
        assert!(index < layout::MAX_CHANNELS);
        Self { index }
    }

    /// The number.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    #[inline(always)]
    fn cap(self, method: &str, base: CPtr, valid: u64) -> CPtr {
        if valid & (1 << self.index) == 0 {
            self.not_valid(method);
        }
        base + self.index as u64
    }

    #[cold]
    #[inline(never)]
    fn not_valid(self, method: &str) -> ! {
        panic!("{method}: not valid for channel '{}'", self.index)
    }

    pub(crate) fn notification(self) -> CPtr {
        self.cap("notify", layout::BASE_OUTPUT_NOTIFICATION, symbols::pd_notifications())
    }

    pub(crate) fn irq_handler(self) -> IrqHandler {
        IrqHandler(self.cap("irq_ack", layout::BASE_IRQ, symbols::pd_irqs()))
    }

    /// Notifies the domain at the other end.
    ///
    /// # Panics
    /// When system.xml does not let this end notify.
    pub fn notify(&self) {
        sel4_abi::signal(self.notification());
    }

    /// Lets the interrupt come again.
    ///
    /// # Errors
    /// The kernel's refusal.
    ///
    /// # Panics
    /// When the number is not that of an interrupt.
    pub fn irq_ack(&self) -> Result<(), IrqAckError> {
        self.irq_handler().ack().map_err(IrqAckError)
    }

    /// Calls the domain at the other end with the message in the message registers; the reply replaces it.
    ///
    /// # Panics
    /// When system.xml does not let this end call.
    #[inline]
    pub fn pp_call(&self, msg_info: MessageInfo) -> MessageInfo {
        let endpoint = self.cap("pp_call", layout::BASE_ENDPOINT, symbols::pd_pps());
        MessageInfo::from_inner(sel4_abi::call(endpoint, msg_info.into_inner()))
    }
}

/// Error type returned by [`Channel::irq_ack`].
#[derive(Debug, PartialEq, Eq)]
pub struct IrqAckError(sel4_abi::Error);

impl fmt::Display for IrqAckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "irq ack error: {}", self.0)
    }
}

impl core::error::Error for IrqAckError {}

// SPDX-License-Identifier: BSD-2-Clause
//! Messages: their tag and the message registers.

use sel4_abi::{with_ipc_buffer, with_ipc_buffer_mut};

/// Type alias for [`MessageInfo`] labels.
pub type MessageLabel = sel4_abi::Word;

/// Type alias for message register values.
pub type MessageRegisterValue = sel4_abi::Word;

/// What describes a message: its label and the number of its registers.
#[derive(Debug, Clone, Default)]
pub struct MessageInfo {
    inner: sel4_abi::MessageInfo,
}

impl MessageInfo {
    #[doc(hidden)]
    #[must_use]
    pub fn from_inner(inner: sel4_abi::MessageInfo) -> Self {
        Self { inner }
    }

    #[doc(hidden)]
    #[must_use]
    pub fn inner(&self) -> &sel4_abi::MessageInfo {
        &self.inner
    }

    #[doc(hidden)]
    #[must_use]
    pub fn into_inner(self) -> sel4_abi::MessageInfo {
        self.inner
    }

    /// A message of `count` registers (at most 120).
    #[must_use]
    pub fn new(label: MessageLabel, count: usize) -> Self {
        Self::from_inner(sel4_abi::MessageInfo::new(label, 0, count as u64))
    }

    /// The label associated with this message.
    #[must_use]
    pub fn label(&self) -> MessageLabel {
        self.inner.label()
    }

    /// The number of meaningful bits in `MessageLabel`.
    #[must_use]
    pub const fn label_width() -> usize {
        sel4_abi::MessageInfo::LABEL_BITS
    }

    /// The number of filled message registers associated with this message.
    #[must_use]
    pub fn count(&self) -> usize {
        self.inner.length()
    }

    /// Interpret this message as a [`Fault`](crate::Fault).
    #[must_use]
    pub fn fault(&self) -> sel4_abi::Fault {
        with_ipc_buffer(|buffer| sel4_abi::Fault::new(buffer, self.inner))
    }
}

/// Provides access to the protection domain's message registers.
pub fn with_msg_regs<T>(f: impl FnOnce(&[MessageRegisterValue]) -> T) -> T {
    with_ipc_buffer(|buffer| f(buffer.msg_regs()))
}

/// Provides mutable access to the protection domain's message registers.
pub fn with_msg_regs_mut<T>(f: impl FnOnce(&mut [MessageRegisterValue]) -> T) -> T {
    with_ipc_buffer_mut(|buffer| f(buffer.msg_regs_mut()))
}

/// Provides access to the protection domain's message registers, viewed as an array of bytes.
pub fn with_msg_bytes<T>(f: impl FnOnce(&[u8]) -> T) -> T {
    with_ipc_buffer(|buffer| f(buffer.msg_bytes()))
}

/// Provides mutable access to the protection domain's message registers, viewed as an array of bytes.
pub fn with_msg_bytes_mut<T>(f: impl FnOnce(&mut [u8]) -> T) -> T {
    with_ipc_buffer_mut(|buffer| f(buffer.msg_bytes_mut()))
}

/// Writes a message register.
///
/// # Panics
/// For an index of 120 or more.
pub fn set_mr(i: usize, value: MessageRegisterValue) {
    with_msg_regs_mut(|regs| regs[i] = value);
}

/// Reads a message register.
///
/// # Panics
/// For an index of 120 or more.
#[must_use]
pub fn get_mr(i: usize) -> MessageRegisterValue {
    with_msg_regs(|regs| regs[i])
}

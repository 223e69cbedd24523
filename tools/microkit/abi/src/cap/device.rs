// SPDX-License-Identifier: BSD-2-Clause
//! What reaches devices beside memory: interrupts and I/O ports.

use super::{CNode, CPtr, Notification, invoke};
use crate::{
    Error, MessageInfo, Word, label,
    syscall::{FAST_REGISTERS, raw_call},
};

/// Where a message-signalled interrupt comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MsiSource {
    /// PCI bus.
    pub bus: u8,
    /// PCI device.
    pub device: u8,
    /// PCI function.
    pub function: u8,
    /// Which of the device's messages.
    pub handle: u64,
}

/// The right to issue interrupt handlers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IrqControl(pub CPtr);

impl IrqControl {
    /// Issues a handler for an IOAPIC pin into slot `slot` of `cnode`.
    ///
    /// # Errors
    /// The kernel's: no such pin, vector in use.
    pub fn get_ioapic(
        self,
        (cnode, slot): (CNode, Word),
        (ioapic, pin): (Word, Word),
        level: bool,
        active_low: bool,
        vector: Word,
    ) -> Result<(), Error> {
        invoke(
            self.0,
            label::X86_IRQ_ISSUE_IRQ_HANDLER_IOAPIC,
            &[cnode.cap],
            &[slot, cnode.depth, ioapic, pin, level.into(), active_low.into(), vector],
        )
    }

    /// Issues a handler for a message-signalled interrupt into slot `slot` of `cnode`.
    ///
    /// # Errors
    /// The kernel's: vector in use or out of range.
    pub fn get_msi(self, (cnode, slot): (CNode, Word), source: MsiSource, vector: Word) -> Result<(), Error> {
        let MsiSource { bus, device, function, handle } = source;
        invoke(
            self.0,
            label::X86_IRQ_ISSUE_IRQ_HANDLER_MSI,
            &[cnode.cap],
            &[slot, cnode.depth, bus.into(), device.into(), function.into(), handle, vector],
        )
    }
}

/// An interrupt handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IrqHandler(pub CPtr);

impl IrqHandler {
    /// Lets the interrupt come again.
    ///
    /// # Errors
    /// The kernel's.
    pub fn ack(self) -> Result<(), Error> {
        let (tag, _) = raw_call(self.0, Self::ack_message(), [0; FAST_REGISTERS]);
        Error::check(tag.label())
    }

    /// The message of [`ack`](Self::ack), for a caller that sends it itself.
    #[must_use]
    pub const fn ack_message() -> MessageInfo {
        MessageInfo::new(label::IRQ_ACK_IRQ, 0, 0)
    }

    /// Has the interrupt signal a notification.
    ///
    /// # Errors
    /// The kernel's.
    pub fn set_notification(self, notification: Notification) -> Result<(), Error> {
        invoke(self.0, label::IRQ_SET_IRQ_HANDLER, &[notification.0], &[])
    }
}

/// A range of I/O ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IoPort(pub CPtr);

impl IoPort {
    /// The word that narrows a copy to ports `first..=last`, for [`CNode::mint`] (`io_port_capdata`).
    #[must_use]
    pub const fn range(first: u16, last: u16) -> Word {
        (first as u64) << 16 | last as u64
    }

    fn read(self, label: u64, port: u16) -> Result<Word, Error> {
        let (tag, regs) = raw_call(self.0, MessageInfo::new(label, 0, 1), [port.into(), 0, 0, 0]);
        Error::check(tag.label()).map(|()| regs[0])
    }

    fn write(self, label: u64, port: u16, value: Word) -> Result<(), Error> {
        let (tag, _) = raw_call(self.0, MessageInfo::new(label, 0, 2), [port.into(), value, 0, 0]);
        Error::check(tag.label())
    }

    /// Reads a byte.
    ///
    /// # Errors
    /// The kernel's: a port outside the range.
    pub fn in8(self, port: u16) -> Result<u8, Error> {
        self.read(label::X86_IO_PORT_IN8, port).map(|value| (value & 0xff) as u8)
    }

    /// Reads two bytes.
    ///
    /// # Errors
    /// The kernel's: a port outside the range.
    pub fn in16(self, port: u16) -> Result<u16, Error> {
        self.read(label::X86_IO_PORT_IN16, port).map(|value| (value & 0xffff) as u16)
    }

    /// Reads four bytes.
    ///
    /// # Errors
    /// The kernel's: a port outside the range.
    pub fn in32(self, port: u16) -> Result<u32, Error> {
        self.read(label::X86_IO_PORT_IN32, port).map(|value| (value & 0xffff_ffff) as u32)
    }

    /// Writes a byte.
    ///
    /// # Errors
    /// The kernel's: a port outside the range.
    pub fn out8(self, port: u16, value: u8) -> Result<(), Error> {
        self.write(label::X86_IO_PORT_OUT8, port, value.into())
    }

    /// Writes two bytes.
    ///
    /// # Errors
    /// The kernel's: a port outside the range.
    pub fn out16(self, port: u16, value: u16) -> Result<(), Error> {
        self.write(label::X86_IO_PORT_OUT16, port, value.into())
    }

    /// Writes four bytes.
    ///
    /// # Errors
    /// The kernel's: a port outside the range.
    pub fn out32(self, port: u16, value: u32) -> Result<(), Error> {
        self.write(label::X86_IO_PORT_OUT32, port, value.into())
    }
}

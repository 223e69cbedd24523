// SPDX-License-Identifier: BSD-2-Clause
//! Actions put off until the domain receives next.
//!
//! On a kernel with MCS they are sent in one system call with that receive; here they are sent just before it.

use crate::{Channel, IrqAckError};

/// An action deferred with [`Handler::take_deferred_action`](crate::Handler::take_deferred_action).
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub struct DeferredAction {
    channel: Channel,
    interface: DeferredActionInterface,
}

/// A channel interface for which actions can be deferred.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum DeferredActionInterface {
    /// [`Channel::notify`].
    Notify,
    /// [`Channel::irq_ack`].
    IrqAck,
}

impl DeferredAction {
    /// The action `interface` on `channel`.
    #[must_use]
    pub fn new(channel: Channel, interface: DeferredActionInterface) -> Self {
        Self { channel, interface }
    }

    /// A deferred [`Channel::notify`].
    #[must_use]
    pub fn new_notify(channel: Channel) -> Self {
        Self::new(channel, DeferredActionInterface::Notify)
    }

    /// A deferred [`Channel::irq_ack`].
    #[must_use]
    pub fn new_irq_ack(channel: Channel) -> Self {
        Self::new(channel, DeferredActionInterface::IrqAck)
    }

    /// The channel.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// What is done on it.
    #[must_use]
    pub fn interface(&self) -> DeferredActionInterface {
        self.interface
    }

    /// Does it at once.
    ///
    /// # Errors
    /// As [`Channel::irq_ack`].
    pub fn execute_now(self) -> Result<(), IrqAckError> {
        match self.interface {
            DeferredActionInterface::Notify => {
                self.channel.notify();
                Ok(())
            }
            DeferredActionInterface::IrqAck => self.channel.irq_ack(),
        }
    }
}

/// Utility type for implementing [`Handler::take_deferred_action`](crate::Handler::take_deferred_action).
#[derive(Debug, Default)]
pub struct DeferredActionSlot {
    inner: Option<DeferredAction>,
}

impl DeferredActionSlot {
    /// An empty slot.
    #[must_use]
    pub const fn new() -> Self {
        Self { inner: None }
    }

    /// Takes the action out.
    pub fn take(&mut self) -> Option<DeferredAction> {
        self.inner.take()
    }

    /// Puts an action in; one that was there is done at once.
    ///
    /// # Errors
    /// As [`DeferredAction::execute_now`].
    pub fn defer(&mut self, action: DeferredAction) -> Result<(), IrqAckError> {
        self.inner.replace(action).map_or(Ok(()), DeferredAction::execute_now)
    }

    /// Defers a notification.
    ///
    /// # Errors
    /// As [`DeferredActionSlot::defer`].
    pub fn defer_notify(&mut self, channel: Channel) -> Result<(), IrqAckError> {
        self.defer(DeferredAction::new_notify(channel))
    }

    /// Defers an acknowledgement.
    ///
    /// # Errors
    /// As [`DeferredActionSlot::defer`].
    pub fn defer_irq_ack(&mut self, channel: Channel) -> Result<(), IrqAckError> {
        self.defer(DeferredAction::new_irq_ack(channel))
    }
}

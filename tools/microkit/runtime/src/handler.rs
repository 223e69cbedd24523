// SPDX-License-Identifier: BSD-2-Clause
//! The domain's own part of its main loop.

use core::fmt;

pub use core::convert::Infallible;

use crate::{
    Channel, Child, MessageInfo,
    defer::DeferredAction,
    ipc::{self, ChannelSet, Event},
    symbols,
};

/// Trait for the application-specific part of a protection domain's main loop.
pub trait Handler {
    /// Error type returned by this protection domain's entrypoints.
    type Error: fmt::Display;

    /// Notifications or interrupts came from `channels`. The default panics.
    ///
    /// # Errors
    /// The domain's own; it ends the main loop.
    fn notified(&mut self, channels: ChannelSet) -> Result<(), Self::Error> {
        panic!("unexpected notification from channels {}", channels.display())
    }

    /// The domain at the other end of `channel` calls; what is returned, with the message registers, is its reply.
    /// The default panics.
    ///
    /// # Errors
    /// The domain's own; it ends the main loop.
    fn protected(&mut self, channel: Channel, msg_info: MessageInfo) -> Result<MessageInfo, Self::Error> {
        panic!("unexpected protected procedure call from channel {channel:?} with msg_info={msg_info:?}")
    }

    /// A child faulted; see [`MessageInfo::fault`]. A message in return lets it run on, `None` leaves it stopped.
    /// The default panics.
    ///
    /// # Errors
    /// The domain's own; it ends the main loop.
    fn fault(&mut self, child: Child, msg_info: MessageInfo) -> Result<Option<MessageInfo>, Self::Error> {
        panic!("unexpected fault from protection domain {child:?} with msg_info={msg_info:?}")
    }

    /// An action to do before the domain receives next. The default has none.
    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        None
    }

    /// The main loop.
    ///
    /// # Errors
    /// The first error of an entry point.
    #[doc(hidden)]
    fn run(&mut self) -> Result<Never, Self::Error> {
        // An interrupt that came before the domain ran waits for its acknowledgement.
        for channel in ChannelSet::from_bits(symbols::pd_irqs()).iter() {
            acknowledge(channel.irq_ack());
        }
        let (mut info, mut badge) = ipc::recv();
        loop {
            let reply = match Event::of(badge) {
                Event::Notified(channels) => {
                    self.notified(channels)?;
                    None
                }
                Event::Protected(channel) => Some(self.protected(channel, info)?),
                Event::Fault(child) => self.fault(child, info)?,
            };
            if let Some(action) = self.take_deferred_action() {
                acknowledge(action.execute_now());
            }
            (info, badge) = match reply {
                Some(reply) => ipc::reply_recv(reply),
                None => ipc::recv(),
            };
        }
    }
}

fn acknowledge(result: Result<(), crate::IrqAckError>) {
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// The value of a main loop that ended without error: none.
#[doc(hidden)]
#[derive(Debug)]
pub enum Never {}

impl Handler for Never {
    type Error = Infallible;
}

/// A [`Handler`] implementation which does not override any of the default method implementations.
#[derive(Debug)]
pub struct NullHandler(());

impl NullHandler {
    /// The handler.
    #[allow(
        clippy::new_without_default,
        reason = "the name of rust-sel4's crate, which has no Default either"
    )]
    #[must_use]
    pub fn new() -> Self {
        Self(())
    }
}

impl Handler for NullHandler {
    type Error = Infallible;
}

// SPDX-License-Identifier: BSD-2-Clause
//! From seL4's messages to the server's calls, and back.

use ioasid_api::{Code, Tag};
use ioasid_config::Config;
use ioasid_server::{Notify, Server};
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, MessageInfo, Never, with_msg_regs_mut};
use vtd::mapped::{MappedFrames, MappedRegisters};

use crate::memory;

/// Wakes clients by notifications of their channels.
pub struct Notifications;

impl Notify for Notifications {
    fn notify(&mut self, channel: u32) {
        if let Ok(channel) = usize::try_from(channel) {
            Channel::new(channel).notify();
        }
    }
}

/// What the domain does, from its start on: decided once, and not asked for each call.
#[expect(clippy::large_enum_variant, reason = "there is one, and it is made once")]
pub enum Service {
    /// The server answers.
    Running(Running),
    /// There is no unit, or it could not be set up: everybody is told so, and nobody's device can send DMA.
    NotStarted,
}

/// The server, and what it hears.
pub struct Running {
    server: Server<'static, MappedRegisters, MappedFrames, Notifications>,
    /// Where the unit's fault interrupt arrives.
    fault_channel: usize,
}

/// Tells everybody that there is no unit.
struct NoUnit;

impl Service {
    /// Starts the server, or says in the log why it does not start.
    pub fn start(config: &'static Config) -> Self {
        match Server::start(memory::parts(config, Notifications)) {
            Ok(server) => Self::Running(Running {
                server,
                // No channel has a number that is too large.
                fault_channel: usize::try_from(config.unit.fault_channel).unwrap_or(usize::MAX),
            }),
            Err(error) => {
                log::error!("the service does not start: {error}");
                Self::NotStarted
            }
        }
    }
}

impl Handler for Service {
    type Error = Infallible;

    fn run(&mut self) -> Result<Never, Infallible> {
        match self {
            Self::Running(running) => running.run(),
            Self::NotStarted => NoUnit.run(),
        }
    }
}

/// A reply as the kernel takes it.
fn info(reply: Tag) -> MessageInfo {
    MessageInfo::new(reply.label(), reply.count())
}

impl Handler for Running {
    type Error = Infallible;

    fn protected(&mut self, channel: Channel, message: MessageInfo) -> Result<MessageInfo, Infallible> {
        let reply = with_msg_regs_mut(|registers| match registers.first_chunk_mut() {
            Some(words) => self.server.call(channel.index(), message.label(), message.count(), words),
            None => Tag::refusal(Code::Internal),
        });
        // Only now: while the registers are borrowed, nobody can be notified.
        console_logger::wake();
        self.server.wake();
        Ok(info(reply))
    }

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.iter().any(|channel| channel.index() == self.fault_channel) {
            self.server.fault_event();
            if let Err(error) = Channel::new(self.fault_channel).irq_ack() {
                log::error!("the fault interrupt: {error}");
            }
            console_logger::wake();
        }
        Ok(())
    }
}

impl Handler for NoUnit {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, _: MessageInfo) -> Result<MessageInfo, Infallible> {
        Ok(info(Tag::refusal(Code::NoUnit)))
    }

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }
}

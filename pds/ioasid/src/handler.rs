// SPDX-License-Identifier: BSD-2-Clause
//! From seL4's messages to the server's calls, and back.

use core::sync::atomic::{AtomicU64, Ordering};

use ioasid_api::{Code, Tag};
use ioasid_config::Config;
use ioasid_server::Server;
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, MessageInfo, Never, with_msg_regs_mut};
use vtd::mapped::{MappedFrames, MappedRegisters};

use crate::memory;

/// What is due when a call is over: the bits of the clients' channels, the console's, and what else the server has. While
/// the message registers are borrowed nobody can be notified.
pub static DUE: AtomicU64 = AtomicU64::new(0);

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
    server: Server<'static, MappedRegisters, MappedFrames>,
    /// Where the unit's fault interrupt arrives.
    fault_channel: usize,
}

/// Tells everybody that there is no unit.
struct NoUnit;

impl Service {
    /// Starts the server, or says in the log why it does not start.
    pub fn start(config: &'static Config) -> Self {
        match Server::start(memory::parts(config, &DUE)) {
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

impl Running {
    /// Does what is due: most of the time nothing.
    #[inline(always)]
    fn finish(&mut self) {
        if DUE.load(Ordering::Relaxed) != 0 {
            self.server.finish().for_each(|channel| Channel::new(channel).notify());
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
        self.finish();
        Ok(info(reply))
    }

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.iter().any(|channel| channel.index() == self.fault_channel) {
            self.server.fault_event();
            if let Err(error) = Channel::new(self.fault_channel).irq_ack() {
                log::error!("the fault interrupt: {error}");
            }
            self.finish();
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

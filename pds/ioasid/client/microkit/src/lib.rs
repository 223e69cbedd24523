// SPDX-License-Identifier: BSD-2-Clause
//! The client of a Microkit protection domain: [`ioasid_client`] over a channel.
//!
//! ```ignore
//! const IOASID: Channel = Channel::new(1); // the <end> of the channel in system.xml
//!
//! let client = ioasid_microkit::connect(IOASID)?;
//! let id = client.alloc(1..=0xfffff, 0)?;
//! ```
//!
//! What there is to ask is in [`ioasid_client::Client`], with an example that runs.
#![no_std]
#![forbid(unsafe_code)]

pub use ioasid_client::*;
use sel4_microkit::{Channel, MessageInfo, with_msg_regs, with_msg_regs_mut};

/// The ioasid PD, at the other end of a channel.
#[derive(Clone, Copy, Debug)]
pub struct Server(Channel);

impl Peer for Server {
    #[inline(always)]
    fn call<T>(&self, request: &Message, read: impl FnOnce(u64, &[u64]) -> T) -> T {
        with_msg_regs_mut(|registers| {
            for (register, word) in registers.iter_mut().zip(request.words()) {
                *register = *word;
            }
        });
        let info = self.0.pp_call(MessageInfo::new(request.label, request.count()));
        with_msg_regs(|registers| read(info.label(), registers.get(..info.count()).unwrap_or(registers)))
    }
}

/// A connection to the ioasid PD.
pub type Client = ioasid_client::Client<Server>;

/// Says HELLO on `channel`, whose other end is the ioasid PD. Comes first, and again after [`Code::ServerRestarted`].
///
/// # Errors
/// [`Code::UnsupportedVersion`]: the server speaks another version.
pub fn connect(channel: Channel) -> Result<Client> {
    Client::connect(Server(channel))
}

/// A client's batch page.
pub type Batch<'a> = ioasid_client::Batch<'a, Server>;

// SPDX-License-Identifier: BSD-2-Clause
//! A client that fills its set, so that the end of a full set can be measured: 2048 ids, 64 of them with tables.
#![no_std]
#![no_main]

use ioasid_microkit::{Access, Client, Extent, RegionOffset, Result};
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, protection_domain};

const IOASID: Channel = Channel::new(1);
const CLIENT: Channel = Channel::new(2);

const IDS: u64 = 2048;
const MAPPED: u64 = 64;

struct Crowd;

#[protection_domain]
fn init() -> impl Handler {
    Crowd
}

impl Handler for Crowd {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> core::result::Result<(), Infallible> {
        // Where it fails, the run does not end, and its time-out says so.
        if ioasid_microkit::connect(IOASID).and_then(|client| fill(&client)).is_ok() {
            CLIENT.notify();
        }
        Ok(())
    }
}

fn fill(client: &Client) -> Result<()> {
    for index in 0..IDS {
        let handle = client.alloc(1..=0xf_ffff, index)?;
        if index % (IDS / MAPPED) == 0 {
            let extent = Extent { pages: 1, access: Access::ReadWrite };
            client.map(handle, 0x4000_0000, RegionOffset { region: 0, offset: 0 }, extent)?;
        }
    }
    Ok(())
}

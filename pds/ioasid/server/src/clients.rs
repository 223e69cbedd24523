// SPDX-License-Identifier: BSD-2-Clause
//! Who is behind which channel, and what was granted to whom.

use core::ops::Range;

use heapless::Vec;
use ioasid_api::{Code, Counters};
use ioasid_config::{Client, Config, Device, MAX_CLIENTS, Region};
use ioasid_core::SetId;

/// A client, by its place in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientId(u16);

impl ClientId {
    /// The place.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// What the server keeps of a client.
#[derive(Debug)]
pub struct Account {
    /// Its share of the ids.
    pub set: SetId,
    /// Whether it has said HELLO in this life of the server.
    pub greeted: bool,
    /// What has happened.
    pub counters: Counters,
    devices: Range<usize>,
    regions: Range<usize>,
}

/// Every client.
#[derive(Debug)]
pub struct Clients {
    config: &'static Config,
    accounts: Vec<Account, MAX_CLIENTS>,
}

/// The stretch of a table that belongs to one client. The configuration lists each client's entries together.
fn stretch<T>(table: &[T], owner: impl Fn(&T) -> usize, client: usize) -> Option<Range<usize>> {
    let start = table.iter().position(|entry| owner(entry) == client).unwrap_or(0);
    let len = table.iter().skip(start).take_while(|entry| owner(entry) == client).count();
    let all = table.iter().filter(|entry| owner(entry) == client).count();
    (len == all).then_some(start..start + len)
}

impl Clients {
    /// The clients of a configuration, with a set for each from `open`. `None` where the configuration scatters
    /// what belongs to one client, which the compiler of `ioasid.toml` never does.
    pub fn new<E>(
        config: &'static Config,
        mut open: impl FnMut(&Client) -> Result<SetId, E>,
    ) -> Result<Option<Self>, E> {
        let mut accounts = Vec::new();
        for (index, client) in config.clients().iter().enumerate() {
            let devices = stretch(config.devices(), |device| usize::from(device.client), index);
            let regions = stretch(
                config.regions(),
                |region| usize::try_from(region.client).unwrap_or(usize::MAX),
                index,
            );
            let (Some(devices), Some(regions)) = (devices, regions) else { return Ok(None) };
            let counters = Counters { faults: 0, refused: 0, allocated: 0, freed: 0 };
            let account = Account { set: open(client)?, greeted: false, counters, devices, regions };
            if accounts.push(account).is_err() {
                return Ok(None);
            }
        }
        Ok(Some(Self { config, accounts }))
    }

    /// Who is behind a channel.
    pub fn behind(&self, channel: usize) -> Option<ClientId> {
        let index =
            self.config.clients().iter().position(|client| usize::try_from(client.channel) == Ok(channel))?;
        self.id(index)
    }

    fn id(&self, index: usize) -> Option<ClientId> {
        (index < self.accounts.len()).then_some(ClientId(u16::try_from(index).ok()?))
    }

    /// The client whose set has this number.
    pub fn of_set(&self, set: u16) -> Result<ClientId, Code> {
        self.id(usize::from(set)).ok_or(Code::NoSuchSet)
    }

    /// What the configuration says of a client.
    pub fn entry(&self, client: ClientId) -> &'static Client {
        &self.config.clients()[client.index()]
    }

    /// What the server keeps of a client.
    pub fn account(&self, client: ClientId) -> &Account {
        &self.accounts[client.index()]
    }

    /// The same, to be changed.
    pub fn account_mut(&mut self, client: ClientId) -> &mut Account {
        &mut self.accounts[client.index()]
    }

    /// The devices of a client, in the order of their indices.
    pub fn devices(&self, client: ClientId) -> &'static [Device] {
        &self.config.devices()[self.account(client).devices.clone()]
    }

    /// The device that a client calls `index`.
    pub fn device(&self, client: ClientId, index: u16) -> Result<&'static Device, Code> {
        self.devices(client).get(usize::from(index)).ok_or(Code::NoSuchDevice)
    }

    /// The regions of a client, in the order of their indices.
    pub fn regions(&self, client: ClientId) -> &'static [Region] {
        &self.config.regions()[self.account(client).regions.clone()]
    }

    /// Whose device has this requester id, and what that client calls it.
    pub fn owner_of(&self, source: u16) -> Option<(ClientId, u16)> {
        let device = self.config.devices().iter().find(|device| device.source == source)?;
        let client = self.id(usize::from(device.client))?;
        let index = self.devices(client).iter().position(|device| device.source == source)?;
        Some((client, u16::try_from(index).ok()?))
    }
}

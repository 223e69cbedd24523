// SPDX-License-Identifier: BSD-2-Clause
//! Who is behind which channel, and what was granted to whom.

use core::ops::Range;
use core::sync::atomic::AtomicU64;

use ioasid_api::{Code, Counters, FindWriter, Handle};
use ioasid_config::{Client, Config, Device, MAX_CLIENTS, MAX_DEVICES, Region};
use ioasid_core::event::SubscriberId;
use ioasid_core::{Pasid, PasidRange, SetId};
use vtd::Share;

use crate::StartError;

/// Microkit's channel ids are below this.
pub const MAX_CHANNELS: usize = 62;

/// A client, by its place in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientId(u8);

const _: () = assert!(MAX_CLIENTS <= ClientId::NOBODY as usize);
/// As many as there can be numbers of a client: where something is kept in so many places, none is out of bounds.
const PLACES: usize = 1 << u8::BITS;

impl ClientId {
    /// The number of no client.
    const NOBODY: u8 = u8::MAX;

    /// The client at a place.
    pub(crate) fn nth(place: usize) -> Option<Self> {
        u8::try_from(place).ok().filter(|&number| number != Self::NOBODY).map(Self)
    }

    /// The place.
    #[inline(always)]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The place as a small number.
    #[inline(always)]
    pub fn number(self) -> u8 {
        self.0
    }
}

/// What the server keeps of a client. Its size is a power of two, so that its place is found by a shift.
#[derive(Debug)]
#[repr(align(128))]
pub struct Account<'m> {
    /// What has happened.
    pub counters: Counters,
    /// Its subscription to events.
    pub subscriber: Option<SubscriberId>,
    /// Whether an allocation of its is pending.
    pub waits: bool,
    /// What became of its allocation that was pending.
    pub outcome: Option<Result<Handle, Code>>,
    /// Ids that are torn down, and that a provider had no room to be told of.
    pub unsettled: u32,
    /// Where the search for them goes on.
    pub settled_to: Pasid,
    /// Its share of the memory for tables.
    pub tables: Option<Share>,
    /// Address spaces that it has.
    pub spaces: u32,
    /// Its place among the providers.
    pub provider: Option<u8>,
    /// Its find page.
    pub find: FindWriter<'m>,
    /// Its batch page.
    pub batch: Option<&'m [AtomicU64]>,
    devices: Stretch,
    regions: Stretch,
}

/// A client's entries of a table.
#[derive(Clone, Copy, Debug, Default)]
struct Stretch {
    start: u16,
    len: u16,
}

impl Stretch {
    /// That of the entries that are `client`'s. The configuration lists each client's together; `None` where it does not.
    fn find<T>(table: &[T], client: usize, owner: impl Fn(&T) -> usize) -> Option<Self> {
        let start = table.iter().position(|entry| owner(entry) == client).unwrap_or(0);
        let len = table.iter().skip(start).take_while(|entry| owner(entry) == client).count();
        let all = table.iter().filter(|entry| owner(entry) == client).count();
        let [start, length] = [start, len].map(|number| u16::try_from(number).ok());
        Some(Self { start: start?, len: length? }).filter(|_| len == all)
    }

    fn range(self) -> Range<usize> {
        let start = usize::from(self.start);
        start..start + usize::from(self.len)
    }
}

impl Account<'_> {
    /// That of nobody.
    const VACANT: Self = Self {
        counters: Counters { faults: 0, refused: 0, allocated: 0, freed: 0 },
        subscriber: None,
        waits: false,
        outcome: None,
        unsettled: 0,
        settled_to: Pasid::RESERVED,
        tables: None,
        spaces: 0,
        provider: None,
        find: FindWriter::nowhere(),
        batch: None,
        devices: Stretch { start: 0, len: 0 },
        regions: Stretch { start: 0, len: 0 },
    };
}

const _: () = assert!(size_of::<Account<'_>>() == 128);

/// Every client.
#[derive(Debug)]
pub struct Clients<'m> {
    config: &'m Config,
    /// As many as there are clients are taken. An index is taken modulo the length, so that none is out of bounds.
    accounts: [Account<'m>; MAX_CLIENTS],
    /// Each client's share of the ids.
    sets: [SetId; PLACES],
    /// The numbers that nobody else is given.
    windows: [PasidRange; PLACES],
    count: usize,
    /// The number of who is behind which channel, if it has said HELLO in this life of the server.
    greeted: [u8; MAX_CHANNELS],
    /// How many bits the PASIDs have that each device puts into its requests, by place in the configuration; 0: it puts
    /// none.
    pasid_bits: [u8; MAX_DEVICES],
    /// How often each device faulted since its owner last bound or unbound it, by place in the configuration.
    faults: [u16; MAX_DEVICES],
    providers: u8,
    /// The highest number.
    last: u32,
    /// The numbers that are in nobody's window.
    commons: PasidRange,
}

/// The number of the channel that a client is behind.
fn channel(client: &Client) -> usize {
    usize::try_from(client.channel).unwrap_or(usize::MAX)
}

impl<'m> Clients<'m> {
    /// The clients of a configuration, where `last` is the highest number. They have no sets yet.
    pub fn new(config: &'m Config, last: u32) -> Self {
        Self {
            config,
            accounts: [const { Account::VACANT }; MAX_CLIENTS],
            sets: [SetId::NONE; PLACES],
            windows: [PasidRange::EMPTY; PLACES],
            count: config.clients().len(),
            greeted: [ClientId::NOBODY; MAX_CHANNELS],
            pasid_bits: [0; MAX_DEVICES],
            faults: [0; MAX_DEVICES],
            providers: 0,
            last,
            commons: PasidRange::EMPTY,
        }
    }

    /// Gives each client a set from `open`, and what the configuration grants it.
    ///
    /// # Errors
    /// What `open` says; [`StartError::Config`] where the configuration scatters what belongs to one client, which the
    /// compiler of `ioasid.toml` never does.
    pub fn set_up(
        &mut self,
        mut open: impl FnMut(&Client) -> Result<SetId, StartError>,
    ) -> Result<(), StartError> {
        let config = self.config;
        for (index, client) in config.clients().iter().enumerate() {
            let devices = Stretch::find(config.devices(), index, |device| usize::from(device.client));
            let regions = Stretch::find(config.regions(), index, |region| {
                usize::try_from(region.client).unwrap_or(usize::MAX)
            });
            let (devices, regions) = devices.zip(regions).ok_or(StartError::Config)?;
            let provider = client.may(Client::PROVIDER).then_some(self.providers);
            self.providers += u8::from(provider.is_some());
            let places = self.accounts.get_mut(index).zip(self.sets.get_mut(index));
            let (account, set) = places.ok_or(StartError::Config)?;
            *account = Account { provider, devices, regions, ..Account::VACANT };
            *set = open(client)?;
            if channel(client) >= MAX_CHANNELS {
                return Err(StartError::Config);
            }
        }
        self.share_out(true);
        Ok(())
    }

    /// Shares the numbers out: where all limits together leave room, each client has a window of numbers as long as its
    /// limit. Without windows everything is common: a custom allocator chooses from whatever the client asked for.
    pub fn share_out(&mut self, windows: bool) {
        let windows = windows && self.limits_leave_room();
        let mut first = 1;
        for (window, client) in self.windows.iter_mut().zip(self.config.clients()) {
            let end = if windows { first + client.limit } else { first };
            *window = PasidRange::new(first, end - 1).unwrap_or(PasidRange::EMPTY);
            first = end;
        }
        self.commons = PasidRange::new(first, self.last).unwrap_or(PasidRange::EMPTY);
    }

    fn limits_leave_room(&self) -> bool {
        let limits = self.config.clients().iter().map(|client| u64::from(client.limit)).sum::<u64>();
        limits <= u64::from(self.last)
    }

    /// Whether so many ids can be guaranteed to a client: where each has numbers of its own, no more than those, for
    /// others may hold all that are nobody's.
    pub fn may_guarantee(&self, client: ClientId, reservation: u32) -> Result<(), Code> {
        let there = !self.limits_leave_room() || reservation <= self.entry(client).limit;
        if there { Ok(()) } else { Err(Code::NoSpace) }
    }

    /// Takes every id out of every find page.
    pub fn clear_find_pages(&mut self) {
        self.accounts.iter_mut().for_each(|account| account.find.clear());
    }

    /// A client's share of the ids.
    #[inline(always)]
    pub fn set(&self, client: ClientId) -> SetId {
        self.sets[client.index()]
    }

    /// It has another.
    pub fn give_set(&mut self, client: ClientId, set: SetId) {
        self.sets[client.index()] = set;
    }

    /// The numbers that nobody but this client is given.
    #[inline(always)]
    pub fn window(&self, client: ClientId) -> PasidRange {
        self.windows[client.index()]
    }

    /// The numbers of a range that are in nobody's window.
    pub fn commons(&self, range: PasidRange) -> Option<PasidRange> {
        self.commons.overlap(range)
    }

    /// Who is behind a channel, if it has said HELLO.
    #[inline(always)]
    pub fn behind(&self, channel: usize) -> Option<ClientId> {
        match *self.greeted.get(channel)? {
            ClientId::NOBODY => None,
            number => Some(ClientId(number)),
        }
    }

    /// Who is behind a channel, whether it has said HELLO or not.
    pub fn configured(&self, number: usize) -> Option<ClientId> {
        ClientId::nth(self.config.clients().iter().position(|client| channel(client) == number)?)
    }

    /// The client has said HELLO, or has to say it again.
    pub fn greet(&mut self, client: ClientId, has: bool) {
        let channel = channel(self.entry(client));
        if let Some(place) = self.greeted.get_mut(channel) {
            *place = if has { client.number() } else { ClientId::NOBODY };
        }
    }

    /// Whether it has said HELLO.
    pub fn is_greeted(&self, client: ClientId) -> bool {
        self.behind(channel(self.entry(client))).is_some()
    }

    fn id(&self, index: usize) -> Option<ClientId> {
        ClientId::nth(index).filter(|_| index < self.count)
    }

    /// Whether any client may stand behind a custom allocator.
    #[inline]
    pub fn have_providers(&self) -> bool {
        self.providers > 0
    }

    /// Every client.
    pub fn all(&self) -> impl Iterator<Item = ClientId> + use<> {
        (0..self.count).filter_map(ClientId::nth)
    }

    /// The client whose set has this number.
    pub fn of_set(&self, set: u16) -> Result<ClientId, Code> {
        self.id(usize::from(set)).ok_or(Code::NoSuchSet)
    }

    /// The client that has this set of the registry's.
    pub fn with_set(&self, set: SetId) -> Option<ClientId> {
        self.id(self.sets.iter().take(self.count).position(|&one| one == set)?)
    }

    /// What the configuration says of a client.
    #[inline(always)]
    pub fn entry(&self, client: ClientId) -> &'m Client {
        &self.config.clients()[client.index()]
    }

    /// What the server keeps of a client.
    #[inline(always)]
    pub fn account(&self, client: ClientId) -> &Account<'m> {
        &self.accounts[client.index() % MAX_CLIENTS]
    }

    /// The same, to be changed.
    #[inline(always)]
    pub fn account_mut(&mut self, client: ClientId) -> &mut Account<'m> {
        &mut self.accounts[client.index() % MAX_CLIENTS]
    }

    /// The devices of a client, in the order of their indices.
    pub fn devices(&self, client: ClientId) -> &'m [Device] {
        &self.config.devices()[self.account(client).devices.range()]
    }

    /// The device that a client calls `index`.
    pub fn device(&self, client: ClientId, index: u16) -> Result<&'m Device, Code> {
        self.devices(client).get(usize::from(index)).ok_or(Code::NoSuchDevice)
    }

    /// How many bits the PASIDs have that the device at this place in the configuration puts into its requests.
    pub fn set_pasid_bits(&mut self, place: usize, bits: u8) {
        if let Some(known) = self.pasid_bits.get_mut(place) {
            *known = bits;
        }
    }

    /// The same of the device that a client calls `index`; 0: it puts none.
    pub fn pasid_bits(&self, client: ClientId, index: u16) -> u8 {
        self.pasid_bits.get(self.place(client, index)).copied().unwrap_or(0)
    }

    /// How often the device that a client calls `index` faulted since it was last bound or unbound.
    pub fn faults_mut(&mut self, client: ClientId, index: u16) -> Option<&mut u16> {
        let place = self.place(client, index);
        self.faults.get_mut(place)
    }

    /// Where the device that a client calls `index` is in the configuration.
    fn place(&self, client: ClientId, index: u16) -> usize {
        usize::from(self.account(client).devices.start) + usize::from(index)
    }

    /// The regions of a client, in the order of their indices.
    pub fn regions(&self, client: ClientId) -> &'m [Region] {
        &self.config.regions()[self.account(client).regions.range()]
    }

    /// Whose device has this requester id, and what that client calls it.
    pub fn owner_of(&self, source: u16) -> Option<(ClientId, u16)> {
        let device = self.config.devices().iter().find(|device| device.source == source)?;
        let client = self.id(usize::from(device.client))?;
        let index = self.devices(client).iter().position(|device| device.source == source)?;
        Some((client, u16::try_from(index).ok()?))
    }
}

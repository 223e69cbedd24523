// SPDX-License-Identifier: BSD-2-Clause
//! A server with four clients on a fake unit, and what can be seen of it from outside.

use super::input::Action;
use ioasid_api::{Code, Counters, Field as _, Handle, Message, OPERATIONS, Progress, Question, Reply, Usage};
use ioasid_config::{Config, Device, MAX_CLIENTS, Name, Region, Unit, Window};
use ioasid_core::Memory;
use ioasid_core::allocator::channel::ChannelProvider;
use ioasid_server::{Pages, Parts, Server, Spaces};
use pci::{Address, ConfigSpace};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use vtd_fake::{Behaviour, Fake, FakeRegisters, FakeTables, Personality};
use zerocopy::FromZeros;

/// Two that have a device each, one that looks after all, one that provides.
pub const CLIENTS: usize = 4;
const ADMIN: Client = Client(2);
const PROVIDER: Client = Client(3);

/// A client, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client(u8);

impl Client {
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).map(Self).take(CLIENTS)
    }

    /// The client that a byte chooses: one with a device, most often.
    pub fn of(byte: u8) -> Self {
        Self([0, 0, 0, 1, 1, 2, 2, 3][usize::from(byte % 8)])
    }

    pub fn index(self) -> usize {
        self.0.into()
    }

    pub fn channel(self) -> usize {
        self.index() + 1
    }

    fn number(self) -> u16 {
        self.0.into()
    }

    /// The requester id of its device.
    fn source(self) -> u16 {
        0x78 + 8 * self.number()
    }

    fn has_device(self) -> bool {
        self.0 < 2
    }

    /// Where its memory is: two pages.
    fn memory(self) -> u64 {
        0x1000 + (PAGES << 12) * u64::from(self.0)
    }

    /// What stands at the start of each of its pages, and what its device writes.
    fn mark(self) -> u64 {
        0xc0ffee00 + u64::from(self.0)
    }
}

const PAGES: u64 = 2;
/// Where the unit's tables are, and how many frames they have.
const TABLES: (u64, usize) = (0x1_0000, 96);
/// Words of memory: up to the tables' end.
const WORDS: usize = (0x1_0000 + TABLES.1 * 0x1000) / 8;
/// Ids: 1 to 63.
const NUMBERS: usize = 64;
/// Calls in which every set has to end: acknowledgements are waited for 1,000 each.
const CALLS_TO_END: usize = 5_000;

/// Two devices on bus 0.
struct Bus;

impl ConfigSpace for Bus {
    fn buses(&self) -> u16 {
        1
    }
    fn read(&self, function: Address, offset: u16) -> u32 {
        let there = Client::all().any(|one| one.has_device() && one.source() == function.requester_id());
        match offset {
            0 if there => 0x11e8_1234,
            _ if there => 0,
            _ => u32::MAX,
        }
    }
    fn write(&mut self, _function: Address, _offset: u16, _value: u32) {}
}

/// Memory that one server after the other works in.
pub struct Room {
    registry: Vec<u64>,
    spaces: Spaces,
    providers: [ChannelProvider; 1],
    /// Of each client: its find page, its batch page, its event ring.
    pages: [[Vec<AtomicU64>; 3]; CLIENTS],
    due: AtomicU64,
}

impl Room {
    pub fn new() -> Self {
        let page = |words| (0..words).map(|_| AtomicU64::new(0)).collect();
        let ring = ioasid_api::RING_HEADER_WORDS + 4 * ioasid_api::RING_ENTRY_WORDS;
        Self {
            registry: vec![0; Memory::words_for(NUMBERS)],
            spaces: Spaces::new(),
            providers: [ChannelProvider::new()],
            pages: std::array::from_fn(|_| [2 * NUMBERS, 24, ring].map(page)),
            due: AtomicU64::new(0),
        }
    }
}

/// The configurations: with and without a unit; where all limits fit and each client has numbers of its own, and where not.
fn config(unit: bool, crowded: bool) -> &'static Config {
    static CONFIGS: OnceLock<[Config; 4]> = OnceLock::new();
    let make = |number: usize| make_config(number & 1 != 0, number & 2 != 0);
    &CONFIGS.get_or_init(|| std::array::from_fn(make))[usize::from(unit) | usize::from(crowded) << 1]
}

fn make_config(there: bool, crowded: bool) -> Config {
    let some = Window { vaddr: 0x1000, paddr: 0, size: 0x1000 };
    let none = Window { vaddr: 0, paddr: 0, size: 0 };
    let mut config = Config::new(Unit {
        registers: if there { some } else { none },
        tables: some,
        registry: some,
        ecam: some,
        trace: none,
        firmware: none,
        fault_channel: 0,
        fault_vector: 1,
        pasid_bits: 6,
        reserved: 0,
    });
    for client in Client::all() {
        let rights = match client {
            ADMIN => ioasid_config::Client::ADMIN,
            PROVIDER => ioasid_config::Client::PROVIDER,
            _ => 0,
        };
        config.push_client(ioasid_config::Client {
            name: Name::new("client"),
            channel: u32::from(client.number()) + 1,
            reservation: 2,
            limit: if crowded { 40 } else { 10 },
            rights,
            table_frames: 14,
            spaces: 3,
            ..FromZeros::new_zeroed()
        });
        if there && client.has_device() {
            config.push_device(Device {
                name: Name::new("device"),
                bars: [0; 6],
                source: client.source(),
                client: client.number(),
                msi_vector_plus_one: 0,
            });
        }
        if client.has_device() {
            config.push_region(Region {
                name: Name::new("region"),
                paddr: client.memory(),
                size: PAGES << 12,
                client: client.number().into(),
                access: 3,
            });
        }
    }
    config.seal()
}

/// What can be seen of a client from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    usage: Option<Usage>,
    counters: Option<Counters>,
    pages: u64,
}

/// The server, its unit, and what its clients have learnt.
pub struct World<'r> {
    server: Server<'r, FakeRegisters, FakeTables>,
    fake: Fake,
    pages: &'r [[Vec<AtomicU64>; 3]; CLIENTS],
    due: &'r AtomicU64,
    has_unit: bool,
    handles: Vec<u64>,
    ticket: u64,
    /// Who was ever told that a provider is asked: it may hear of its answer at any time.
    waits: [bool; CLIENTS],
}

/// The label of an operation.
fn label(name: &str) -> u64 {
    OPERATIONS.iter().find(|operation| operation.name == name).expect("an operation of the table").number
}

impl<'r> World<'r> {
    /// A server that was just started and greeted by all.
    pub fn new(room: &'r mut Room, kind: u8) -> Self {
        let config = config(kind & 3 == 1, kind & 4 != 0);
        let behaviour = Behaviour { late: kind & 8 != 0, ..Behaviour::default() };
        let words = if config.unit.is_there() { WORDS } else { 0 };
        // It snoops the processor's caches: that nothing is left unflushed is shown elsewhere, and takes time here.
        let default = Personality::default();
        let personality = Personality { ecap: default.ecap.with_c(true), ..default };
        let fake = Fake::new(personality, behaviour, words, u64::from(kind));
        for client in Client::all().filter(|client| client.has_device() && words > 0) {
            for page in 0..PAGES {
                fake.with(|hardware| hardware.memory.write(client.memory() + (page << 12), client.mark()));
            }
        }
        let Room { registry, spaces, providers, pages, due } = room;
        pages.iter().flatten().flatten().for_each(|word| word.store(0, Ordering::Relaxed));
        *providers = [ChannelProvider::new()];
        *due = AtomicU64::new(0);
        let pages = &*pages;
        let shared = |which: usize| -> Pages<'r> {
            let mut all: Pages<'r> = [None; MAX_CLIENTS];
            all.iter_mut().zip(pages).for_each(|(place, pages)| *place = Some(&*pages[which]));
            all
        };
        let parts = Parts {
            config,
            registers: fake.registers(),
            tables: fake.tables(TABLES.0, TABLES.1),
            pci: Bus,
            memory: Memory { words: registry },
            spaces,
            find: shared(0),
            batch: shared(1),
            events: shared(2),
            providers,
            firmware: &[],
            trace: &[],
            epoch: 1,
            due,
        };
        let server = Server::start(parts).expect("the configuration is good");
        let mut world = Self {
            server,
            fake,
            pages,
            due,
            has_unit: config.unit.is_there(),
            handles: Vec::new(),
            ticket: 0,
            waits: [false; CLIENTS],
        };
        Client::all().for_each(|client| world.greet(client));
        world
    }

    fn call(&mut self, channel: usize, label: u64, words: &[u64]) -> Message {
        let mut registers = core::array::from_fn(|place| words.get(place).copied().unwrap_or(0));
        let reply = self.server.call(channel, label, words.len(), &mut registers);
        self.finish();
        Message::of(reply, &registers)
    }

    fn finish(&mut self) {
        if self.due.load(Ordering::Relaxed) != 0 {
            let strangers = self.server.finish().find(|channel| !(1..=4).contains(channel));
            assert_eq!(strangers, None, "nobody is behind this channel");
        }
    }

    fn greet(&mut self, client: Client) {
        let reply = self.call(client.channel(), label("Hello"), &[1]);
        assert_eq!(reply.label, 0, "{client:?} says HELLO");
    }

    /// What the admin is answered.
    fn ask<T: Reply>(&mut self, name: &str, words: &[u64]) -> Result<T, Code> {
        let reply = self.call(ADMIN.channel(), label(name), words);
        match Code::from_label(reply.label) {
            Ok(None) => Ok(T::decode(reply.words()).expect("the reply that the table says")),
            Ok(Some(code)) => Err(code),
            Err(unknown) => panic!("{name} is answered with {unknown}"),
        }
    }

    /// Does something, and looks whether the registry is whole.
    pub fn act(&mut self, action: Action) {
        match action {
            Action::Message { channel, label, words, len } => self.send(channel, label, &words[..len]),
            Action::Write { client, at, word } => {
                let page = &self.pages[client.index()][1];
                page[at % page.len()].store(word, Ordering::Relaxed);
            }
            Action::Dma { device, address, write } => self.dma(device, address, write),
            Action::Refuse { descriptor } => {
                self.fake.with(|hardware| hardware.behaviour.refuse = Some(descriptor));
            }
        }
    }

    fn send(&mut self, channel: usize, label: u64, words: &[u64]) {
        let reply = self.call(channel, label, words);
        let code = Code::from_label(reply.label).expect("a code of this version's");
        assert_ne!(code, Some(Code::Internal), "{label:#x} {words:x?} on channel {channel}");
        let known = Client::all().find(|client| client.channel() == channel);
        match (known, code) {
            (None, code) => assert_eq!(code, Some(Code::NotPermitted), "nobody is behind channel {channel}"),
            (Some(client), Some(Code::Pending)) => self.waits[client.index()] = true,
            _ => {}
        }
        if code.is_none() {
            self.learn(known, label, reply.words());
        }
    }

    /// Keeps what a reply teaches.
    fn learn(&mut self, client: Option<Client>, number: u64, words: &[u64]) {
        let Some(operation) = OPERATIONS.iter().find(|operation| operation.number == number) else { return };
        match operation.reply {
            "Allocated" | "Found" => self.handles.extend(words.first()),
            "Count" | "Slice" if operation.name != "FreeBatch" => {
                let page = client.map(|client| &self.pages[client.index()][1]);
                let count = usize::try_from(words[0]).unwrap_or(0).min(8);
                let handles = page.iter().flat_map(|page| page.iter().take(count));
                self.handles.extend(handles.map(|word| word.load(Ordering::Relaxed)));
            }
            "Question" => {
                let question = Question::decode(words).expect("a question");
                if question.operation == 1 {
                    self.ticket = question.ticket;
                }
            }
            _ => {}
        }
    }

    /// A handle that somebody was given, newest first, or close to one; or one that is made up.
    pub fn handle(&self, one: u8, other: u8) -> u64 {
        let known = usize::from(one).checked_rem(self.handles.len());
        let known = known.and_then(|back| self.handles.iter().rev().nth(back)).copied();
        match other {
            0..224 => known.unwrap_or(0x0001_0000_0000_0001),
            224..240 => known.unwrap_or(0) ^ 1 << (other % 16 + 32),
            _ => Handle { pasid: u32::from(one % 66), generation: u16::from(other % 2), epoch: 1 }.to_word(),
        }
    }

    /// The ticket that was asked with last, or close to it.
    pub fn ticket(&self, byte: u8) -> u64 {
        if byte < 224 { self.ticket } else { self.ticket ^ 1 << (byte % 48) }
    }

    /// A device reads or writes: what it reaches is its own client's.
    fn dma(&mut self, device: Client, address: u64, write: bool) {
        // Without a unit there are no devices either.
        if !self.has_unit || !device.has_device() {
            return;
        }
        let source = vtd::SourceId::from(device.source());
        if write {
            self.fake.with(|hardware| hardware.dma_write(source, None, address, device.mark()));
        } else if let Some(word) = self.fake.with(|hardware| hardware.dma_read(source, None, address)) {
            assert_eq!(word, device.mark(), "{device:?} reads at {address:#x} what is not its own");
        }
        for client in Client::all().filter(|client| client.has_device()) {
            for page in 0..PAGES {
                let word = self.fake.with(|hardware| hardware.memory.read(client.memory() + (page << 12)));
                assert_eq!(word, Some(client.mark()), "{device:?} wrote at {address:#x} into {client:?}'s");
            }
        }
        self.server.fault_event();
        self.finish();
    }

    /// Lets the registry be checked.
    pub fn check(&mut self) {
        self.greet(ADMIN);
        self.ask::<ioasid_api::Health>("Check", &[]).expect("the registry is whole");
    }

    /// What can be seen of each client.
    pub fn look(&mut self) -> [View; CLIENTS] {
        if !self.asks_freely() {
            self.greet(ADMIN);
        }
        std::array::from_fn(|at| {
            // FNV-1a, by words.
            let words = self.pages[at].iter().flatten().map(|word| word.load(Ordering::Relaxed));
            let hash =
                |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29);
            let pages = words.fold(0xcbf2_9ce4_8422_2325, hash);
            let number = [at as u64];
            View {
                usage: self.ask("SetUsage", &number).ok(),
                // What the admin asks here counts.
                counters: self.ask("SetCounters", &number).ok().filter(|_| at != ADMIN.index()),
                pages,
            }
        })
    }

    /// Whether the admin has said HELLO since its own set was ended.
    fn asks_freely(&mut self) -> bool {
        self.ask::<Usage>("OwnUsage", &[]) != Err(Code::ServerRestarted)
    }

    /// Whether what somebody does may change what is seen of a client.
    pub fn may_change(&self, actor: Option<usize>, client: Client) -> bool {
        let Some(channel) = actor else { return false };
        channel == client.channel()
            || channel == ADMIN.channel()
            || (channel == PROVIDER.channel() && self.waits[client.index()])
    }

    /// Ends every set, and looks whether that ends.
    pub fn end(&mut self) {
        for client in Client::all() {
            let mut calls = 0;
            loop {
                if !self.asks_freely() {
                    self.greet(ADMIN);
                }
                match self.ask::<Progress>("SetFree", &[client.number().into()]) {
                    Ok(Progress { more: 0, .. }) | Err(Code::NoSuchSet) => break,
                    Ok(_) => {}
                    Err(code) => panic!("{client:?} cannot be ended: {code}"),
                }
                calls += 1;
                assert!(calls < CALLS_TO_END, "the end of {client:?} does not come");
            }
        }
    }
}

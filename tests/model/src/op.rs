// SPDX-License-Identifier: BSD-2-Clause
//! What can be done to a registry, in words that mean something in any state: "the third set", "id 5, one life
//! ago". So a sequence stays one when a part of it is taken out, which is how failures shrink.

use ioasid_core::event::{EventKind, Role};
use std::fmt;

/// Providers that there are.
pub const PROVIDERS: u8 = 3;

/// What a registry starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// The highest id.
    pub max: u32,
    /// When the clock starts: close to its wrap, sometimes.
    pub start: u32,
}

impl World {
    /// How long acknowledgements and providers are waited for.
    pub const ACK_BOUND: u32 = 5;
    /// How long providers are waited for.
    pub const PROVIDER_BOUND: u32 = 3;
}

/// An id, by its number and how many lives ago.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id {
    /// The number.
    pub number: u32,
    /// 0: its present generation; 1: the one before.
    pub age: u16,
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.age {
            0 => write!(f, "id {}", self.number),
            age => write!(f, "id {} of {age} lives ago", self.number),
        }
    }
}

/// What a provider answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Choice {
    /// The lowest number in the range that nobody has; nothing where there is none.
    Lowest,
    /// This number, whatever it is.
    Number(u32),
    /// None is left.
    Nothing,
    /// It failed.
    Failed,
    /// Later.
    Later,
}

/// One operation. Sets, tickets and subscribers are counted in the order in which they came, modulo how many there
/// are; where there are none, nothing is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the fields are the arguments of the registry's calls")]
pub enum Op {
    CreateSet { reservation: u32, limit: u32 },
    AdjustSet { set: usize, reservation: u32, limit: u32 },
    FreeSet { set: usize },
    DrainSet { set: usize, slice: usize },
    Alloc { set: usize, min: u32, max: u32, data: u64, choice: Choice },
    AllocAtOnce { set: usize, window: (u32, u32), min: u32, max: u32, data: u64 },
    AllocMany { set: usize, window: (u32, u32), min: u32, max: u32, data: u64, most: u32 },
    Find { set: usize, id: Id },
    SetData { set: usize, id: Id, data: u64 },
    Get { set: usize, id: Id },
    GetIf { set: usize, id: Id, accept: bool },
    Free { set: usize, id: Id },
    FreeUnbound { set: usize, id: Id },
    Put { set: usize, id: Id },
    Reclaim { id: Id },
    Quarantine { id: Id },
    Revoke { id: Id },
    AttachSpid { set: usize, spid: u32, id: Id },
    DetachSpid { set: usize, spid: u32 },
    FindSpid { set: usize, spid: u32 },
    Register { name: u32, alloc: u8, free: u8 },
    Unregister { name: u32 },
    ProviderGone { provider: u8 },
    Busy { provider: u8, busy: bool },
    Complete { provider: u8, ticket: usize, choice: Choice },
    Subscribe { set: Option<usize>, role: Role, acknowledges: bool },
    Unsubscribe { subscriber: usize },
    Acknowledge { subscriber: usize, id: Id },
    Publish { set: usize, kind: EventKind, id: Id },
    Snapshot { subscriber: usize, slice: usize },
    Poll { ticks: u32 },
    PollSet { set: usize, ticks: u32 },
}

/// A world and what is done in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Scenario {
    /// The world.
    pub world: World,
    /// What is done, in order.
    pub ops: Vec<Op>,
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ids 1…{}, clock from {:#x}", self.world.max, self.world.start)?;
        (1..).zip(&self.ops).try_for_each(|(number, op)| write!(f, "\n{number:5}  {op:?}"))
    }
}

/// Bytes of an operation.
pub const RECORD: usize = 6;

impl Scenario {
    /// The scenario of some bytes: one for the world, then a record for each operation, `most` at the most.
    #[must_use]
    pub fn from_bytes(bytes: &[u8], most: usize) -> Option<Self> {
        let (&first, rest) = bytes.split_first()?;
        let world = World::from_byte(first);
        let (records, _) = rest.as_chunks();
        let ops = records.iter().take(most).map(|&record| Op::from_record(world, record)).collect();
        Some(Self { world, ops })
    }
}

impl World {
    /// The world of a byte: few ids, some more, and so many that they lie in two blocks.
    #[must_use]
    pub fn from_byte(byte: u8) -> Self {
        let max = [4, 4, 9, 66][usize::from(byte) % 4];
        Self { max, start: if byte & 4 == 0 { 0 } else { u32::MAX - 20 } }
    }
}

/// The bytes of an operation behind its kind.
struct Draw {
    max: u32,
    bytes: [u8; RECORD - 1],
}

impl Draw {
    fn byte(&self, at: usize) -> u32 {
        u32::from(self.bytes[at])
    }

    /// A number from 0 to one beyond the last id, low ones more often: those are handed out first.
    fn number(&self, at: usize) -> u32 {
        let byte = self.byte(at);
        if byte < 128 { byte % 8.min(self.max + 2) } else { byte % (self.max + 2) }
    }

    fn set(&self) -> usize {
        usize::from(self.bytes[0] % 8)
    }

    fn id(&self) -> Id {
        Id { number: self.number(1), age: u16::from(self.bytes[2] % 8 == 7) }
    }

    fn share(&self) -> (u32, u32) {
        let reservation = if self.bytes[1] < 128 { 0 } else { self.byte(1) % 4 };
        (reservation, self.byte(2) % (self.max + 2))
    }

    fn range(&self) -> (u32, u32) {
        let (one, other) = (self.number(1), self.number(2));
        match self.bytes[3] % 8 {
            0 => (one, one),
            1 => (one, other),
            _ => (1, self.max),
        }
    }

    /// Everything, a part, or nothing.
    fn window(&self) -> (u32, u32) {
        [(1, self.max), (1, self.max), (2, self.max / 2), (self.max, 0)][usize::from(self.bytes[4] % 4)]
    }

    fn choice(&self) -> Choice {
        match self.bytes[4] % 16 {
            0..6 => Choice::Lowest,
            6..9 => Choice::Number(self.number(1)),
            9 => Choice::Number([0, self.max + 1, 0x10_0000, u32::MAX][usize::from(self.bytes[4] / 16 % 4)]),
            10 => Choice::Nothing,
            11 => Choice::Failed,
            _ => Choice::Later,
        }
    }

    fn provider(&self, at: usize) -> u8 {
        self.bytes[at] % PROVIDERS
    }

    /// One of three providers and, rarely, one that there is not.
    fn helper(&self, at: usize) -> u8 {
        if self.bytes[at] == 255 { PROVIDERS } else { self.provider(at) }
    }
}

/// Draws an operation of one kind.
type Make = fn(&Draw) -> Op;

/// How often each kind of operation comes, and how it is drawn.
const KINDS: [(u8, Make); 32] = [
    (14, |draw| {
        let (min, max) = draw.range();
        Op::Alloc { set: draw.set(), min, max, data: draw.byte(2).into(), choice: draw.choice() }
    }),
    (7, |draw| Op::Free { set: draw.set(), id: draw.id() }),
    (4, |draw| Op::Put { set: draw.set(), id: draw.id() }),
    (4, |draw| Op::Get { set: draw.set(), id: draw.id() }),
    (1, |draw| Op::GetIf { set: draw.set(), id: draw.id(), accept: draw.bytes[3] % 2 == 0 }),
    (2, |draw| Op::Find { set: draw.set(), id: draw.id() }),
    (1, |draw| Op::SetData { set: draw.set(), id: draw.id(), data: draw.byte(3).into() }),
    (9, |draw| Op::Reclaim { id: draw.id() }),
    (2, |draw| Op::Quarantine { id: draw.id() }),
    (2, |draw| Op::Revoke { id: draw.id() }),
    (2, |draw| Op::AttachSpid { set: draw.set(), spid: spid(draw.bytes[3]), id: draw.id() }),
    (1, |draw| Op::DetachSpid { set: draw.set(), spid: spid(draw.bytes[3]) }),
    (1, |draw| Op::FindSpid { set: draw.set(), spid: spid(draw.bytes[3]) }),
    (3, |draw| {
        let (reservation, limit) = draw.share();
        Op::CreateSet { reservation, limit }
    }),
    (2, |draw| {
        let (reservation, limit) = draw.share();
        Op::AdjustSet { set: draw.set(), reservation, limit }
    }),
    (1, |draw| Op::FreeSet { set: draw.set() }),
    (4, |draw| Op::DrainSet { set: draw.set(), slice: usize::from(draw.bytes[1] % 4) }),
    (3, |draw| Op::Register {
        name: draw.byte(0) % 5,
        alloc: draw.helper(1),
        // The same one, most often.
        free: if draw.bytes[2] % 4 == 0 { draw.helper(3) } else { draw.helper(1) },
    }),
    (2, |draw| Op::Unregister { name: draw.byte(0) % 5 }),
    (1, |draw| Op::ProviderGone { provider: draw.provider(0) }),
    (1, |draw| Op::Busy { provider: draw.provider(0), busy: draw.bytes[1] % 2 == 0 }),
    (4, |draw| Op::Complete {
        provider: draw.provider(0),
        ticket: usize::from(draw.bytes[2] % 4),
        choice: draw.choice(),
    }),
    (3, |draw| Op::Subscribe {
        set: (draw.bytes[1] % 4 != 0).then_some(draw.set()),
        role: [Role::Cpu, Role::Device, Role::Observer][usize::from(draw.bytes[2] % 3)],
        acknowledges: draw.bytes[3] % 4 != 0,
    }),
    (1, |draw| Op::Unsubscribe { subscriber: draw.set() }),
    (5, |draw| Op::Acknowledge { subscriber: draw.set(), id: draw.id() }),
    (1, |draw| Op::Publish {
        set: draw.set(),
        kind: [EventKind::Bind, EventKind::Unbind, EventKind::Fault][usize::from(draw.bytes[3] % 3)],
        id: draw.id(),
    }),
    (1, |draw| Op::Snapshot { subscriber: draw.set(), slice: 1 + usize::from(draw.bytes[1] % 3) }),
    (4, |draw| Op::Poll { ticks: draw.byte(1) % 4 }),
    (3, |draw| Op::PollSet { set: draw.set(), ticks: draw.byte(1) % 4 }),
    (3, |draw| Op::FreeUnbound { set: draw.set(), id: draw.id() }),
    (4, |draw| {
        let (min, max) = draw.range();
        Op::AllocAtOnce { set: draw.set(), window: draw.window(), min, max, data: draw.byte(2).into() }
    }),
    (4, |draw| {
        let (min, max) = draw.range();
        let most = draw.byte(4) / 4 % 8;
        Op::AllocMany { set: draw.set(), window: draw.window(), min, max, data: draw.byte(2).into(), most }
    }),
];

/// One of a few SPIDs, among them the first that there is not.
fn spid(byte: u8) -> u32 {
    [0, 1, 255, 256][usize::from(byte) % 4]
}

impl Op {
    /// The operation of a record.
    #[must_use]
    pub fn from_record(world: World, record: [u8; RECORD]) -> Self {
        let [kind, bytes @ ..] = record;
        let all: u8 = KINDS.iter().map(|(weight, _)| weight).sum();
        let mut left = kind % all;
        let draw = Draw { max: world.max, bytes };
        for (weight, make) in KINDS {
            match left.checked_sub(weight) {
                Some(rest) => left = rest,
                None => return make(&draw),
            }
        }
        unreachable!("the weights add up")
    }
}

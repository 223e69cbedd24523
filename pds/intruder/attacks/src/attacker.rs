// SPDX-License-Identifier: BSD-2-Clause
//! The attacker: what to send next, and what to learn from the answer.

use ioasid_api::{
    Answer, Call, Code, Fetch, Field, Handle, OPERATIONS, OperationInfo, REPLIES, Right, WordInfo,
};

use crate::{Random, is_secret};

/// The most words of a message: more than any operation takes, and more than fit registers.
pub const MAX_LEN: usize = 12;

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attack {
    /// Its label: 52 bits, as seL4's messages have.
    pub label: u64,
    /// Its words, and what stands behind them.
    pub words: [u64; MAX_LEN],
    /// How many it has.
    pub len: usize,
}

/// An answer that the service must not give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impossible {
    /// A label that is no code, or success with words that the operation does not answer with.
    NoAnswer,
    /// The server says that its own state is inconsistent.
    Internal,
    /// An operation that takes a right which the attacker has not was not refused for that.
    Permitted,
    /// A victim's data.
    Secret,
}

/// What was seen and may be of use: the latest few.
#[derive(Clone, Debug)]
struct Seen<const N: usize> {
    words: [u64; N],
    count: usize,
}

impl<const N: usize> Seen<N> {
    const NONE: Self = Self { words: [0; N], count: 0 };

    fn push(&mut self, word: u64) {
        self.words[self.count % N] = word;
        self.count += 1;
    }

    /// One of them, more often than not one of the latest.
    fn one(&self, random: &mut Random) -> u64 {
        let all = self.count.clamp(1, N);
        let among = if random.percent(60) { all.min(3) } else { all };
        let back = usize::try_from(random.below(among as u64)).unwrap_or(0);
        self.words[(self.count.max(1) - 1 - back) % N]
    }
}

/// Numbers that are at the edge of something.
const NUMBERS: [u64; 24] = [
    0,
    1,
    2,
    3,
    7,
    8,
    63,
    64,
    65,
    127,
    128,
    255,
    256,
    257,
    511,
    512,
    4095,
    4096,
    4097,
    0xffff,
    0xf_ffff,
    0x10_0000,
    0x7fff_ffff,
    0xffff_ffff,
];
/// Addresses that are.
const ADDRESSES: [u64; 14] = [
    0,
    0x1000,
    0x7_0000,
    0x1f_f000,
    0x20_0000,
    0x4000_0000,
    0x1000_0000,
    0xfedf_f000,
    0xfee0_0000,
    0xfef0_0000,
    0x7f_ffff_f000,
    0xffff_ffff_f000,
    0x1_0000_0000_0000,
    0xffff_ffff_ffff_f000,
];
/// Words of a batch are looked at up to here.
const BATCH_WORDS: usize = 3 * 64;

/// An attacker with what it has seen.
#[derive(Clone, Debug)]
pub struct Attacker {
    random: Random,
    /// Whether it may stand behind an allocator.
    provider: bool,
    /// Handles that it was given, many of which are its own no more.
    handles: Seen<48>,
    /// Tickets of questions.
    tickets: Seen<8>,
    /// The ticket of a question that it was just asked.
    question: Option<u64>,
    /// Addresses that it has mapped something at.
    iovas: Seen<4>,
    /// The highest id that it has seen.
    highest: u64,
    /// What it sends again and again, and how often.
    flood: Option<(Attack, u32)>,
}

impl Attacker {
    /// The attacks of a seed, by a client that is a provider or is not.
    #[must_use]
    pub fn new(seed: u64, provider: bool) -> Self {
        Self {
            random: Random::new(seed),
            provider,
            handles: Seen::NONE,
            tickets: Seen::NONE,
            question: None,
            iovas: Seen::NONE,
            highest: 64,
            flood: None,
        }
    }

    /// What to send next.
    pub fn next_attack(&mut self) -> Attack {
        if let Some((attack, times)) = self.flood {
            self.flood = times.checked_sub(1).map(|left| (attack, left));
            return attack;
        }
        let mut attack = Attack { label: self.random.word() >> 12, words: [0; MAX_LEN], len: 0 };
        attack.words.fill_with(|| self.random.word());
        if let Some(ticket) = self.question.take()
            && self.random.percent(80)
        {
            let id = self.random.below(2 * self.highest);
            (attack.label, attack.len) = (Answer::NUMBER, 3);
            attack.words[..3].copy_from_slice(&[ticket, self.random.one_of(&[0, 0, 0, 0, 1, 2, 3]), id]);
            return attack;
        }
        if self.random.percent(6) {
            // A label that is nobody's, or nearly somebody's.
            attack.label = match self.random.below(3) {
                0 => self.random.below(0x80),
                1 => self.operation().number | 1 << self.random.below(52),
                _ => attack.label,
            };
            attack.len = self.length();
            return attack;
        }
        let operation = self.operation();
        attack.label = operation.number;
        for (word, info) in attack.words.iter_mut().zip(operation.request) {
            *word = self.content(info);
        }
        attack.len = if self.random.percent(6) { self.length() } else { operation.request.len() };
        if self.random.percent(2) {
            self.flood = Some((attack, 8 + u32::try_from(self.random.below(64)).unwrap_or(0)));
        }
        attack
    }

    /// What to have in the batch page at this moment.
    pub fn batch_page(&mut self) -> impl Iterator<Item = u64> + '_ {
        (0..BATCH_WORDS).map(|_| match self.random.below(4) {
            0 => self.handle(),
            1 => self.random.one_of(&ADDRESSES),
            // An extent of a few pages that are read and written.
            2 => (3 << 32) | self.random.below(5),
            _ => self.random.word(),
        })
    }

    fn operation(&mut self) -> &'static OperationInfo {
        let mut one = || {
            let place = usize::try_from(self.random.below(OPERATIONS.len() as u64)).unwrap_or(0);
            &OPERATIONS[place]
        };
        let first = one();
        // What frees, less often, or there would be little to attack with; and what keeps from freeing.
        if matches!(first.name, "Get" | "Free" | "Put" | "FreeBatch") { one() } else { first }
    }

    fn length(&mut self) -> usize {
        usize::try_from(self.random.below(MAX_LEN as u64 + 1)).unwrap_or(0)
    }

    /// A handle of its own, of an earlier life, of another's, or of nobody's.
    fn handle(&mut self) -> u64 {
        let word = self.handles.one(&mut self.random);
        let Some(handle) = Handle::from_word(word) else { return word };
        let pasid = u32::try_from(1 + self.random.below(2 * self.highest)).unwrap_or(1);
        let other = match self.random.below(10) {
            0 => Handle { generation: handle.generation.wrapping_sub(1), ..handle },
            1 => Handle { epoch: handle.epoch.wrapping_add(1), ..handle },
            2 => Handle { pasid: pasid & 0xf_ffff, generation: 0, ..handle },
            3 => Handle {
                pasid: pasid & 0xf_ffff,
                generation: self.random.one_of(&[0, 1, 2, u16::MAX]),
                ..handle
            },
            _ => handle,
        };
        other.to_word()
    }

    fn content(&mut self, info: &WordInfo) -> u64 {
        let small = self.random.below(4);
        let word = match (info.ty.name, info.name) {
            ("handle", _) => self.handle(),
            (_, "ticket") => self.tickets.one(&mut self.random),
            (_, "iova") if self.random.percent(50) => self.iovas.one(&mut self.random),
            (_, "iova") => self.random.one_of(&ADDRESSES).wrapping_add(small * 0x1000),
            (_, "device") if self.random.percent(60) => 0,
            (_, "pages") if self.random.percent(60) => 1 + small,
            ("region_offset", _) => (small << 48) | (self.random.below(20) * 0x1000),
            ("extent", _) => ((1 + self.random.below(3)) << 32) | self.random.below(18),
            (_, "data") => self.random.word() >> 33,
            ("u16", _) => small,
            ("u32", "min" | "max" | "pasid" | "id" | "from") if self.random.percent(80) => {
                1 + self.random.below(2 * self.highest)
            }
            _ => self.random.one_of(&NUMBERS),
        };
        match self.random.below(40) {
            0 => word | 1 << self.random.below(64),
            1 => self.random.word() & info.ty.mask(),
            _ => word,
        }
    }

    /// Learns from an answer.
    ///
    /// # Errors
    /// [`Impossible`]: the service must not answer like that.
    pub fn heard(&mut self, attack: &Attack, label: u64, words: &[u64]) -> Result<(), Impossible> {
        let code = Code::from_label(label).map_err(|_| Impossible::NoAnswer)?;
        if code == Some(Code::Internal) {
            return Err(Impossible::Internal);
        }
        let may = match Right::of(attack.label) {
            Right::Client => true,
            Right::Provider => self.provider,
            Right::Admin => false,
        };
        if !may && code != Some(Code::NotPermitted) {
            return Err(Impossible::Permitted);
        }
        if words.iter().any(|&word| is_secret(word)) {
            return Err(Impossible::Secret);
        }
        if code.is_some() {
            return if words.is_empty() { Ok(()) } else { Err(Impossible::NoAnswer) };
        }
        self.learn(attack, words)
    }

    fn learn(&mut self, attack: &Attack, words: &[u64]) -> Result<(), Impossible> {
        let operation = OPERATIONS.iter().find(|op| op.number == attack.label).ok_or(Impossible::NoAnswer)?;
        let reply = REPLIES.iter().find(|reply| reply.name == operation.reply);
        let reply = reply.filter(|reply| reply.words.len() == words.len()).ok_or(Impossible::NoAnswer)?;
        for (&word, info) in words.iter().zip(reply.words) {
            if word & !info.ty.mask() != 0 {
                return Err(Impossible::NoAnswer);
            }
            match (info.ty.name, info.name) {
                ("handle", _) => {
                    self.handles.push(word);
                    self.highest = self.highest.max(word & 0xf_ffff);
                }
                (_, "ticket") => self.tickets.push(word),
                _ => {}
            }
        }
        if let (<Fetch as Call>::NUMBER, [1, ticket, ..]) = (attack.label, words) {
            self.question = Some(*ticket);
        }
        let iova = operation.request.iter().position(|info| info.name == "iova");
        if let Some(word) = iova.and_then(|place| attack.words.get(place)) {
            self.iovas.push(*word);
        }
        Ok(())
    }
}

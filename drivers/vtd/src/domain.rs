// SPDX-License-Identifier: BSD-2-Clause
//! Domains: the address spaces that a unit knows, one record for each domain id.
//!
//! The records live in the table memory, beside the tables that they point at. Domain id 0 is never given
//! out: hardware tags with it what it caches of entries that are not present (VT-d 6.2.1).
use bitfield_struct::{bitenum, bitfield};

use crate::access::TableMemory;
use crate::error::Error;
use crate::frames::{Frames, address, frame};
use crate::ids::{DomainId, Pasid, Share};
use crate::tables::Entry;

/// How a domain translates.
#[bitenum]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// By a second-stage table. Several PASIDs of several devices may share it.
    #[fallback]
    Second = 0,
    /// By a first-stage table: the processor's format, under one PASID.
    First = 1,
    /// Not at all: addresses pass unchanged, to all of memory.
    PassThrough = 2,
}

/// What a PASID is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A domain.
    Domain(DomainId),
    /// A first-stage table that somebody else keeps (a guest), within a second-stage domain. Both the table and
    /// what it maps are reached through the domain, so it can lead nowhere else.
    Nested {
        /// The second-stage domain.
        parent: DomainId,
        /// Where the first-stage root is: an address within the domain, a multiple of 4 KiB.
        root: u64,
    },
}

impl From<DomainId> for Target {
    fn from(domain: DomainId) -> Self {
        Self::Domain(domain)
    }
}

impl Target {
    /// The domain whose tag the binding carries.
    pub(crate) fn domain(self) -> DomainId {
        match self {
            Self::Domain(domain) | Self::Nested { parent: domain, .. } => domain,
        }
    }
}

/// The first word of a record.
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
struct RecordWord0 {
    live: bool,
    #[bits(2)]
    stage: Stage,
    /// Whether `pasid` counts: a first-stage domain that is bound.
    has_pasid: bool,
    #[bits(20)]
    pasid: u32,
    /// Whose frames the tables are made of.
    share: u8,
    /// How many PASID entries carry the domain's id.
    bindings: u32,
}

/// The second word of a record.
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
struct RecordWord1 {
    /// How many tables there are: 2^24 of them take 64 GiB.
    #[bits(24)]
    tables: u32,
    /// The root's frame number, or the next free id.
    #[bits(40)]
    link: u64,
}

/// One domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Domain {
    /// Whose frames its tables are made of.
    pub(crate) share: Share,
    /// How many tables it has.
    pub(crate) tables: u32,
    /// How it translates.
    pub(crate) stage: Stage,
    /// Physical address of the root table; 0 for pass-through.
    pub(crate) root: u64,
    /// How many PASID entries carry its id.
    pub(crate) bindings: u32,
    /// The one PASID of a first-stage domain that is bound.
    pub(crate) pasid: Option<Pasid>,
}

/// A record in memory: a live domain, or a link to the next free one.
#[derive(Clone, Copy)]
struct Record {
    word0: RecordWord0,
    word1: RecordWord1,
}

const RECORD_BYTES: u64 = 16;

impl Entry<2> for Record {
    fn words(self) -> [u64; 2] {
        [self.word0.into_bits(), self.word1.into_bits()]
    }
    fn from_words(words: [u64; 2]) -> Self {
        Self { word0: RecordWord0::from_bits(words[0]), word1: RecordWord1::from_bits(words[1]) }
    }
}

/// The records of a unit.
#[derive(Debug)]
pub(crate) struct Domains {
    table: u64,
    /// Ids below this one exist.
    count: u16,
    /// The first id on the list of free ones; 0 ends the list. Those that were never used are on it from the beginning, so
    /// that none costs more than another.
    free: u16,
}

impl Domains {
    /// The most domains: the records of the largest run of frames.
    pub(crate) const MOST: u16 = 8191;

    /// Makes room for `count` domains, at most [`Self::MOST`].
    pub(crate) fn new<M: TableMemory>(frames: &mut Frames<M>, count: u16) -> Result<Self, Error> {
        let count = count.clamp(1, Self::MOST) + 1;
        let needed = usize::from(count).div_ceil(crate::frames::FRAME / 16);
        let order = (0..crate::frames::LARGEST_ORDER).find(|order| 1 << order >= needed);
        let table = frames.allocate(order.unwrap_or(crate::frames::LARGEST_ORDER))?;
        let mut domains = Self { table, count, free: 0 };
        (1..count).rev().for_each(|number| domains.release(frames, DomainId(number)));
        Ok(domains)
    }

    fn address(&self, domain: DomainId) -> u64 {
        self.table + u64::from(domain.get()) * RECORD_BYTES
    }

    /// The domain, where it is live.
    pub(crate) fn get<M: TableMemory>(&self, frames: &Frames<M>, domain: DomainId) -> Result<Domain, Error> {
        if domain.get() == 0 || domain.get() >= self.count {
            return Err(Error::NoSuchDomain);
        }
        let record: Record = frames.read(self.address(domain));
        if !record.word0.live() {
            return Err(Error::NoSuchDomain);
        }
        Ok(Domain {
            share: Share(record.word0.share()),
            tables: record.word1.tables(),
            stage: record.word0.stage(),
            root: address(record.word1.link()),
            bindings: record.word0.bindings(),
            pasid: if record.word0.has_pasid() { Pasid::new(record.word0.pasid()) } else { None },
        })
    }

    /// Writes a domain's record.
    pub(crate) fn set<M: TableMemory>(&self, frames: &mut Frames<M>, domain: DomainId, value: Domain) {
        let word0 = RecordWord0::new().with_live(true).with_stage(value.stage).with_bindings(value.bindings);
        let word0 = match value.pasid {
            Some(pasid) => word0.with_has_pasid(true).with_pasid(pasid.get()),
            None => word0,
        };
        let word0 = word0.with_share(value.share.0);
        let word1 = RecordWord1::new().with_tables(value.tables).with_link(frame(value.root));
        frames.keep(self.address(domain), Record { word0, word1 });
    }

    /// Whether there is an id to be had.
    pub(crate) fn available(&self) -> Result<(), Error> {
        if self.free == 0 { Err(Error::NoDomain) } else { Ok(()) }
    }

    /// How many ids there are to be had. Looks at each of them.
    pub(crate) fn count_free<M: TableMemory>(&self, frames: &Frames<M>) -> usize {
        let next = |&number: &u16| {
            let record: Record = frames.read(self.address(DomainId(number)));
            u16::try_from(record.word1.link()).ok().filter(|&next| next != 0)
        };
        let first = Some(self.free).filter(|&first| first != 0);
        core::iter::successors(first, next).take(self.count.into()).count()
    }

    /// Takes an id that no cache knows.
    pub(crate) fn allocate<M: TableMemory>(&mut self, frames: &Frames<M>) -> Result<DomainId, Error> {
        self.available()?;
        let domain = DomainId(self.free);
        let record: Record = frames.read(self.address(domain));
        self.free = u16::try_from(record.word1.link()).unwrap_or(0);
        Ok(domain)
    }

    /// Gives an id back.
    pub(crate) fn release<M: TableMemory>(&mut self, frames: &mut Frames<M>, domain: DomainId) {
        let word1 = RecordWord1::new().with_link(u64::from(self.free));
        frames.keep(self.address(domain), Record { word0: RecordWord0::new(), word1 });
        self.free = domain.get();
    }
}

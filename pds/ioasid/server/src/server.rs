// SPDX-License-Identifier: BSD-2-Clause
//! The server: what it is made of, and which request goes where.

use ioasid_api::{
    self as api, Call, Code, Hello, OPERATIONS, OperationInfo, Registers as Words, Reply, Right, Tag,
    VERSION, Welcome,
};

use ioasid_config::Client;
use ioasid_core::allocator::channel::ChannelProvider;
use ioasid_core::{Pasid, Registry, SetId, Work};
use vtd::{Registers, TableMemory, Unit};

use crate::clients::{ClientId, Clients};
use crate::due::Due;
use crate::faults::Strays;
use crate::outbox::Outbox;
use crate::space_table::Spaces;
use crate::spaces::Requests;
use crate::trace::Trace;

/// Things that have become due and are done behind one call at the most. More have their turn behind the next.
const WORK_PER_CALL: usize = 8;

/// The service. Generic over how the unit's registers and tables are reached, so that the very same code runs in the PD and
/// in tests.
#[derive(Debug)]
pub struct Server<'m, R, M> {
    pub(crate) clients: Clients<'m>,
    pub(crate) registry: Registry<'m, ChannelProvider, Outbox<'m>>,
    /// The unit, where there is one. Without it ids are served, and nothing that takes a device or a table.
    pub(crate) unit: Option<Unit<R, M>>,
    pub(crate) spaces: &'m mut Spaces,
    pub(crate) strays: Strays,
    /// The unit has fault records that were not read yet, and sends no interrupt until they are.
    pub(crate) faults_left: bool,
    pub(crate) trace: Trace<'m>,
    pub(crate) due: Due<'m>,
    /// This life of the server.
    pub(crate) epoch: u16,
    /// Where the search for orphans goes on.
    pub(crate) orphans_from: Pasid,
}

/// An answer: words, or a refusal.
pub(crate) type Answer<T> = Result<T, Code>;

/// The request that a message spells.
#[inline(always)]
fn decode<C: Call>(count: usize, words: &Words) -> Answer<C> {
    // One question for all words; what was wrong is asked where something is.
    words.get(..count).and_then(|words| C::decode(words).ok()).ok_or_else(|| misspelt(count == C::WORDS))
}

/// Why a message spells no request.
#[cold]
#[inline(never)]
fn misspelt(has_its_length: bool) -> Code {
    if has_its_length { Code::BadField } else { Code::WrongLength }
}

/// Whether an operation is answered by the long way: it takes a right, or comes from somebody who is new.
const fn is_rare(operation: &OperationInfo) -> bool {
    operation.number == Hello::NUMBER || !matches!(operation.right, Right::Client)
}

/// Whether these are the numbers of all operations that are rare, or of all that are not.
const fn are_all(numbers: &[u64], rare: bool) -> bool {
    let (mut wanted, mut found, mut place) = (0, 0, 0);
    while place < OPERATIONS.len() {
        if is_rare(&OPERATIONS[place]) == rare {
            wanted += 1;
            let mut index = 0;
            while index < numbers.len() {
                found += (numbers[index] == OPERATIONS[place].number) as usize;
                index += 1;
            }
        }
        place += 1;
    }
    found == wanted && found == numbers.len()
}

/// Decides by a message's label: one jump to the operation's arm, which reads the words, answers, and leaves the answer in
/// the message registers. A refusal leaves the arm for good: behind it nobody asks whether there was one.
macro_rules! answer {
    ($server:ident, $client:ident, $label:ident, $count:ident, $words:ident, rare: $rare:literal;
        $($operation:ident($request:pat) => $answer:expr,)* _ => $other:expr) => {'reply: {
        const _: () = assert!(are_all(&[$(api::$operation::NUMBER),*], $rare), "an arm for each");
        let code = 'refused: {
            let count = match $label {
                $(<api::$operation as Call>::NUMBER => {
                    let $request = match decode::<api::$operation>($count, $words) {
                        Ok(request) => request,
                        Err(code) => break 'refused code,
                    };
                    let answer: <api::$operation as Call>::Reply = match $answer {
                        Ok(answer) => answer,
                        Err(code) => break 'refused code,
                    };
                    answer.write($words)
                })*
                _ => $other,
            };
            break 'reply Tag::new(0, count);
        };
        $server.refuse($client, $label, code)
    }};
}

impl<R: Registers, M: TableMemory> Server<'_, R, M> {
    /// Answers the message that came in on `channel`: its words stand in the message registers, and so do the answer's
    /// afterwards. Once they are where they go out from, [`Server::finish`] has its turn.
    ///
    /// With the operations that matter in place this is one function; what is rare is kept out of it.
    #[inline(always)]
    pub fn call(&mut self, channel: usize, label: u64, count: usize, words: &mut Words) -> Tag {
        let Some(client) = self.clients.behind(channel) else {
            return self.call_rarely(channel, label, count, words);
        };
        let reply = answer! { self, client, label, count, words, rare: false;
            Alloc(alloc) => self.alloc(client, &alloc),
            Free(free) => self.free(client, free.handle),
            Get(get) => self.get(client, get.handle),
            Put(put) => self.put(client, put.handle),
            Find(find) => self.find(client, find.pasid),
            SetData(set) => self.set_data(client, set.handle, set.data),
            AttachSpid(attach) => self.attach_spid(client, attach.spid, attach.handle),
            DetachSpid(detach) => self.detach_spid(client, detach.spid),
            FindSpid(find) => self.find_spid(client, find.spid),
            AllocResult(_) => self.alloc_result(client),
            AllocBatch(batch) => self.alloc_batch(client, &batch),
            FreeBatch(batch) => self.free_batch(client, batch.count),
            List(list) => self.list(client, list.from),
            Bind(bind) => self.bind(client, bind.handle, bind.device, Requests::Untagged),
            Unbind(unbind) => self.unbind(client, unbind.handle, unbind.device, Requests::Untagged),
            BindTagged(bind) => self.bind(client, bind.handle, bind.device, Requests::Tagged),
            UnbindTagged(unbind) => self.unbind(client, unbind.handle, unbind.device, Requests::Tagged),
            Replace(replace) => self.replace(client, replace.handle, replace.device),
            Map(map) => self.map(client, &map),
            Unmap(unmap) => self.unmap(client, &unmap),
            MapBatch(batch) => self.map_batch(client, batch.handle, batch.count),
            OwnUsage(_) => self.usage(client),
            Subscribe(subscribe) => self.subscribe(client, &subscribe),
            Unsubscribe(_) => self.unsubscribe(client),
            Acknowledge(acknowledge) => self.acknowledge(client, acknowledge.handle),
            _ => return self.call_rarely(channel, label, count, words)
        };
        self.answered(client);
        reply
    }

    /// The same for somebody who may have yet to say HELLO in this life of the server, and for what takes a right.
    #[cold]
    #[inline(never)]
    fn call_rarely(&mut self, channel: usize, label: u64, count: usize, words: &mut Words) -> Tag {
        let Some(client) = self.clients.configured(channel) else {
            return Tag::refusal(Code::NotPermitted);
        };
        let reply = match self.admit(client, label) {
            Ok(()) => self.answer_rarely(client, label, count, words),
            Err(code) => self.refuse(client, label, code),
        };
        self.answered(client);
        reply
    }

    fn answer_rarely(&mut self, client: ClientId, label: u64, count: usize, words: &mut Words) -> Tag {
        answer! { self, client, label, count, words, rare: true;
            Hello(hello) => self.hello(client, hello.version),
            SetUsage(set) => self.set_usage(set.set),
            SetCounters(set) => self.set_counters(set.set),
            Check(_) => self.check(),
            SetAdjust(set) => self.set_adjust(&set),
            SetFree(set) => self.set_free(set.set),
            SetOpen(set) => self.set_open(&set),
            RegisterAllocator(register) => self.register_allocator(&register),
            UnregisterAllocator(one) => self.unregister_allocator(one.allocator),
            ReclaimOrphans(_) => self.reclaim_orphans(),
            Fetch(_) => self.fetch(client),
            Answer(answer) => self.provider_answer(client, &answer),
            _ => return self.refuse(client, label, Code::UnknownOperation)
        }
    }

    /// Whether the client may ask for what this is the label of: it has the right, and has said HELLO or does so now.
    fn admit(&self, client: ClientId, label: u64) -> Answer<()> {
        let permitted = match Right::of(label) {
            Right::Client => true,
            Right::Admin => self.clients.entry(client).may(Client::ADMIN),
            Right::Provider => self.clients.entry(client).may(Client::PROVIDER),
        };
        if !permitted {
            Err(Code::NotPermitted)
        } else if label != Hello::NUMBER && !self.clients.is_greeted(client) {
            Err(Code::ServerRestarted)
        } else {
            Ok(())
        }
    }

    /// What is done behind each call.
    #[inline(always)]
    fn answered(&mut self, client: ClientId) {
        self.time_passes(client);
        self.trace.time_passes();
    }

    /// Counts a refusal.
    #[cold]
    #[inline(never)]
    fn refuse(&mut self, client: ClientId, operation: u64, code: Code) -> Tag {
        let counters = &mut self.clients.account_mut(client).counters;
        counters.refused += 1;
        let refused = counters.refused;
        self.trace.refused(client, operation, code, refused);
        Tag::refusal(code)
    }

    #[inline(never)]
    fn hello(&mut self, client: ClientId, version: u32) -> Answer<Welcome> {
        if version != VERSION {
            return Err(Code::UnsupportedVersion);
        }
        self.clients.greet(client, true);
        let count = |len: usize| u16::try_from(len).map_err(|_| Code::Internal);
        Ok(Welcome {
            epoch: self.epoch,
            pasid_bits: self.pasid_bits(),
            devices: count(self.clients.devices(client).len())?,
            regions: count(self.clients.regions(client).len())?,
        })
    }

    /// The width of PASIDs: the unit's, or without one that of the highest that there is.
    fn pasid_bits(&self) -> u16 {
        let highest = || u32::BITS - self.registry.max_pasid().get().leading_zeros();
        let bits = self.unit.as_ref().map_or_else(highest, |unit| unit.capabilities().pasid_bits().into());
        u16::try_from(bits).unwrap_or(u16::MAX)
    }

    /// The unit, for what cannot be done without.
    pub(crate) fn unit(&mut self) -> Answer<&mut Unit<R, M>> {
        self.unit.as_mut().ok_or(Code::NoUnit)
    }

    /// Frames of 4 KiB that are free for the unit's tables.
    pub(crate) fn free_frames(&self) -> usize {
        self.unit.as_ref().map_or(0, Unit::free_frames)
    }

    /// Another call for this client, or once its set ends one that ends it: does what has become due for it by that. Time is
    /// a client's own, so that nobody's calls cost more, or take something from somebody sooner, for what others do.
    #[inline(always)]
    pub(crate) fn time_passes(&mut self, client: ClientId) {
        let set = self.set(client);
        if let Some(work) = self.registry.poll_set(set, 1) {
            self.work_on(set, work);
        }
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn work_on(&mut self, set: SetId, first: Work) {
        self.due(first);
        for _ in 1..WORK_PER_CALL {
            let Some(work) = self.registry.poll_set(set, 0) else { break };
            self.due(work);
        }
    }

    /// Does what is due now that a call is over and its message registers are given back; gives the channels whose other
    /// ends are to be notified. To be called where [`Parts::due`](crate::Parts) is not zero.
    #[cold]
    pub fn finish(&mut self) -> impl Iterator<Item = usize> + use<R, M> {
        if self.due.take_round() {
            self.trace_shares();
        }
        if self.clients.have_providers() {
            self.ask_providers();
        } else {
            self.due.has_looked();
        }
        if self.faults_left {
            self.fault_event();
        }
        self.due.take_channels()
    }
}

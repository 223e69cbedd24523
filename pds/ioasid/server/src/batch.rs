// SPDX-License-Identifier: BSD-2-Clause
//! Many ids or mappings in one call, by way of the client's batch page.
//!
//! The client may write the page at any time, also while the server reads it. So each word is read once, and what
//! was read is checked.

use core::sync::atomic::{AtomicU64, Ordering};

use heapless::Vec;
use ioasid_api::{AllocBatch, Code, Count, Field, Handle, Map, Slice};
use ioasid_core::{Freed, Pasid, State};
use ioasid_trace::Event as Traced;
use vtd::{BATCH, Mapping, Registers, TableMemory};

use crate::clients::ClientId;
use crate::ids::handle_of;
use crate::server::{Answer, Notify, Server};

/// Words of a mapping in the page.
const MAPPING_WORDS: usize = 3;

/// The items of a batch: `words` words each.
struct Items<'m> {
    page: &'m [AtomicU64],
    words: usize,
    count: usize,
}

impl<'m> Items<'m> {
    /// `count` items at the start of a page.
    fn new(page: Option<&'m [AtomicU64]>, count: u32, words: usize) -> Answer<Self> {
        let page = page.ok_or(Code::NoSharedPage)?;
        let count = usize::try_from(count).map_err(|_| Code::SpanTooLong)?;
        if count > BATCH || count * words > page.len() {
            Err(Code::SpanTooLong)
        } else {
            Ok(Self { page, words, count })
        }
    }

    /// All words.
    fn words(&self) -> &'m [AtomicU64] {
        self.page.get(..self.count * self.words).unwrap_or_default()
    }

    fn load<T: Field>(&self, item: usize, word: usize) -> Answer<T> {
        let word = self.page.get(item * self.words + word).ok_or(Code::Internal)?;
        T::from_word(word.load(Ordering::Relaxed)).ok_or(Code::BadField)
    }

    fn store(&self, item: usize, value: u64) {
        if let Some(word) = self.page.get(item * self.words) {
            word.store(value, Ordering::Relaxed);
        }
    }
}

/// As a count on the wire.
fn count(count: usize) -> Answer<u32> {
    u32::try_from(count).map_err(|_| Code::Internal)
}

impl<R: Registers, M: TableMemory, N: Notify> Server<'_, R, M, N> {
    #[inline(never)]
    pub(crate) fn alloc_batch(&mut self, client: ClientId, batch: &AllocBatch) -> Answer<Count> {
        let items = Items::new(self.clients.account(client).batch, batch.count, 1)?;
        let AllocBatch { min, max, data, .. } = *batch;
        self.range(min, max)?;
        // As many as can be had at once, and the rest one by one.
        let done = self.alloc_many(client, (min, max), data, &items);
        for item in done..items.count {
            match self.alloc_between(client, min, max, data) {
                Ok(handle) => items.store(item, handle.to_word()),
                Err(code) if item == 0 => return Err(code),
                Err(_) => return Ok(Count { count: count(item)? }),
            }
        }
        Ok(Count { count: batch.count })
    }

    /// Allocates ids until anything is not as it mostly is; gives how many there were.
    #[inline(always)]
    fn alloc_many(&mut self, client: ClientId, bounds: (u32, u32), data: u64, items: &Items<'_>) -> usize {
        let (set, own) = (self.set(client), self.clients.window(client));
        let most = u32::try_from(items.count).unwrap_or(0);
        let Self { registry, clients, trace, epoch, now, .. } = self;
        let account = clients.account_mut(client);
        let mut item = 0;
        let given = registry.alloc_many(set, own, bounds, data, most, |handle| {
            let handle = handle_of(handle, *epoch);
            trace.push(*now, Some(client.number()), Traced::Alloc { id: handle });
            account.find.insert(handle, data);
            items.store(item, handle.to_word());
            item += 1;
        });
        account.counters.allocated += u64::from(given);
        item
    }

    #[inline(never)]
    pub(crate) fn free_batch(&mut self, client: ClientId, batch: u32) -> Answer<Count> {
        let items = Items::new(self.clients.account(client).batch, batch, 1)?;
        let mut torn: Vec<ioasid_core::Handle, BATCH> = Vec::new();
        let mut freed = 0;
        for word in items.words() {
            let handle = Handle::from_word(word.load(Ordering::Relaxed)).ok_or(Code::BadField);
            match handle.and_then(|handle| Ok((handle, self.give_up(client, handle)?))) {
                Ok((handle, what)) => {
                    word.store(0, Ordering::Relaxed);
                    freed += 1;
                    if what == Freed::Teardown {
                        // No more than there are items, which are no more than a batch.
                        let _ = torn.push(self.handle(handle)?);
                    } else {
                        self.let_go(client, handle, what)?;
                    }
                }
                Err(code) => word.store(code.to_label(), Ordering::Relaxed),
            }
        }
        if !torn.is_empty() {
            self.tear_down(client, &torn)?;
        }
        Ok(Count { count: freed })
    }

    #[inline(never)]
    pub(crate) fn map_batch(&mut self, client: ClientId, handle: Handle, batch: u32) -> Answer<Count> {
        let items = Items::new(self.clients.account(client).batch, batch, MAPPING_WORDS)?;
        self.own(client, handle)?;
        // What is refused before the unit is asked ends the batch there.
        let (mut asked, mut mappings) = (Vec::<Map, BATCH>::new(), Vec::<Mapping, BATCH>::new());
        let (mut pages, mut refused) = (0, Ok(()));
        for item in 0..items.count {
            match self.map_item(client, handle, &items, item, &mut pages) {
                // There is room: a batch is no longer.
                Ok((map, mapping)) => drop((asked.push(map), mappings.push(mapping))),
                Err(code) => {
                    refused = Err(code);
                    break;
                }
            }
        }
        // A batch of nothing makes no address space.
        let (done, outcome) =
            if mappings.is_empty() { (0, Ok(())) } else { self.map_each(client, handle, &mappings) };
        asked.iter().take(done).for_each(|map| self.trace_map(client, map));
        match outcome.and(refused) {
            Err(code) if done == 0 => Err(code),
            _ => Ok(Count { count: count(done)? }),
        }
    }

    /// An item as the client asks for it, and as the unit is told it.
    #[inline(always)]
    fn map_item(
        &self,
        client: ClientId,
        handle: Handle,
        items: &Items<'_>,
        item: usize,
        pages: &mut u32,
    ) -> Answer<(Map, Mapping)> {
        let map = Map {
            handle,
            iova: items.load(item, 0)?,
            source: items.load(item, 1)?,
            extent: items.load(item, 2)?,
        };
        *pages = pages.saturating_add(map.extent.pages);
        crate::spaces::span(*pages)?;
        Ok((map, self.mapping(client, &map)?))
    }

    pub(crate) fn list(&self, client: ClientId, from: u32) -> Answer<Slice> {
        let items = Items::new(self.clients.account(client).batch, 0, 1)?;
        let most = BATCH.min(items.page.len());
        let (mut filled, mut next) = (0, Pasid::new(from));
        // Ids that wait for their end are passed over: at most as many again.
        for _ in 0..2 * BATCH {
            let Some(found) = next.and_then(|from| self.registry.next_id(self.set(client), from)) else {
                next = None;
                break;
            };
            if found.state == State::Allocated {
                if filled == most {
                    break;
                }
                items.store(filled, self.wire(found.handle).to_word());
                filled += 1;
            }
            next = found.handle.pasid.next();
        }
        Ok(Slice { count: count(filled)?, next: next.map_or(0, Pasid::get) })
    }
}

// SPDX-License-Identifier: BSD-2-Clause
//! Many ids or mappings in one call, by way of the client's batch page.
//!
//! The client may write the page at any time, also while the server reads it. So what is used is the very word that was
//! checked: it is never read again in between.

use core::ops::RangeInclusive;
use core::sync::atomic::{AtomicU64, Ordering};

use heapless::Vec;
use ioasid_api::{AllocBatch, Code, Count, Field, Handle, Map, Slice};
use ioasid_config::Region;
use ioasid_core::{Freed, Pasid, State};
use ioasid_trace::Event as Traced;
use vtd::{BATCH, Mapping, Registers, TableMemory};

use crate::clients::ClientId;
use crate::codes;
use crate::ids::handle_of;
use crate::server::{Answer, Server};
use crate::spaces::{BYTES_PER_CALL, mapping, traced};

/// Words of a mapping in the page.
const MAPPING_WORDS: usize = 3;

/// The items of a batch, of so many words each.
type Items<'m, const WORDS: usize> = &'m [[AtomicU64; WORDS]];

/// `count` items at the start of a page.
fn items<const WORDS: usize>(page: Option<&[AtomicU64]>, count: u32) -> Answer<Items<'_, WORDS>> {
    let (items, _) = page.ok_or(Code::NoSharedPage)?.as_chunks();
    let count = usize::try_from(count).ok().filter(|&count| count <= BATCH).ok_or(Code::SpanTooLong)?;
    items.get(..count).ok_or(Code::SpanTooLong)
}

/// A word of an item.
#[inline(always)]
fn load<T: Field>(word: &AtomicU64) -> Answer<T> {
    T::from_word(word.load(Ordering::Relaxed)).ok_or(Code::BadField)
}

/// As a count on the wire.
fn count(count: usize) -> Answer<u32> {
    u32::try_from(count).map_err(|_| Code::Internal)
}

/// An item as the unit is told it, and as the client asks for it.
#[inline(always)]
fn map_item(
    regions: &[Region],
    handle: Handle,
    [iova, source, extent]: &[AtomicU64; MAPPING_WORDS],
) -> Answer<(Mapping, Map)> {
    let map = Map { handle, iova: load(iova)?, source: load(source)?, extent: load(extent)? };
    Ok((mapping(regions, &map)?, map))
}

impl<R: Registers, M: TableMemory> Server<'_, R, M> {
    #[inline(never)]
    pub(crate) fn alloc_batch(&mut self, client: ClientId, batch: &AllocBatch) -> Answer<Count> {
        let items = items(self.clients.account(client).batch, batch.count)?;
        let AllocBatch { min, max, data, .. } = *batch;
        self.range(min, max)?;
        // As many as can be had at once, and the rest one by one.
        let done = self.alloc_many(client, min..=max, data, items);
        for (item, [word]) in items.iter().enumerate().skip(done) {
            match self.alloc_between(client, min, max, data) {
                Ok(handle) => word.store(handle.to_word(), Ordering::Relaxed),
                Err(code) if item == 0 => return Err(code),
                Err(_) => return Ok(Count { count: count(item)? }),
            }
        }
        Ok(Count { count: batch.count })
    }

    /// Allocates ids until anything is not as it mostly is; gives how many there were.
    #[inline(always)]
    fn alloc_many(
        &mut self,
        client: ClientId,
        range: RangeInclusive<u32>,
        data: u64,
        items: Items<'_, 1>,
    ) -> usize {
        let (set, own) = (self.set(client), self.clients.window(client));
        let most = u32::try_from(items.len()).unwrap_or(0);
        let Self { registry, clients, trace, epoch, .. } = self;
        let account = clients.account_mut(client);
        let mut words = items.as_flattened().iter();
        let given = registry.alloc_many(set, own, range, data, most, |handle| {
            let handle = handle_of(handle, *epoch);
            trace.push(client, Traced::Alloc { id: handle });
            account.find.insert(handle, data);
            if let Some(word) = words.next() {
                word.store(handle.to_word(), Ordering::Relaxed);
            }
        });
        account.counters.allocated += u64::from(given);
        items.len() - words.len()
    }

    #[inline(never)]
    pub(crate) fn free_batch(&mut self, client: ClientId, batch: u32) -> Answer<Count> {
        let items: Items<'_, 1> = items(self.clients.account(client).batch, batch)?;
        let mut torn: Vec<ioasid_core::Handle, BATCH> = Vec::new();
        let mut freed = 0;
        for [word] in items {
            match load(word).and_then(|handle| Ok((handle, self.give_up(client, handle)?))) {
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
        let items = items(self.clients.account(client).batch, batch)?;
        let id = self.own(client, handle)?;
        let regions = self.clients.regions(client);
        // A batch of nothing, or of nothing that can be asked of the unit, makes no address space.
        let Some(first) = items.first() else { return Ok(Count { count: 0 }) };
        map_item(regions, handle, first)?;
        let space = self.open_space(client, id.pasid)?;
        let Self { unit, trace, .. } = self;
        let unit = unit.as_mut().ok_or(Code::NoUnit)?;
        let outcome = unit.fill(space.domain, move |filling| {
            let (mut bytes, mut done) = (0, 0);
            for item in items {
                let mapped = map_item(regions, handle, item).and_then(|(mapping, map)| {
                    bytes += mapping.bytes;
                    if bytes > BYTES_PER_CALL {
                        return Err(Code::SpanTooLong);
                    }
                    filling.map(&mapping).map_err(codes::unit).map(|()| map)
                });
                match mapped {
                    Ok(map) => trace.push(client, traced(&map)),
                    Err(code) => return (done, Err(code)),
                }
                done += 1;
            }
            (done, Ok(()))
        });
        let outcome = match outcome {
            Err(error) => Err(codes::unit(error)),
            Ok((0, Err(code))) => Err(code),
            Ok((done, _)) => Ok(Count { count: done }),
        };
        self.done_in(client, space, outcome)
    }

    pub(crate) fn list(&self, client: ClientId, from: u32) -> Answer<Slice> {
        let page = self.clients.account(client).batch.ok_or(Code::NoSharedPage)?;
        let mut words = page.iter().take(BATCH);
        let (mut filled, mut next) = (0, Pasid::new(from));
        // Ids that wait for their end are passed over: at most as many again.
        for _ in 0..2 * BATCH {
            let Some(found) = next.and_then(|from| self.registry.next_id(self.set(client), from)) else {
                next = None;
                break;
            };
            if found.state == State::Allocated {
                let Some(word) = words.next() else { break };
                word.store(self.wire(found.handle).to_word(), Ordering::Relaxed);
                filled += 1;
            }
            next = found.handle.pasid.next();
        }
        Ok(Slice { count: filled, next: next.map_or(0, Pasid::get) })
    }
}

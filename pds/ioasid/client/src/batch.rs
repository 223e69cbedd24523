// SPDX-License-Identifier: BSD-2-Clause
//! Many ids or mappings in one call.

use core::ops::RangeInclusive;
use core::sync::atomic::{AtomicU64, Ordering};

use ioasid_api::{self as api, Code, Extent, Field, Handle, RegionOffset};

use crate::{Client, Error, Peer, Result};

/// The most items of a batch.
pub const BATCH: usize = 64;

/// A client's batch page: what is asked for many things at once stands there.
#[derive(Debug)]
pub struct Batch<'a, P> {
    client: Client<P>,
    page: &'a [AtomicU64],
}

impl<'a, P: Peer> Batch<'a, P> {
    /// Batches of `client`'s, by way of the page that `ioasid.toml` names for it.
    #[must_use]
    pub fn new(client: Client<P>, page: &'a [AtomicU64]) -> Self {
        Self { client, page }
    }

    /// As many items of so many words as are asked for, at the start of the page.
    fn items<const WORDS: usize>(&self, count: usize) -> Result<(&'a [[AtomicU64; WORDS]], u32)> {
        let items = self.page.as_chunks().0.get(..count);
        let count = u32::try_from(count).ok();
        items.zip(count).ok_or(Error::Refused(Code::SpanTooLong))
    }

    /// Allocates up to `handles.len()` ids, and gives those that there were.
    ///
    /// # Errors
    /// As [`Client::alloc`], where not even the first could be had; [`Code::SpanTooLong`] beyond [`BATCH`].
    pub fn alloc<'b>(
        &self,
        range: RangeInclusive<u32>,
        data: u64,
        handles: &'b mut [Handle],
    ) -> Result<&'b [Handle]> {
        let count = u32::try_from(handles.len()).map_err(|_| Error::Refused(Code::SpanTooLong))?;
        let (min, max) = range.into_inner();
        let count = self.client.call(&api::AllocBatch { min, max, data, count })?.count;
        let count = usize::try_from(count).unwrap_or(0).min(handles.len());
        for (handle, word) in handles.iter_mut().zip(self.page).take(count) {
            *handle = Handle::from_word(word.load(Ordering::Relaxed)).ok_or(Error::BadReply { label: 0 })?;
        }
        Ok(&handles[..count])
    }

    /// Frees ids, with one teardown for all of them; gives how many were freed.
    ///
    /// # Errors
    /// [`Code::UnitTimeout`]: they are gone, and kept from everybody for good; [`Code::SpanTooLong`] beyond [`BATCH`].
    pub fn free(&self, handles: &[Handle]) -> Result<u32> {
        let (items, count) = self.items::<1>(handles.len())?;
        for ([word], handle) in items.iter().zip(handles) {
            word.store(handle.to_word(), Ordering::Relaxed);
        }
        Ok(self.client.call(&api::FreeBatch { count })?.count)
    }

    /// Maps spans (iova, source, extent) until one is refused; gives how many were mapped.
    ///
    /// # Errors
    /// As [`Client::map`], where not even the first could be mapped; [`Code::SpanTooLong`] beyond [`BATCH`].
    pub fn map(&self, handle: Handle, spans: &[(u64, RegionOffset, Extent)]) -> Result<u32> {
        let (items, count) = self.items::<3>(spans.len())?;
        for (item, &(iova, source, extent)) in items.iter().zip(spans) {
            for (word, value) in item.iter().zip([iova, source.to_word(), extent.to_word()]) {
                word.store(value, Ordering::Relaxed);
            }
        }
        Ok(self.client.call(&api::MapBatch { handle, count })?.count)
    }
}

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

    fn store(&self, items: impl IntoIterator<Item = u64>) -> Result<u32> {
        let mut count = 0;
        let mut words = self.page.iter();
        for item in items {
            words.next().ok_or(Error::Refused(Code::SpanTooLong))?.store(item, Ordering::Relaxed);
            count += 1;
        }
        Ok(count)
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
        let count = self.store(handles.iter().map(|handle| handle.to_word()))?;
        Ok(self.client.call(&api::FreeBatch { count })?.count)
    }

    /// Maps spans (iova, source, extent) until one is refused; gives how many were mapped.
    ///
    /// # Errors
    /// As [`Client::map`], where not even the first could be mapped; [`Code::SpanTooLong`] beyond [`BATCH`].
    pub fn map(&self, handle: Handle, spans: &[(u64, RegionOffset, Extent)]) -> Result<u32> {
        self.store(
            spans.iter().flat_map(|&(iova, source, extent)| [iova, source.to_word(), extent.to_word()]),
        )?;
        let count = u32::try_from(spans.len()).map_err(|_| Error::Refused(Code::SpanTooLong))?;
        Ok(self.client.call(&api::MapBatch { handle, count })?.count)
    }
}

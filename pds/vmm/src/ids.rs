// SPDX-License-Identifier: BSD-2-Clause
//! A machine's ids: what the service gave it in this life, by number.

use heapless::index_map::FnvIndexMap;
use ioasid_microkit::{Client, Handle};
use virtual_vtd::Refusal;

/// The most ids that a machine may have, whatever its set's limit. A power of two.
const MOST: usize = 256;

/// The ids of a machine's life.
#[derive(Debug)]
pub struct Ids {
    client: Client,
    live: FnvIndexMap<u32, Handle, MOST>,
}

impl Ids {
    /// None yet; they come from `client`'s set.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, live: FnvIndexMap::new() }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.live.len()
    }

    /// One more: one call.
    ///
    /// # Errors
    /// The set is at its limit, or the service gives none.
    pub fn alloc(&mut self) -> Result<u32, Refusal> {
        if self.live.len() == MOST {
            return Err(Refusal);
        }
        let highest = (1 << self.client.welcome().pasid_bits.min(20)) - 1;
        let handle = self.client.alloc(1..=highest, 0).map_err(|_| Refusal)?;
        // There is room; and the service gives no number twice.
        let _ = self.live.insert(handle.pasid, handle);
        Ok(handle.pasid)
    }

    /// One less: one call, and none where the number is not this machine's.
    ///
    /// # Errors
    /// It is not this machine's.
    pub fn free(&mut self, pasid: u32) -> Result<u32, Refusal> {
        let handle = self.live.remove(&pasid).ok_or(Refusal)?;
        self.release(handle);
        Ok(0)
    }

    /// Gives all of them back; gives how many there were.
    pub fn free_all(&mut self) -> usize {
        let count = self.live.len();
        self.live.values().for_each(|&handle| self.release(handle));
        self.live.clear();
        count
    }

    fn release(&self, handle: Handle) {
        // From here on the id is the service's: where its teardown is not confirmed it stays out of use there.
        if let Err(error) = self.client.free(handle) {
            log::warn!("PASID {:#x}: {error}", handle.pasid);
        }
    }
}

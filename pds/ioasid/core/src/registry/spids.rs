// SPDX-License-Identifier: BSD-2-Clause
//! SPIDs: names that a set gives to its ids, such as the PASIDs that a guest believes it uses.
//!
//! Each set has a table of its own that an SPID is an index of. So a look-up is one access whatever there is, and no
//! set can fill another's. An entry whose id is not live any more counts as absent.

use super::Registry;
use crate::allocator::Provider;
use crate::event::Events;
use crate::{Error, Generation, Handle, Pasid, SetId};

/// An entry is an id's number and above it its generation; 0 is none, as PASID 0 is never handed out.
fn entry(handle: Handle) -> u64 {
    u64::from(handle.generation.raw()) << 32 | u64::from(handle.pasid.get())
}

fn handle(entry: u64) -> Option<Handle> {
    let pasid = Pasid::truncated((entry & 0xffff_ffff) as u32);
    let generation = Generation::from_raw((entry >> 32 & 0xffff) as u16);
    (entry != 0).then_some(Handle { pasid, generation })
}

impl<P: Provider, E: Events> Registry<'_, P, E> {
    /// Lets a set call one of its ids by an SPID.
    ///
    /// # Errors
    /// [`Error::InvalidRange`] where the SPID is not below
    /// [`SPIDS_PER_SET`](crate::capacity::SPIDS_PER_SET); [`Error::AlreadyAttached`] where it names a live id;
    /// otherwise as [`find`](Self::find).
    pub fn attach_spid(&mut self, set: SetId, spid: u32, handle: Handle) -> Result<(), Error> {
        self.find(set, handle)?;
        if self.find_spid(set, spid).is_ok() {
            return Err(Error::AlreadyAttached);
        }
        *self.spid_entry(set, spid).ok_or(Error::InvalidRange)? = entry(handle);
        Ok(())
    }

    /// Takes an SPID off the id that it names.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it names no live id.
    pub fn detach_spid(&mut self, set: SetId, spid: u32) -> Result<(), Error> {
        self.find_spid(set, spid)?;
        *self.spid_entry(set, spid).ok_or(Error::NotFound)? = 0;
        Ok(())
    }

    /// The id that a set calls by an SPID.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it names no live id.
    pub fn find_spid(&self, set: SetId, spid: u32) -> Result<Handle, Error> {
        let table = &self.index[set.index()].spids;
        let found = table.get(spid as usize).copied().and_then(handle).ok_or(Error::NotFound)?;
        self.find(set, found).map(|_| found).map_err(|_| Error::NotFound)
    }

    fn spid_entry(&mut self, set: SetId, spid: u32) -> Option<&mut u64> {
        self.index[set.index()].spids.get_mut(spid as usize)
    }
}
